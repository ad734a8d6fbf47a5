// A partition of a backed-up collection.

/// One partition of a collection.
public struct PartitionBackupInfo: FieldVisitable {
  /// Identifier in the source server; part of the object keys.
  public var partitionID: Int64 = 0
  /// Name of the partition; `_default` for the one every collection has.
  public var partitionName = ""
  /// Identifier of the collection it belongs to.
  public var collectionID: Int64 = 0
  /// The segments with data in this partition.
  public var segmentBackups: [SegmentBackupInfo] = []
  /// Sum of the segment sizes in bytes.
  public var size: Int64 = 0
  /// Load state, in the words of ``CollectionBackupInfo/loadState``.
  public var loadState = ""

  /// Makes a partition description whose fields are all zero.
  public init() {}

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("partition_id", &partitionID)
    try visitor.field("partition_name", &partitionName)
    try visitor.field("collection_id", &collectionID)
    try visitor.field("segment_backups", &segmentBackups)
    try visitor.field("size", &size, always: true)
    try visitor.field("load_state", &loadState)
  }
}
