// The files below `meta/` of a backup.

/// A metadata file of a backup.
public enum MetaFile: String, CaseIterable, Sendable {
  /// The scalars of the backup; for the official tool its existence means that the backup exists.
  case backup = "backup_meta.json"
  /// The list of collections.
  case collection = "collection_meta.json"
  /// The list of partitions of all collections.
  case partition = "partition_meta.json"
  /// The list of segments of all partitions.
  case segment = "segment_meta.json"
  /// Everything in one tree; written last and read first. Backups made before July 2023 do not have it.
  case full = "full_meta.json"
  /// Channel positions, written by versions 0.4.13 to 0.5.9 and read by nobody.
  case channelCheckpoint = "channel_cp_meta.json"

  /// Name of the file.
  public var fileName: String { rawValue }

  /// Path relative to the backup directory.
  public var path: String { "meta/\(rawValue)" }

  /// The files of a backup in the order in which they must be written.
  public static let writeOrder: [MetaFile] = [.backup, .collection, .partition, .segment, .full]

  /// The files that together replace a missing ``full``.
  public static let levels: [MetaFile] = [.backup, .collection, .partition, .segment]
}
