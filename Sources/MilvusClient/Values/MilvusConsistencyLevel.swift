// How fresh reads of a collection are, as an open set. Numbers: Milvus' common protobuf package.

/// How fresh reads of a collection are. Unknown numbers pass through.
public struct MilvusConsistencyLevel: RawRepresentable, Sendable, Hashable {
  /// The number on the wire.
  public let rawValue: Int32
  /// The level with this number, known or not.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// Reads see every acknowledged write.
  public static let strong = MilvusConsistencyLevel(rawValue: 0)
  /// Reads see the session's own writes.
  public static let session = MilvusConsistencyLevel(rawValue: 1)
  /// Reads lag by a bounded time.
  public static let bounded = MilvusConsistencyLevel(rawValue: 2)
  /// Reads see writes some day.
  public static let eventually = MilvusConsistencyLevel(rawValue: 3)
  /// Set by each request.
  public static let customized = MilvusConsistencyLevel(rawValue: 4)
}
