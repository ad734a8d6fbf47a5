// The enumerations of the format, stored as integers.
//
// They are open: a number this release does not know is kept and written back unchanged, because a newer server's
// value must survive a copy or a restore.

/// An enumeration of the format: a number with names for the values known.
public protocol ProtoEnum: RawRepresentable, Hashable, Sendable where RawValue == Int32 {
  /// Makes the value with this number, known or not.
  init(rawValue: Int32)
}

/// State of a backup task, from the time when the metadata told it.
public struct BackupState: ProtoEnum {
  /// Number in the file.
  public let rawValue: Int32

  /// Makes the state with this number.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// Not begun; also what current backups say when they are complete.
  public static let initial = Self(rawValue: 0)
  /// Under way.
  public static let executing = Self(rawValue: 1)
  /// Complete.
  public static let success = Self(rawValue: 2)
  /// Failed.
  public static let fail = Self(rawValue: 3)
  /// Given up after too long a time.
  public static let timeout = Self(rawValue: 4)
}

/// Consistency level of reads.
public struct ConsistencyLevel: ProtoEnum {
  /// Number in the file.
  public let rawValue: Int32

  /// Makes the level with this number.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// Reads see all writes.
  public static let strong = Self(rawValue: 0)
  /// Reads see the writes of their own session.
  public static let session = Self(rawValue: 1)
  /// Reads may lag a bounded time.
  public static let bounded = Self(rawValue: 2)
  /// Reads may lag.
  public static let eventually = Self(rawValue: 3)
  /// The reader gives the time.
  public static let customized = Self(rawValue: 4)
}

/// State of a field.
public struct FieldState: ProtoEnum {
  /// Number in the file.
  public let rawValue: Int32

  /// Makes the state with this number.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// In use.
  public static let created = Self(rawValue: 0)
  /// Being created.
  public static let creating = Self(rawValue: 1)
  /// Being dropped.
  public static let dropping = Self(rawValue: 2)
  /// Dropped.
  public static let dropped = Self(rawValue: 3)
}

/// Kind of a function; larger numbers pass through.
public struct FunctionType: ProtoEnum {
  /// Number in the file.
  public let rawValue: Int32

  /// Makes the kind with this number.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// Not given.
  public static let unknown = Self(rawValue: 0)
  /// Full-text scoring.
  public static let bm25 = Self(rawValue: 1)
  /// Embedding of a text by a model.
  public static let textEmbedding = Self(rawValue: 2)
}
