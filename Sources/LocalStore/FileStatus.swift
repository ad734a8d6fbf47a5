// What fstat tells about a file, and the version that follows from it.

import Glibc
import ObjectStore

/// Status of a file.
struct FileStatus: Hashable {
  let mode: mode_t
  let inode: UInt64
  let links: UInt64
  let size: Int64
  /// Times in nanoseconds since 1970.
  let modified, changed: Int64

  init(_ status: stat) {
    mode = status.st_mode
    inode = UInt64(status.st_ino)
    links = UInt64(status.st_nlink)
    size = Int64(status.st_size)
    modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    changed = Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
  }

  var isRegular: Bool { mode & S_IFMT == S_IFREG }
  var isDirectory: Bool { mode & S_IFMT == S_IFDIR }

  /// The version: another file, size, content (modification time) or anything else that was done to it (change time)
  /// gives another one. Renaming another file over it does, too.
  var etag: ETag {
    let parts = [UInt64(bitPattern: size), inode, UInt64(bitPattern: modified), UInt64(bitPattern: changed)]
    return ETag("\"\(parts.map { String($0, radix: 16) }.joined(separator: "-"))\"")
  }

  /// As the store describes it.
  func info(_ key: ObjectKey) -> ObjectInfo {
    ObjectInfo(key: key, size: size, etag: etag, modified: modified / 1_000_000_000)
  }

  /// Whether the content read between this status and a later one of the same descriptor is of one piece. A file that was
  /// replaced meanwhile has lost its name, which changes its change time but not its bytes.
  func hasSameContent(as later: FileStatus) -> Bool {
    size == later.size && modified == later.modified && (changed == later.changed || later.links < links)
  }
}
