// What to bring back, what was decided about it, and what came of it.

import BackupFormat

/// A request to bring collections of a backup back into Milvus.
public struct RestoreRequest: Sendable, Hashable {
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

  /// Makes a request.
  public init(
    backup: String, filter: CollectionFilter = .all, newName: String? = nil,
    renames: RenameRules = .none, rebuildIndex: Bool = false, useAutoIndex: Bool = false, metaOnly: Bool = false,
    dropExistingCollection: Bool = false, skipCreateCollection: Bool = false
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

  /// The result in one or two sentences.
  public var summary: String {
    let what =
      collections.count == 1
      ? "\(collections[0].source) was restored as \(collections[0].target)"
      : "\(collections.count) collections were restored"
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
