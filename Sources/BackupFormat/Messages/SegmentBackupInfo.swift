// A segment of a backup: the unit that is copied and imported.
//
// There may be millions of these in one backup, so the stored fields are kept to what the format has.

/// One segment and the log objects it consists of.
public struct SegmentBackupInfo: FieldVisitable {
  /// Identifier in the source server; part of the object keys.
  public var segmentID: Int64 = 0
  /// Identifier of the collection it belongs to.
  public var collectionID: Int64 = 0
  /// Identifier of the partition it belongs to; ``allPartitions`` for a delete-only segment of the whole collection.
  public var partitionID: Int64 = 0
  /// Rows as the server counted them; deletes are not subtracted.
  public var numOfRows: Int64 = 0
  /// Insert logs, by field (or by column group for storage version 2 and later), in no particular order.
  public var binlogs: [FieldBinlog] = []
  /// Never filled; kept for reading.
  public var statslogs: [FieldBinlog] = []
  /// Delta logs. The field id means nothing here, except in backups of 0.4, see ``FieldBinlog``.
  public var deltalogs: [FieldBinlog] = []
  /// Size in bytes of all objects found in the segment's directories of the source.
  public var size: Int64 = 0
  /// The extra path element between partition and segment; zero if the object keys have none.
  public var groupID: Int64 = 0
  /// Set after the copy by versions 0.4; of no meaning.
  public var backuped = false
  /// Whether the segment holds deletes only. Backups of 0.4 set this on every segment without insert logs.
  public var isL0 = false
  /// Virtual channel; only known if the server's REST interface answered.
  public var vChannel = ""
  /// 0 or 1 for one file per field, 2 and 3 for packed column groups.
  public var storageVersion: Int64 = 0

  /// The partition id of delete-only segments that concern all partitions of a collection.
  public static let allPartitions: Int64 = -1

  /// Makes a segment description whose fields are all zero.
  public init() {}

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("segment_id", &segmentID)
    try visitor.field("collection_id", &collectionID)
    try visitor.field("partition_id", &partitionID)
    try visitor.field("num_of_rows", &numOfRows)
    try visitor.field("binlogs", &binlogs)
    try visitor.field("statslogs", &statslogs)
    try visitor.field("deltalogs", &deltalogs)
    try visitor.field("size", &size, always: true)
    try visitor.field("group_id", &groupID)
    try visitor.field("backuped", &backuped)
    try visitor.field("is_l0", &isL0)
    try visitor.field("v_channel", &vChannel)
    try visitor.field("storage_version", &storageVersion)
  }
}
