// The keys of log objects: the part of a key below the root, as numbers.
//
// Invariants: a path is parsed only if it is spelled exactly as this type would build it (no leading zeros, no signs
// but that of partition -1), so that paths and values correspond one to one.

/// Identifies a log object of a segment, in a backup and in the Milvus instance it was taken from.
///
/// In a Milvus root: `insert_log/<collection>/<partition>/<segment>/<field>/<log>` and
/// `delta_log/<collection>/<partition>/<segment>/<log>`. In a backup the same below `binlogs/`, with the group between
/// partition and segment unless it is zero. (milvus-backup format)
public struct LogKey: Hashable, Sendable {
  /// What a log object contains.
  public enum Kind: String, Hashable, Sendable {
    /// Values of one field, or of one column group.
    case insert = "insert_log"
    /// Deleted primary keys.
    case delta = "delta_log"
  }

  /// What the object contains.
  public var kind: Kind
  /// Identifier of the collection.
  public var collectionID: Int64
  /// Identifier of the partition; -1 for deletes that concern all partitions.
  public var partitionID: Int64
  /// The group in a backup; zero for none.
  public var groupID: Int64
  /// Identifier of the segment.
  public var segmentID: Int64
  /// Identifier of the field or column group; zero in delta logs.
  public var fieldID: Int64
  /// Identifier of the log.
  public var logID: Int64

  /// Makes the key of an insert log.
  public static func insert(
    collectionID: Int64, partitionID: Int64, groupID: Int64, segmentID: Int64, fieldID: Int64, logID: Int64
  ) -> LogKey {
    LogKey(
      kind: .insert, collectionID: collectionID, partitionID: partitionID, groupID: groupID, segmentID: segmentID,
      fieldID: fieldID, logID: logID)
  }

  /// Makes the key of a delta log.
  public static func delta(
    collectionID: Int64, partitionID: Int64, groupID: Int64, segmentID: Int64, logID: Int64
  ) -> LogKey {
    LogKey(
      kind: .delta, collectionID: collectionID, partitionID: partitionID, groupID: groupID, segmentID: segmentID,
      fieldID: 0, logID: logID)
  }

  /// Path relative to the backup directory, beginning with `binlogs/`.
  public var backupPath: String {
    "\(segmentDirectory)/\(leaf)"
  }

  /// Key in the bucket of the Milvus instance whose root is `rootPath`.
  public func milvusKey(rootPath: String) -> String {
    ObjectPath.join(rootPath, "\(kind.rawValue)/\(collectionID)/\(partitionID)/\(segmentID)/\(leaf)")
  }

  /// Prefix, ending with a slash, of the logs of one segment in the bucket of the Milvus instance.
  public static func milvusDirectory(
    _ kind: Kind, rootPath: String, collectionID: Int64, partitionID: Int64, segmentID: Int64
  ) -> String {
    ObjectPath.join(rootPath, "\(kind.rawValue)/\(collectionID)/\(partitionID)/\(segmentID)") + "/"
  }

  /// Path relative to the backup directory of the directory of the segment, without a slash at its end.
  public var segmentDirectory: String {
    let group = groupID == 0 ? "" : "\(groupID)/"
    return "binlogs/\(kind.rawValue)/\(collectionID)/\(partitionID)/\(group)\(segmentID)"
  }

  private var leaf: String {
    kind == .insert ? "\(fieldID)/\(logID)" : "\(logID)"
  }
}
