// Types of fields as an open set: the raw number is the value, so that a number this program does not know passes
// through unchanged. Numbers: Milvus' schema protobuf package.

/// The type of a field. Unknown numbers pass through.
public struct MilvusDataType: RawRepresentable, Sendable, Hashable {
  /// The number on the wire.
  public let rawValue: Int32
  /// The type with this number, known or not.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// No type.
  public static let none = MilvusDataType(rawValue: 0)
  /// Boolean.
  public static let bool = MilvusDataType(rawValue: 1)
  /// 8-bit integer.
  public static let int8 = MilvusDataType(rawValue: 2)
  /// 16-bit integer.
  public static let int16 = MilvusDataType(rawValue: 3)
  /// 32-bit integer.
  public static let int32 = MilvusDataType(rawValue: 4)
  /// 64-bit integer.
  public static let int64 = MilvusDataType(rawValue: 5)
  /// 32-bit floating point number.
  public static let float = MilvusDataType(rawValue: 10)
  /// 64-bit floating point number.
  public static let double = MilvusDataType(rawValue: 11)
  /// String of the first releases.
  public static let string = MilvusDataType(rawValue: 20)
  /// String with a maximum length.
  public static let varChar = MilvusDataType(rawValue: 21)
  /// Array of scalars.
  public static let array = MilvusDataType(rawValue: 22)
  /// JSON document.
  public static let json = MilvusDataType(rawValue: 23)
  /// Vector of bits.
  public static let binaryVector = MilvusDataType(rawValue: 100)
  /// Vector of 32-bit floating point numbers.
  public static let floatVector = MilvusDataType(rawValue: 101)
  /// Vector of IEEE 16-bit floating point numbers.
  public static let float16Vector = MilvusDataType(rawValue: 102)
  /// Vector of bfloat16 numbers.
  public static let bfloat16Vector = MilvusDataType(rawValue: 103)
  /// Sparse vector.
  public static let sparseFloatVector = MilvusDataType(rawValue: 104)
  /// Vector of 8-bit integers.
  public static let int8Vector = MilvusDataType(rawValue: 105)
  /// Array of vectors, a member of a struct array.
  public static let arrayOfVector = MilvusDataType(rawValue: 106)

  /// Whether a vector index can be built on the field: the numbers 100 to 106.
  public var isVector: Bool { (100...106).contains(rawValue) }
}
