// What one import call of a restore brings back.

/// Directories of a backup which Milvus imports in one go.
public struct ImportUnit: Hashable, Sendable {
  /// What the unit contains.
  public enum Kind: Hashable, Sendable {
    /// Segments with rows, and their deletes.
    case segments
    /// Deletes only, to be imported when all rows are there.
    case deletes
  }

  /// What the unit contains.
  public var kind: Kind
  /// Identifier of the collection in the source.
  public var collectionID: Int64
  /// Identifier of the partition in the source; -1 for deletes which concern all partitions.
  public var partitionID: Int64
  /// Name of the partition; empty for deletes which concern all partitions.
  public var partitionName: String
  /// Directory of the insert logs relative to the backup, ending with a slash; nil in a unit of deletes.
  public var insertDirectory: String?
  /// Directory of the delta logs relative to the backup, ending with a slash; nil if there are none.
  public var deltaDirectory: String?
  /// The segments in these directories.
  public var segmentIDs: [Int64]
  /// Rows the segments hold, deletes not subtracted; zero in a unit of deletes.
  public var rows: Int64
  /// Number of log objects.
  public var objects: Int
  /// Size of the log objects in bytes, as far as the metadata tells it.
  public var bytes: Int64
  /// Virtual channel of the segments; empty if unknown.
  public var vChannel: String
  /// Storage version of the segments.
  public var storageVersion: Int64

  /// Whether the unit has delta logs.
  public var hasDeltas: Bool { deltaDirectory != nil }
}

/// A segment which a restore leaves out.
public struct SkippedSegment: Hashable, Sendable {
  /// Why a segment is left out.
  public enum Reason: Hashable, Sendable {
    /// It has no objects at all; importing an empty directory would fail.
    case empty
    /// It has delta logs but no insert logs, so there is nothing its deletes could apply to.
    case noInsertLogs
  }

  /// Identifier of the segment.
  public var segmentID: Int64
  /// Identifier of its partition in the source.
  public var partitionID: Int64
  /// Rows which the metadata claims for it.
  public var rows: Int64
  /// Why it is left out.
  public var reason: Reason
}
