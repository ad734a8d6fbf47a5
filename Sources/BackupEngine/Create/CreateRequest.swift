// What to save, what was decided about it, and what came of it.

import BackupFormat

/// A request for a backup.
public struct CreateRequest: Sendable, Hashable {
  /// Name of the backup; nil for `backup_YYYY_MM_DD_HH_MM_SS_<nanosecond>` in UTC.
  public var name: String?
  /// Which databases and collections.
  public var filter: CollectionFilter
  /// How rows get into the backup.
  public var strategy: CreateStrategy
  /// Save users, roles and grants too.
  public var rbac: Bool
  /// Go on with a backup of this name that was not finished, and keep what was copied when this one fails, too.
  public var resume: Bool

  /// Makes a request.
  public init(
    name: String? = nil, filter: CollectionFilter = .all, strategy: CreateStrategy = .serialFlush, rbac: Bool = false,
    resume: Bool = false
  ) {
    self.name = name
    self.filter = filter
    self.strategy = strategy
    self.rbac = rbac
    self.resume = resume
  }
}

/// How rows get into a backup; the words are milvus-backup's.
public enum CreateStrategy: String, Sendable, Hashable, CaseIterable {
  /// Schemas, partitions and descriptions of indexes, but no rows.
  case metaOnly = "meta_only"
  /// No flush: what Milvus has written to its object store by now.
  case skipFlush = "skip_flush"
  /// Each collection is flushed before it is saved.
  case serialFlush = "serial_flush"
  /// Everything in the server is flushed once, before the first collection is saved (Milvus 2.6.11 and later).
  case bulkFlush = "bulk_flush"
}

/// A request for a backup that passed all checks. Nothing has been written yet.
public struct CreatePlan: Sendable {
  /// Name of the backup.
  public let name: String
  /// The collections to save, in the order they are listed in the backup.
  public let collections: [CollectionName]
  /// The databases to name in the backup.
  public let databases: [String]
  /// Users, roles and grants, if they were asked for.
  let accessControl: RBACMeta?
  /// What an unfinished backup of this name has left.
  let remains: Remains

  let request: CreateRequest
  let context: EngineContext
}

/// What a finished backup holds.
public struct CreateReport: Sendable, Hashable {
  /// Name of the backup.
  public var name: String
  /// The collections saved.
  public var collections: [CollectionName]
  /// Segments saved.
  public var segments: Int
  /// Log objects copied, metadata not counted.
  public var objects: Int
  /// Bytes of those objects.
  public var bytes: Int64
  /// Rows as Milvus counts them, deleted ones not subtracted.
  public var rows: Int64
  /// Things that went another way than expected without spoiling the backup.
  public var warnings: [String]
  /// The collections that could not be saved, and why; whole sentences.
  public var failures: [CollectionFailure]

  /// The result in one sentence.
  public var summary: String {
    let what = collections.count == 1 ? "collection \(collections[0])" : "\(collections.count) collections"
    let sums = """
      \(rows.grouped) rows (deleted ones included), \(objects.grouped) objects with \(bytes.grouped) bytes
      """
    guard !failures.isEmpty else { return "The backup \(name) is complete: \(what), \(sums)." }
    return """
      The backup \(name) is partial: it holds \(what), \(sums), and lacks \(failures.count.counted("collection")) that \
      could not be saved: \(failures.map(\.collection).listed()).
      """
  }
}

/// A collection that could not be saved.
public struct CollectionFailure: Sendable, Hashable {
  /// Its name.
  public var collection: CollectionName
  /// Why, in whole sentences.
  public var reason: String
}
