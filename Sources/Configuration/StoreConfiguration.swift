// Everything one configuration file tells about one store.

/// A store: a Milvus server together with its object storage and the place of its backups.
///
/// The keys, their defaults and the rules are those of milvus-backup's `backup.yaml` in the schema of all its released
/// versions. Keys which concern only that program (its log files, its HTTP server, Zilliz Cloud) are accepted and have
/// no effect.
public struct StoreConfiguration: Hashable, Sendable {
  /// How many things happen at once; every number is at least 1.
  public struct Parallelism: Hashable, Sendable {
    /// Objects copied at once.
    public var copyData = 128
    /// Collections backed up at once.
    public var backupCollection = 4
    /// Segments backed up at once.
    public var backupSegment = 1024
    /// Collections restored at once.
    public var restoreCollection = 2
    /// Import jobs at once.
    public var importJob = 768

    /// Makes a configuration of the official defaults.
    public init() {}
  }

  /// Whether and where to pause the garbage collection of Milvus during a backup.
  public struct GCPause: Hashable, Sendable {
    /// Whether to pause.
    public var isEnabled = true
    /// URL of the management interface.
    public var address = "http://localhost:9091"

    /// Makes a configuration of the official defaults.
    public init() {}
  }

  /// How much to log.
  public enum LogLevel: String, CaseIterable, Sendable {
    /// Everything.
    case debug
    /// What happens.
    case info
    /// What may be wrong.
    case warn
    /// What is wrong.
    case error
  }

  /// Name of the store, which is the name of the file without its extension and that of the store's directory.
  public let name: String
  /// Path of the file.
  public let file: String
  /// The Milvus server.
  public internal(set) var milvus = MilvusConfiguration()
  /// The storage that Milvus writes to.
  public internal(set) var storage = StorageConfiguration()
  /// The storage that holds the backups.
  public internal(set) var backupStorage = StorageConfiguration()
  /// Whether objects must pass through this program because the storages cannot copy from each other.
  public internal(set) var crossStorage = false
  /// Size in MiB from which an object is copied in parts.
  public internal(set) var multipartCopyThresholdMiB = 500
  /// How many things happen at once.
  public internal(set) var parallelism = Parallelism()
  /// Whether to leave temporary copies in Milvus' bucket after a restore.
  public internal(set) var keepTempFiles = false
  /// Whether and where to pause garbage collection.
  public internal(set) var gcPause = GCPause()
  /// How much to log.
  public internal(set) var logLevel = LogLevel.info
  /// What is suspicious in the file although it can be used, one sentence each.
  public internal(set) var warnings: [String] = []
  /// All settings with their origins, secret values masked.
  public internal(set) var settings: [Setting] = []

  init(name: String, file: String) {
    self.name = name
    self.file = file
  }
}
