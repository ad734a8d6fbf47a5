// A restore that passed all checks.

import BackupFormat
import MilvusClient
import ObjectStore

/// A request for a restore that passed all checks. Nothing has been changed yet.
public struct RestorePlan: Sendable {
  /// Name of the backup.
  public let backup: String
  /// The collections as they will be called in Milvus, in the order of the backup.
  public var targets: [CollectionName] { collections.map(\.target) }

  /// One collection to restore.
  struct Collection: Sendable {
    /// Its description in the backup.
    var source: CollectionBackupInfo
    /// Its name in Milvus.
    var target: CollectionName
    /// What to import; empty if only the structure is wanted.
    var bundles: [ImportBundle]
    /// What is done about a collection of that name.
    var disposition: Disposition
    /// Wrapped key of the source's database, if that was encrypted.
    var encryptionKey: String?
  }

  /// What is done about the target's name.
  enum Disposition: Sendable, Hashable {
    /// It is free: create the collection.
    case create
    /// It is taken: drop that collection with its aliases, then create one.
    case replace(aliases: [String])
    /// It is taken by the collection to import into.
    case useExisting
    /// An earlier restore began it: go on.
    case goOn
    /// An earlier restore finished it.
    case finished
  }

  /// A database to create.
  struct Database: Sendable, Hashable {
    var name: String
    var properties: [MilvusKeyValue]
  }

  let collections: [Collection]
  /// Databases that must be created first.
  let newDatabases: [Database]
  /// Users, roles and grants that Milvus does not have; nil if they are not wanted.
  let accessControl: MilvusAccessControl?
  /// What is known of an earlier restore that this one goes on with, and what this one will add to.
  let record: RestoreRecord
  let warnings: [String]
  /// Milvus' version, for reports.
  let serverVersion: String
  let request: RestoreRequest
  let context: EngineContext

  /// Whether the backup lies in Milvus' own bucket, so that Milvus can read it where it is: the same bucket of the same
  /// service, whatever it is called elsewhere.
  static func isInPlace(_ context: EngineContext) -> Bool {
    context.backups.location == context.milvusObjects.location
  }
}
