// A collection of a backup with all that is needed to create it again and to find its data.

/// One collection of a backup.
public struct CollectionBackupInfo: FieldVisitable {
  /// Identifier of the backup task; an identifier of its own in backups of 0.4.
  public var id = ""
  /// State in backups made before 0.6; zero in current ones.
  public var stateCode = BackupState.initial
  /// Failure text of backups made before 0.6.
  public var errorMessage = ""
  /// Start in seconds since 1970, of backups made before 0.6.
  public var startTime: Int64 = 0
  /// End in seconds since 1970, of backups made before 0.6.
  public var endTime: Int64 = 0
  /// Percentage of backups made before 0.6.
  public var progress: Int32 = 0
  /// Identifier in the source server; part of the object keys.
  public var collectionID: Int64 = 0
  /// Name of the database as stored; empty in old backups. See ``databaseName``.
  public var dbName = ""
  /// Name of the collection.
  public var collectionName = ""
  /// The schema, without the hidden dynamic field.
  public var schema: CollectionSchema?
  /// Number of shards.
  public var shardsNum: Int32 = 0
  /// Default consistency level.
  public var consistencyLevel = ConsistencyLevel.strong
  /// The partitions, empty ones included.
  public var partitionBackups: [PartitionBackupInfo] = []
  /// Hybrid timestamp of the newest channel checkpoint; zero on servers up to 2.3.
  public var backupTimestamp: UInt64 = 0
  /// Size of the data in bytes.
  public var size: Int64 = 0
  /// Whether any index existed.
  public var hasIndex = false
  /// The indexes.
  public var indexInfos: [IndexInfo] = []
  /// `Loaded`, `Loading`, `NotLoad`, or `NotExist` in very old backups.
  public var loadState = ""
  /// Time at which the segments were sealed, in seconds since 1970.
  public var backupPhysicalTimestamp: UInt64 = 0
  /// Checkpoints by virtual channel, each the base64 text of a marshalled position.
  public var channelCheckpoints: StringMap = [:]
  /// Delete-only segments which concern all partitions (partition id -1).
  public var l0Segments: [SegmentBackupInfo] = []
  /// Properties the server reports beside the schema.
  public var properties: [KeyValuePair] = []
  /// Identifier of the database in the source server.
  public var dbID: Int64 = 0
  /// Hybrid timestamp of the creation of the collection.
  public var createdTimestamp: UInt64 = 0
  /// Virtual channels of the collection.
  public var virtualChannelNames: [String] = []
  /// Physical channels of the collection.
  public var physicalChannelNames: [String] = []
  /// Aliases of the collection.
  public var aliases: [String] = []
  /// The exported snapshot, in backups of the snapshot format.
  public var snapshotBackup: SnapshotBackupInfo?

  /// Makes a collection description whose fields are all zero.
  public init() {}

  /// Name of the database, which is `default` when the metadata leaves it out.
  public var databaseName: String { dbName.isEmpty ? CollectionName.defaultDatabase : dbName }

  /// The collection's name together with that of its database.
  public var qualifiedName: CollectionName { CollectionName(database: databaseName, collection: collectionName) }

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("id", &id)
    try visitor.field("state_code", &stateCode)
    try visitor.field("errorMessage", &errorMessage)
    try visitor.field("start_time", &startTime)
    try visitor.field("end_time", &endTime)
    try visitor.field("progress", &progress)
    try visitor.field("collection_id", &collectionID)
    try visitor.field("db_name", &dbName)
    try visitor.field("collection_name", &collectionName)
    try visitor.field("schema", &schema)
    try visitor.field("shards_num", &shardsNum)
    try visitor.field("consistency_level", &consistencyLevel)
    try visitor.field("partition_backups", &partitionBackups)
    try visitor.field("backup_timestamp", &backupTimestamp)
    try visitor.field("size", &size, always: true)
    try visitor.field("has_index", &hasIndex, always: true)
    try visitor.field("index_infos", &indexInfos)
    try visitor.field("load_state", &loadState)
    try visitor.field("backup_physical_timestamp", &backupPhysicalTimestamp)
    try visitor.field("channel_checkpoints", &channelCheckpoints)
    try visitor.field("l0_segments", &l0Segments)
    try visitor.field("properties", &properties)
    try visitor.field("db_id", &dbID)
    try visitor.field("created_timestamp", &createdTimestamp)
    try visitor.field("virtual_channel_names", &virtualChannelNames)
    try visitor.field("physical_channel_names", &physicalChannelNames)
    try visitor.field("aliases", &aliases)
    try visitor.field("snapshot_backup", &snapshotBackup)
  }
}
