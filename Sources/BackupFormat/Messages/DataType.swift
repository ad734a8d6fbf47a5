// The types of field values, by their numbers in Milvus' schema.proto.

/// Type of the values of a field.
public struct DataType: ProtoEnum {
  /// Number in the file.
  public let rawValue: Int32

  /// Makes the type with this number.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// Not given.
  public static let none = Self(rawValue: 0)
  /// Boolean.
  public static let bool = Self(rawValue: 1)
  /// Integer of 8 bits.
  public static let int8 = Self(rawValue: 2)
  /// Integer of 16 bits.
  public static let int16 = Self(rawValue: 3)
  /// Integer of 32 bits.
  public static let int32 = Self(rawValue: 4)
  /// Integer of 64 bits.
  public static let int64 = Self(rawValue: 5)
  /// Floating point number of 32 bits.
  public static let float = Self(rawValue: 10)
  /// Floating point number of 64 bits.
  public static let double = Self(rawValue: 11)
  /// Text of any length.
  public static let string = Self(rawValue: 20)
  /// Text with a maximum length.
  public static let varChar = Self(rawValue: 21)
  /// Array of scalars.
  public static let array = Self(rawValue: 22)
  /// JSON document.
  public static let json = Self(rawValue: 23)
  /// Geometry.
  public static let geometry = Self(rawValue: 24)
  /// Long text.
  public static let text = Self(rawValue: 25)
  /// Time with time zone.
  public static let timestamptz = Self(rawValue: 26)
  /// Vector of bits.
  public static let binaryVector = Self(rawValue: 100)
  /// Vector of 32-bit floating point numbers.
  public static let floatVector = Self(rawValue: 101)
  /// Vector of 16-bit floating point numbers.
  public static let float16Vector = Self(rawValue: 102)
  /// Vector of 16-bit brain floating point numbers.
  public static let bfloat16Vector = Self(rawValue: 103)
  /// Vector with few entries other than zero.
  public static let sparseFloatVector = Self(rawValue: 104)
  /// Vector of 8-bit integers.
  public static let int8Vector = Self(rawValue: 105)
  /// Array of vectors.
  public static let arrayOfVector = Self(rawValue: 106)
  /// Array of structures.
  public static let arrayOfStruct = Self(rawValue: 200)
  /// Structure.
  public static let structure = Self(rawValue: 201)

  /// Whether the values are vectors or arrays of vectors, so that an index on them needs a metric.
  public var isVector: Bool { (Self.binaryVector.rawValue...Self.arrayOfVector.rawValue).contains(rawValue) }
}
