// The parent of each directory the kernel knows, for the inode number of `..` in listings.

import BackupFileSystem
import Synchronization

/// Parents of directories. A directory that is moved keeps its old parent here until it is looked up again.
final class DirectoryParents: Sendable {
  private static let root: InodeNumber = 1
  private let parents = Mutex<[InodeNumber: InodeNumber]>([:])

  /// Notes what the kernel is about to learn.
  func note(_ attributes: Attributes, in parent: InodeNumber) {
    guard attributes.kind == .directory, attributes.inode != Self.root else { return }
    parents.withLock { $0[attributes.inode] = parent }
  }

  /// Drops an inode that the kernel forgot.
  func drop(_ inode: InodeNumber) {
    parents.withLock { _ = $0.removeValue(forKey: inode) }
  }

  /// The parent; the directory itself for the root and for one that is not known.
  func parent(of directory: InodeNumber) -> InodeNumber {
    parents.withLock { $0[directory] ?? directory }
  }
}
