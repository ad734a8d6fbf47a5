// What Milvus says about a collection, and what it needs to create one.

/// Answer of DescribeCollection.
public struct CollectionDescription: Sendable, Hashable {
  /// The collection's number.
  public var collectionID: Int64
  /// The collection's own name, also if it was asked for by an alias.
  public var collectionName: String
  /// Its database. The name asked for, if the server does not say (before 2.3).
  public var dbName: String
  /// Number of the database, 0 if the server does not say.
  public var dbID: Int64
  /// The schema: user fields only, the dynamic field left out by 2.3.
  public var schema: MilvusCollectionSchema
  /// Number of shards.
  public var shardsNum: Int32
  /// Default consistency of reads.
  public var consistencyLevel: MilvusConsistencyLevel
  /// Other names of the collection.
  public var aliases: [String]
  /// Collection-level properties, for instance `collection.ttl.seconds`.
  public var properties: [MilvusKeyValue]
  /// Virtual channels, one per shard.
  public var virtualChannelNames: [String]
  /// Physical channels of the shards.
  public var physicalChannelNames: [String]
  /// Creation, as a hybrid timestamp (physical milliseconds shifted left by 18 bits).
  public var createdTimestamp: UInt64
  /// Creation, in milliseconds since 1970, 0 if the server does not say.
  public var createdUTCTimestamp: UInt64
  /// Number of partitions; set by collections with a partition key, else 0 or the number there is.
  public var numPartitions: Int64
}

/// What CreateCollection is given.
public struct CollectionSpec: Sendable, Hashable {
  /// The schema; its name is the collection's name.
  public var schema: MilvusCollectionSchema
  /// Number of shards, at least 1.
  public var shardsNum: Int32
  /// Default consistency of reads.
  public var consistencyLevel: MilvusConsistencyLevel
  /// Collection-level properties.
  public var properties: [MilvusKeyValue]
  /// Number of partitions of a collection with a partition key; 0 for all others.
  public var numPartitions: Int64

  /// Creates a specification.
  public init(
    schema: MilvusCollectionSchema, shardsNum: Int32 = 1, consistencyLevel: MilvusConsistencyLevel = .bounded,
    properties: [MilvusKeyValue] = [], numPartitions: Int64 = 0
  ) {
    self.schema = schema
    self.shardsNum = shardsNum
    self.consistencyLevel = consistencyLevel
    self.properties = properties
    self.numPartitions = numPartitions
  }
}

/// One line of ShowCollections.
public struct CollectionSummary: Sendable, Hashable {
  /// The collection's name.
  public var name: String
  /// The collection's number, 0 if the server does not say.
  public var id: Int64
  /// Creation, as a hybrid timestamp, 0 if the server does not say.
  public var createdTimestamp: UInt64
}
