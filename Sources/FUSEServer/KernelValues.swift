// The one place where values of the border become the kernel's structures and the kernel's flags become option sets.

import BackupFileSystem
import CFUSE
import Glibc

/// File type bits of `st_mode` (inode(7)); the C macros are ambiguous in Swift.
private enum ModeBits {
  static let directory: mode_t = 0o040000
  static let file: mode_t = 0o100000
  static let permissions: mode_t = 0o7777
}

/// Flags of renameat2(2); glibc shows them only to GNU sources.
private enum RenameFlags {
  static let noReplace: UInt32 = 1 << 0
  static let exchange: UInt32 = 1 << 1
}

extension FileKind {
  /// The type bits of `st_mode`, which also tell READDIR the type of an entry.
  var modeBits: mode_t {
    switch self {
    case .directory: ModeBits.directory
    case .file: ModeBits.file
    }
  }
}

extension stat {
  /// What `stat` shows. Blocks are never fewer than the size needs: cp takes a file with fewer for a sparse one and
  /// leaves its fast path. The preferred size of a request is the largest that FUSE can carry.
  init(_ attributes: Attributes) {
    self.init()
    st_ino = ino_t(attributes.inode)
    st_mode = attributes.kind.modeBits | mode_t(attributes.permissions) & ModeBits.permissions
    st_nlink = attributes.kind == .directory ? 2 : 1
    st_uid = attributes.owner
    st_gid = attributes.group
    st_size = off_t(attributes.size)
    st_blksize = 1 << 20
    st_blocks = blkcnt_t((attributes.size >> 9) + (attributes.size & 511 == 0 ? 0 : 1))
    st_mtim = timespec(tv_sec: Int(attributes.modified.seconds), tv_nsec: Int(attributes.modified.nanoseconds))
    st_atim = st_mtim
    st_ctim = st_mtim
  }
}

extension fuse_entry_param {
  init(_ entry: Entry) {
    self.init()
    ino = entry.attributes.inode
    attr = stat(entry.attributes)
    attr_timeout = entry.timeToLive
    entry_timeout = entry.timeToLive
  }
}

extension fuse_file_info {
  init(_ opened: OpenedFile) {
    self.init()
    fh = opened.handle
    direct_io = opened.usesDirectIO ? 1 : 0
    keep_cache = opened.keepsCache ? 1 : 0
    noflush = opened.skipsFlush ? 1 : 0
  }
}

extension statvfs {
  init(_ statistics: FileSystemStatistics) {
    self.init()
    f_bsize = UInt(statistics.blockSize)
    f_frsize = UInt(statistics.blockSize)
    f_blocks = fsblkcnt_t(statistics.blocks)
    f_bfree = fsblkcnt_t(statistics.freeBlocks)
    f_bavail = fsblkcnt_t(statistics.freeBlocks)
    f_files = fsfilcnt_t(statistics.files)
    f_ffree = fsfilcnt_t(statistics.files)
    f_namemax = UInt(statistics.longestName)
  }
}

extension OpenOptions {
  /// From the flags of open(2).
  init(openFlags flags: Int32) {
    switch flags & O_ACCMODE {
    case O_WRONLY: self = .write
    case O_RDWR: self = [.read, .write]
    default: self = .read
    }
    if flags & O_TRUNC != 0 { insert(.truncate) }
    if flags & O_APPEND != 0 { insert(.append) }
    if flags & O_EXCL != 0 { insert(.exclusive) }
  }
}

extension RenameOptions {
  /// From the flags of renameat2(2); nil when one of them is unknown.
  init?(renameFlags flags: UInt32) {
    guard flags & ~(RenameFlags.noReplace | RenameFlags.exchange) == 0 else { return nil }
    self = []
    if flags & RenameFlags.noReplace != 0 { insert(.noReplace) }
    if flags & RenameFlags.exchange != 0 { insert(.exchange) }
  }
}

extension AttributeChanges {
  /// From what SETATTR carries; times of access and of change are not kept.
  init(_ attributes: stat, mask: Int32) {
    self.init()
    if mask & FUSE_SET_ATTR_SIZE != 0 { size = Int64(attributes.st_size) }
    if mask & FUSE_SET_ATTR_MODE != 0 { permissions = UInt16(attributes.st_mode & ModeBits.permissions) }
    if mask & FUSE_SET_ATTR_UID != 0 { owner = attributes.st_uid }
    if mask & FUSE_SET_ATTR_GID != 0 { group = attributes.st_gid }
    if mask & FUSE_SET_ATTR_MTIME_NOW != 0 {
      modified = Timestamp.now
    } else if mask & FUSE_SET_ATTR_MTIME != 0 {
      modified = Timestamp(attributes.st_mtim)
    }
  }
}

extension Timestamp {
  init(_ time: timespec) {
    self.init(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
  }

  /// The time of the system's clock.
  static var now: Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(time)
  }
}

/// Permission bits of a new file or directory, from which the kernel has taken the umask.
func permissions(of mode: mode_t) -> UInt16 {
  UInt16(mode & ModeBits.permissions)
}
