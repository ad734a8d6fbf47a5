// The requests of the kernel that are answered here, by their names in the log.

/// What the kernel asks.
enum Operation: String, Sendable, Hashable {
  case lookup, getattr, setattr, mkdir, rmdir, unlink, rename, symlink, link, mknod
  case create, open, read, write, flush, fsync, release
  case copyFileRange = "copy_file_range"
  case opendir, readdir, readdirplus, releasedir, fsyncdir, statfs

  /// It changes nothing: without somebody who waits for the answer there is no point in going on.
  var isQuestion: Bool {
    switch self {
    case .lookup, .getattr, .open, .read, .opendir, .readdir, .readdirplus, .statfs: true
    default: false
    }
  }
}
