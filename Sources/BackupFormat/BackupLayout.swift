// Where the parts of a backup are in the object store.
//
// Keys are built as `path.Join` of Go, the language of milvus-backup, builds them: without empty elements, never beginning or ending with a slash.
// Directories are prefixes and end with one.

/// The keys of one backup below the backup root of a bucket.
public struct BackupLayout: Hashable, Sendable {
  /// The backup root without slashes at its ends; empty if backups lie at the top of the bucket.
  public let rootPath: String
  /// Name of the backup.
  public let backupName: String

  /// Makes the layout of the backup `backupName` below `rootPath`, which is cleaned.
  public init(rootPath: String, backupName: String) {
    self.rootPath = ObjectPath.clean(rootPath)
    self.backupName = backupName
  }

  /// Prefix of all keys of the backup, ending with a slash.
  public var directory: String { ObjectPath.join(rootPath, backupName) + "/" }

  /// Key of the object whose path relative to the backup directory is `path`.
  public func key(_ path: String) -> String { ObjectPath.join(rootPath, backupName, path) }

  /// Key of a metadata file.
  public func key(_ file: MetaFile) -> String { key(file.path) }

  /// Key of a log object.
  public func key(_ log: LogKey) -> String { key(log.backupPath) }

  /// Path relative to the backup directory of the object `key`, nil if the key lies outside.
  public func path(ofKey key: String) -> String? {
    let directory = directory
    guard key.utf8.starts(with: directory.utf8) else { return nil }
    return String(decoding: key.utf8.dropFirst(directory.utf8.count), as: UTF8.self)
  }

  /// Prefix for listing the backups below a root; empty for an empty root.
  public static func listingPrefix(rootPath: String) -> String {
    let root = ObjectPath.clean(rootPath)
    return root.isEmpty ? "" : root + "/"
  }

  /// Rank of a path relative to the backup in the order in which a backup must be copied.
  ///
  /// Data comes first, then the metadata: a copy that was cut short has none and is taken for a backup by nobody.
  /// backup_meta.json, by whose existence the official tool recognises a backup, is next to last and full_meta.json,
  /// which alone tells all, is last.
  ///
  /// - Returns: 0 for data and everything unknown, 1 for the directory `meta` and its files, 2 for backup_meta.json, 3
  ///   for full_meta.json.
  public static func copyRank(ofPath path: String) -> Int {
    let path = ObjectPath.clean(path)
    if path == MetaFile.full.path { return 3 }
    if path == MetaFile.backup.path { return 2 }
    return path == "meta" || path.utf8.starts(with: "meta/".utf8) ? 1 : 0
  }
}
