// One answer to READDIR or READDIRPLUS: directory entries in the kernel's format, as many as fit the buffer it offers.

import BackupFileSystem
import CFUSE
import Glibc

/// Lines of a directory, packed. The buffer is borrowed: a page must not outlive it.
struct DirectoryPage {
  private let buffer: UnsafeMutableBufferPointer<CChar>
  private(set) var used = 0

  init(_ buffer: UnsafeMutableBufferPointer<CChar>) {
    self.buffer = buffer
  }

  /// What was packed so far.
  var contents: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: buffer[..<used]))
  }

  /// Adds a line that carries number and type only.
  /// - Parameter next: where reading goes on after this line.
  /// - Returns: false, and nothing added, when it does not fit.
  mutating func add(_ name: String, inode: InodeNumber, kind: FileKind, next: off_t) -> Bool {
    var figures = stat()
    figures.st_ino = ino_t(inode)
    figures.st_mode = kind.modeBits
    return pack { fuse_add_direntry(nil, $0, $1, name, &figures, next) }
  }

  /// Adds a line with everything a LOOKUP would answer: the kernel takes a reference to the inode.
  /// - Returns: false, and nothing added, when it does not fit.
  mutating func add(_ name: String, entry: Entry, next: off_t) -> Bool {
    var parameters = fuse_entry_param(entry)
    return pack { fuse_add_direntry_plus(nil, $0, $1, name, &parameters, next) }
  }

  /// Adds a line in the format of READDIRPLUS that gives the kernel no reference: `.` and `..`.
  /// - Returns: false, and nothing added, when it does not fit.
  mutating func addWithoutReference(_ name: String, inode: InodeNumber, next: off_t) -> Bool {
    var parameters = fuse_entry_param()
    parameters.attr.st_ino = ino_t(inode)
    parameters.attr.st_mode = FileKind.directory.modeBits
    return pack { fuse_add_direntry_plus(nil, $0, $1, name, &parameters, next) }
  }

  private mutating func pack(_ write: (UnsafeMutablePointer<CChar>?, Int) -> Int) -> Bool {
    guard let start = buffer.baseAddress else { return false }
    let room = buffer.count - used
    let size = write(start + used, room)
    guard size <= room else { return false }
    used += size
    return true
  }
}
