// What a server can do, by its version and by the one probe made at start-up.

/// Features of a Milvus server that a backup or a restore depends on.
public struct ServerFeatures: Sendable, Hashable {
  /// The version the features are derived from.
  public let version: ServerVersion
  /// Databases can be listed and created. Found by trying, not by version.
  public let multiDatabase: Bool

  /// Features of `version`; `multiDatabase` tells whether the server knows ListDatabases.
  public init(version: ServerVersion, multiDatabase: Bool) {
    self.version = version
    self.multiDatabase = multiDatabase
  }

  /// Flush writes the deletes in segments that were flushed before. 2.2 writes those only every
  /// `dataNode.segment.syncPeriod` (600 s): seen on 2.2.16.
  public var flushesDeletes: Bool { version >= ServerVersion(2, 3, 0) }
  /// DescribeDatabase: number, properties and key of a database.
  public var describeDatabase: Bool { version >= ServerVersion(2, 4, 3) }
  /// ReplicateMessage: position of the replication channel.
  public var replicateMessage: Bool { version >= ServerVersion(2, 5, 0) && version < ServerVersion(2, 6, 0) }
  /// A REST call names the files of a segment.
  public var segmentInfoREST: Bool { version >= ServerVersion(2, 5, 8) }
  /// Several directories of delete-only segments may go into one import.
  public var multiL0InOneJob: Bool { version >= ServerVersion(2, 6, 5) }
  /// Garbage collection can be paused for one collection.
  public var collectionLevelGCControl: Bool { version >= ServerVersion(2, 6, 8) }
  /// Functions are checked when a collection is created, which a restore switches off for a while.
  public var functionRuntimeCheck: Bool { version >= ServerVersion(2, 6, 8) }
  /// FlushAll with channel positions in its answer.
  public var flushAll: Bool { version >= ServerVersion(2, 6, 11) }
  /// Snapshots.
  public var snapshot: Bool { version >= ServerVersion(3, 0, 0) }
  /// Deletes are kept in segments of their own, but GetPersistentSegmentInfo does not tell a segment's level yet.
  public var hidesSegmentLevels: Bool { version >= ServerVersion(2, 4, 0) && version < ServerVersion(2, 4, 7) }
  /// Imports can be started by REST (`/v2/vectordb/jobs/import`).
  public var restImport: Bool { version >= ServerVersion(2, 4, 0) }
  /// AddCollectionField exists.
  public var addCollectionField: Bool { version >= ServerVersion(2, 6, 0) }
}
