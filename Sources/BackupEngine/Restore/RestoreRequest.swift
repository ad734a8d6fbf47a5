// What to bring back, what was decided about it, and what came of it.

import BackupFormat

/// A request to bring collections of a backup back into Milvus.
public struct RestoreRequest: Sendable, Hashable, Codable {
  /// Name of the backup.
  public var backup: String
  /// Which collections of the backup, by their names in it.
  public var filter: CollectionFilter
  /// New name of the only selected collection, `coll` (same database) or `db.coll`. Excludes `renames`.
  public var newName: String?
  /// Rules by which collections and databases get other names; `RenameRules(suffix:)` for a suffix.
  public var renames: RenameRules
  /// Create the indexes of the backup anew.
  public var rebuildIndex: Bool
  /// With `rebuildIndex`: let Milvus choose the type of vector indexes.
  public var useAutoIndex: Bool
  /// Create collections, partitions and, with `rebuildIndex`, indexes, but bring no rows back.
  public var metaOnly: Bool
  /// Drop a target collection that exists. Excludes `skipCreateCollection`.
  public var dropExistingCollection: Bool
  /// Bring the rows back into collections that exist already.
  public var skipCreateCollection: Bool
  /// Drop the indexes of an existing collection first.
  public var dropExistingIndex: Bool
  /// Load what was loaded when the backup was made; creates the indexes too, without which nothing can be loaded.
  public var restoresLoadState: Bool
  /// Give the collections their aliases back.
  public var restoresAliases: Bool
  /// Bring users, roles and grants back that Milvus does not have.
  public var restoresAccessControl: Bool
  /// Go on where an earlier restore of the same backup into the same collections stopped; and keep what is done when
  /// this one fails, so that it can be gone on with.
  public var resume: Bool
  /// Check everything and tell what would be done, but do nothing.
  public var dryRun: Bool
  /// Import by Milvus' REST interface, many segments in a task (Milvus 2.4 and later).
  public var usesREST: Bool

  /// Makes a request.
  public init(
    backup: String, filter: CollectionFilter = .all, newName: String? = nil,
    renames: RenameRules = .none, rebuildIndex: Bool = false, useAutoIndex: Bool = false, metaOnly: Bool = false,
    dropExistingCollection: Bool = false, skipCreateCollection: Bool = false, dropExistingIndex: Bool = false,
    restoresLoadState: Bool = false, restoresAliases: Bool = false, restoresAccessControl: Bool = false,
    resume: Bool = false, dryRun: Bool = false, usesREST: Bool = false
  ) {
    self.backup = backup
    self.filter = filter
    self.newName = newName
    self.renames = renames
    self.rebuildIndex = rebuildIndex
    self.useAutoIndex = useAutoIndex
    self.metaOnly = metaOnly
    self.dropExistingCollection = dropExistingCollection
    self.skipCreateCollection = skipCreateCollection
    self.dropExistingIndex = dropExistingIndex
    self.restoresLoadState = restoresLoadState
    self.restoresAliases = restoresAliases
    self.restoresAccessControl = restoresAccessControl
    self.resume = resume
    self.dryRun = dryRun
    self.usesREST = usesREST
  }
}

/// What a finished restore brought back.
public struct RestoreReport: Sendable, Hashable {
  /// One restored collection.
  public struct Collection: Sendable, Hashable {
    /// Its name in the backup.
    public var source: CollectionName
    /// Its name in Milvus.
    public var target: CollectionName
    /// Rows Milvus says it imported, deletes applied.
    public var rowsRestored: Int64
    /// Rows of the backup before its deletes are applied.
    public var rowsInBackup: Int64
    /// Whether the backup holds deletes for it.
    public var hasDeletes: Bool
  }

  /// Name of the backup.
  public var backup: String
  /// The collections, in the order of the backup.
  public var collections: [Collection]
  /// Whether only the structure was wanted.
  public var metaOnly: Bool
  /// Things that went another way than expected without spoiling the result.
  public var warnings: [String]
  /// Whether nothing was done but to tell what would be.
  public var isDryRun = false

  /// The result in one or two sentences.
  public var summary: String {
    let what =
      collections.count == 1
      ? "\(collections[0].source) was restored as \(collections[0].target)"
      : "\(collections.count) collections were restored"
    if isDryRun { return "Nothing was changed: this is what a restore would do." }
    guard !collections.isEmpty else { return "The backup \(backup) holds no collection; there was nothing to restore." }
    if metaOnly { return "\(what) without rows, as asked for." }
    let restored = collections.reduce(0) { $0 + $1.rowsRestored }
    let saved = collections.reduce(0) { $0 + $1.rowsInBackup }
    let deleted = saved - restored
    let account =
      deleted == 0
      ? "all the backup holds" : "the backup holds \(saved.grouped) rows, of which \(deleted.grouped) are deleted"
    return "\(what): \(restored.grouped) rows, \(account)."
  }
}
