// What to save, what was decided about it, and what came of it.

import BackupFormat

/// A request for a backup.
public struct CreateRequest: Sendable, Hashable {
  /// Name of the backup; nil for `backup_YYYY_MM_DD_HH_MM_SS_<nanosecond>` in UTC.
  public var name: String?
  /// Which databases and collections.
  public var filter: CollectionFilter
  /// Save schemas, partitions and index descriptions, but no rows.
  public var metaOnly: Bool
  /// Do not flush: save what Milvus has written to its object store by now.
  public var skipFlush: Bool

  /// Makes a request.
  public init(
    name: String? = nil, filter: CollectionFilter = .all, metaOnly: Bool = false, skipFlush: Bool = false
  ) {
    self.name = name
    self.filter = filter
    self.metaOnly = metaOnly
    self.skipFlush = skipFlush
  }
}

/// A request for a backup that passed all checks. Nothing has been written yet.
public struct CreatePlan: Sendable {
  /// Name of the backup.
  public let name: String
  /// The collections to save, in the order they are listed in the backup.
  public let collections: [CollectionName]
  /// The databases to name in the backup.
  public let databases: [String]

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

  /// The result in one sentence.
  public var summary: String {
    let what = collections.count == 1 ? "collection \(collections[0])" : "\(collections.count) collections"
    return """
      The backup \(name) is complete: \(what), \(rows.grouped) rows (deleted ones included), \
      \(objects.grouped) objects with \(bytes.grouped) bytes.
      """
  }
}
