// One store as the mount shows it: a directory whose children are the backups below a prefix of a bucket.

import ObjectStore

/// A store's directory in the mount.
public struct MountedStore: Sendable {
  /// The directory's name: the configuration file's.
  public let name: String
  /// Where the objects are.
  public let objects: any ObjectStore
  /// What every key begins with: the backup root with a trailing `/`, or empty.
  public let prefix: ObjectKey
  /// Whether everything that would change it is refused with EROFS.
  public var isReadOnly = false

  /// Describes a store's directory.
  /// - Parameter root: `backupRootPath`, without slashes at its ends; empty for the whole bucket.
  public init(name: String, objects: any ObjectStore, root: String) {
    self.name = name
    self.objects = objects
    prefix = ObjectKey(root.isEmpty ? "" : root + "/")
  }
}
