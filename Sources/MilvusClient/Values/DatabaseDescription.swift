// A database as Milvus lists and describes it.

/// Answer of ListDatabases (name only on 2.3) and of DescribeDatabase (2.4.3 and later).
public struct DatabaseDescription: Sendable, Hashable {
  /// The database's name.
  public var name: String
  /// The database's number, 0 if the server does not say.
  public var id: Int64
  /// Creation, as a hybrid timestamp, 0 if the server does not say.
  public var createdTimestamp: UInt64
  /// Its properties, empty if the server does not say.
  public var properties: [MilvusKeyValue]
}
