// What a restore has done to Milvus and to its bucket: all that is needed to undo it, to tell it, and to go on with it.
//
// Invariants: a collection is noted before Milvus is asked to create it, and a unit before Milvus is asked to import it,
// because a request whose answer was lost may have been carried out. No secret is in it: it is kept on disk.

import BackupFormat

/// The record of one restore.
struct RestoreRecord: Codable, Sendable, Hashable {
  /// Where a collection is.
  enum Stage: String, Codable, Sendable {
    /// Milvus may have been asked to create it.
    case creating
    /// This restore created it; rows may be missing.
    case created
    /// It existed before; rows may be missing.
    case existing
    /// All of the backup's rows are in it.
    case finished
  }

  /// One import of a collection.
  struct Unit: Codable, Sendable, Hashable {
    /// The import task; nil when none is known to run.
    var task: Int64?
    /// Key prefix, in Milvus' bucket, of the imported directories.
    var base: String
    /// Rows that came back; nil until the import has ended with success.
    var rows: Int64?
  }

  /// One target collection.
  struct Collection: Codable, Sendable, Hashable {
    var target: CollectionName
    var stage: Stage
    /// Milvus' number of it; 0 until known.
    var collectionID: Int64 = 0
    /// Rows that were in it before.
    var rowsBefore: Int64 = 0
    /// By `ImportBundle.name`.
    var units: [String: Unit] = [:]

    /// Rows that this restore brought into it, for certain.
    var rows: Int64 { units.values.reduce(0) { $0 + ($1.rows ?? 0) } }
  }

  /// Identity of the backup: a later one of the same name is another.
  var backupID = ""
  /// Where the backup lies.
  var backupPlace = ""
  /// Milvus' host and port.
  var milvus = ""
  /// Databases created.
  var databases: [String] = []
  /// Collections that were dropped to make room.
  var dropped: [CollectionName] = []
  /// Collections begun.
  var collections: [Collection] = []
  /// Directories of temporary copies in Milvus' bucket, each a key prefix ending with a slash.
  var temporary: [String] = []
  /// Where those directories are, as `StoreLocation` words it.
  var temporaryPlace = ""

  /// The collection of this name.
  subscript(_ target: CollectionName) -> Collection? {
    get { collections.first { $0.target == target } }
    set {
      collections.removeAll { $0.target == target }
      if let newValue { collections.append(newValue) }
    }
  }
}
