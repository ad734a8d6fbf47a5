// What a job needs to know about one store: where backups lie, where Milvus keeps its objects, and how to reach Milvus.

import BackupFormat
import Logging
import MilvusClient
import ObjectStore

/// One store of the configuration, ready to run jobs on.
public struct EngineContext: Sendable {
  /// Name of the store, as its directory in the mount is called.
  public var storeName: String
  /// The bucket with the backups.
  public var backups: any ObjectStore
  /// Key prefix of all backups, `minio.backupRootPath`; slashes at either end are ignored, empty for the bucket's root.
  public var backupRoot: String
  /// The bucket Milvus itself works in. May be the same bucket as `backups`: their `location` decides.
  public var milvusObjects: any ObjectStore
  /// Key prefix of everything Milvus stores, `minio.rootPath`; slashes at either end are ignored.
  public var milvusRoot: String
  /// What turns a key of `milvusObjects` into a path that Milvus is given to import from: nothing in a bucket, which
  /// Milvus knows by itself; a directory and a slash where Milvus works on a file system.
  public var milvusImportPrefix: String
  /// Milvus' gRPC endpoint.
  public var milvus: MilvusEndpoint
  /// How Milvus is asked by HTTP; nil to do without.
  public var rest: MilvusREST? {
    didSet { jobImporter = rest.flatMap { RESTImporter($0) } }
  }
  /// Bounds.
  public var limits: EngineLimits
  /// Bytes held in memory by all jobs that share this context.
  public let budget: ByteBudget
  /// Where jobs write their log lines.
  public var logger: Logger

  /// How a connection to Milvus is made and how often it is asked; another one in tests.
  var milvusConnector: any MilvusConnector
  var pace = Pace()
  /// Import by REST; nil where Milvus cannot be asked by HTTP. Goes with `rest`.
  var jobImporter: (any JobImporter)?

  /// Describes a store. Nothing is opened or connected.
  public init(
    storeName: String, backups: any ObjectStore, backupRoot: String, milvusObjects: any ObjectStore,
    milvusRoot: String, milvusImportPrefix: String = "", milvus: MilvusEndpoint, limits: EngineLimits = EngineLimits(),
    logger: Logger
  ) {
    self.storeName = storeName
    self.backups = backups
    self.backupRoot = ObjectPath.clean(backupRoot)
    self.milvusObjects = milvusObjects
    self.milvusRoot = ObjectPath.clean(milvusRoot)
    self.milvusImportPrefix = milvusImportPrefix
    self.milvus = milvus
    self.limits = limits
    self.budget = ByteBudget(capacity: limits.bytesInFlight)
    self.logger = logger
    self.milvusConnector = GRPCConnector(endpoint: milvus)
  }
}

/// Pauses between questions, in seconds. Tests shorten them.
struct Pace: Sendable {
  /// First and longest pause between two looks at an import task.
  var importPoll = 0.2...2.0
  /// First and longest pause between two looks at a flush.
  var flushPoll = 0.1...1.0
  /// Pause before the data of a collection is read again.
  var reread = 2.0
  /// Longest wait for Milvus' row statistics to follow finished imports.
  var statistics = 30.0
}
