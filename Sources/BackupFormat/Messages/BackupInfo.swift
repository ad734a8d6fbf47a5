// The root message of a backup.
//
// `meta/full_meta.json` is one BackupInfo with everything nested in it; `meta/backup_meta.json` is the same message
// with only its scalars.

/// One backup: what it is called, where it comes from and all it contains.
public struct BackupInfo: FieldVisitable {
  /// Identifier of the task that made the backup, usually a UUID.
  public var id = ""
  /// State when the metadata was written; meaningless in current backups, where it is always zero.
  public var stateCode = BackupState.initial
  /// Failure text of backups made before 0.6; empty in current ones.
  public var errorMessage = ""
  /// Start in milliseconds since 1970, of backups made before 0.6; zero in current ones.
  public var startTime: Int64 = 0
  /// End in milliseconds since 1970, of backups made before 0.6; zero in current ones.
  public var endTime: Int64 = 0
  /// Percentage of backups made before 0.6; zero in current ones.
  public var progress: Int32 = 0
  /// Name of the backup, which is also the name of its directory.
  public var name = ""
  /// Time of the backup; absent in current ones, wall-clock milliseconds in old ones.
  public var backupTimestamp: UInt64 = 0
  /// The collections with their partitions and segments.
  public var collectionBackups: [CollectionBackupInfo] = []
  /// Sum of the collection sizes in bytes.
  public var size: Int64 = 0
  /// Version of the Milvus server as the server reported it, such as `v2.3.5`.
  public var milvusVersion = ""
  /// Users, roles and grants, if they were asked for.
  public var rbacMeta: RBACMeta?
  /// Position of the replication channel, written for servers of version 2.5.
  public var rpcChannelInfo: RPCChannelInfo?
  /// The databases; empty in backups made before 0.5.2, whose databases are those the collections name.
  public var databaseBackups: [DatabaseBackupInfo] = []
  /// Flush messages by physical channel, each the base64 text of a marshalled message.
  public var flushAllMessagesBase64: StringMap = [:]
  /// Control channel of the source cluster.
  public var controlChannelName = ""
  /// Physical channels of the source cluster.
  public var physicalChannelNames: [String] = []
  /// Format of the data as spelled in the file; see ``dataFormat``.
  public var format = ""

  /// Makes a backup description whose fields are all zero.
  public init() {}

  /// How the data of the backup is stored.
  public var dataFormat: BackupDataFormat {
    switch format {
    case "", "binlog": .binlog
    case "snapshot": .snapshot
    default: .unknown(format)
    }
  }

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("id", &id)
    try visitor.field("state_code", &stateCode, always: true)
    try visitor.field("errorMessage", &errorMessage)
    try visitor.field("start_time", &startTime)
    try visitor.field("end_time", &endTime)
    try visitor.field("progress", &progress)
    try visitor.field("name", &name)
    try visitor.field("backup_timestamp", &backupTimestamp)
    try visitor.field("collection_backups", &collectionBackups)
    try visitor.field("size", &size, always: true)
    try visitor.field("milvus_version", &milvusVersion)
    try visitor.field("rbac_meta", &rbacMeta)
    try visitor.field("rpc_channel_info", &rpcChannelInfo)
    try visitor.field("database_backups", &databaseBackups)
    try visitor.field("flush_all_msgs_base64", &flushAllMessagesBase64)
    try visitor.field("control_channel_name", &controlChannelName)
    try visitor.field("physical_channel_names", &physicalChannelNames)
    try visitor.field("format", &format)
  }
}

/// How the data of a backup is stored.
public enum BackupDataFormat: Hashable, Sendable {
  /// Verbatim copies of Milvus' log objects below `binlogs/`.
  case binlog
  /// Snapshots exported by a Milvus server of version 3 below `bundle/`.
  case snapshot
  /// A format this release does not know, spelled as in the file.
  case unknown(String)
}
