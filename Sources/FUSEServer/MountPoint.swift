// Everything that can be found wrong before mounting, each with its own sentence: what the kernel and fusermount3 say
// afterwards is much poorer.

import CFUSE
import Glibc

/// A place to mount on.
struct MountPoint {
  /// As the user gave it, for messages.
  let given: String
  /// Absolute, without links.
  let path: String

  /// Checks a mount point.
  init(checking options: MountOptions) throws(MountError) {
    given = options.mountPoint
    if options.replacesStale { try Self.removeStale(given, subtype: options.subtype) }
    path = try Self.resolve(given)
    try Self.checkIsEmpty(given, path)
    try Self.checkSystem(given, path, allowOther: options.allowOther)
  }

  /// The FUSE server of the mount at a path is gone. Figures of a file system are never cached, unlike attributes.
  static func isDead(_ path: String) -> Bool {
    var figures = statvfs()
    return statvfs(path, &figures) != 0 && (errno == ENOTCONN || errno == ECONNABORTED)
  }

  /// Removes mounts of this program whose servers are gone; several may lie on top of each other.
  private static func removeStale(_ given: String, subtype: String) throws(MountError) {
    while let mount = try? MountedPath(given, subtype: subtype), isDead(mount.path) {
      try mount.unmount(lazily: true)
    }
  }

  private static func resolve(_ given: String) throws(MountError) -> String {
    var status = stat()
    if stat(given, &status) != 0 {
      switch errno {
      case ENOENT:
        throw MountError(
          .missing, given, "The mount point \(given) does not exist. Make it with: mkdir -p \(given)")
      case ENOTCONN, ECONNABORTED:
        throw .stale(given)
      case ENOTDIR:
        throw MountError(.notDirectory, given, "A part of the mount point's path \(given) is not a directory.")
      case EACCES:
        throw MountError(
          .notPermitted, given,
          "The mount point \(given) cannot be reached: permission denied. It may lie in a directory of another user, "
            + "or be a FUSE mount of another user.")
      case let code:
        throw MountError(.failed, given, "The mount point \(given) cannot be examined: \(text(of: code)).")
      }
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw MountError(.notDirectory, given, "The mount point \(given) is not a directory. Choose an empty directory.")
    }
    guard let resolved = realpath(given, nil) else {
      throw MountError(.failed, given, "The path of the mount point \(given) cannot be resolved: \(text(of: errno)).")
    }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  private static func checkIsEmpty(_ given: String, _ path: String) throws(MountError) {
    if let mount = MountTable.current().top(at: path) {
      if mount.isFUSE, isDead(path) { throw .stale(given) }
      throw MountError(
        .alreadyMounted, given,
        "Something is mounted on \(given) already: \(mount.source), type \(mount.type). Unmount it first "
          + "(\(mount.isFUSE ? "fusermount3 -u" : "umount") \(path)), or choose a directory that is no mount point.")
    }
    guard let directory = opendir(path) else {
      throw MountError(
        errno == EACCES ? .notPermitted : .failed, given,
        "The mount point \(given) cannot be read: \(text(of: errno)).")
    }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { name in
        String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard name == "." || name == ".." else {
        throw MountError(
          .notEmpty, given,
          "The mount point \(given) is not empty (it holds \(name)): what is in it would be hidden. Choose an empty "
            + "directory.")
      }
    }
  }

  private static func checkSystem(_ given: String, _ path: String, allowOther: Bool) throws(MountError) {
    if access("/dev/fuse", F_OK) != 0 {
      throw MountError(
        .deviceMissing, given,
        "The device /dev/fuse does not exist. Load the kernel module (modprobe fuse); in a container, start it with "
          + "--device /dev/fuse --cap-add SYS_ADMIN.")
    }
    guard geteuid() != 0 else { return }
    if HelperProgram.path == nil {
      throw MountError(
        .helperMissing, given,
        "The program fusermount3, by which users other than root mount, is not installed. Install the package fuse3.")
    }
    if access(path, W_OK) != 0 {
      throw MountError(
        .notPermitted, given,
        "The mount point \(given) is not writable for you; fusermount3 mounts only on directories that are. Choose one "
          + "that you own.")
    }
    if allowOther, !HelperProgram.allowsOther {
      throw MountError(
        .notPermitted, given,
        "Access for other users is not allowed to users on this system. Add the line user_allow_other to "
          + "/etc/fuse.conf, or do without it.")
    }
  }
}

extension MountError {
  init(_ reason: Reason, _ mountPoint: String, _ description: String) {
    self.reason = reason
    self.mountPoint = mountPoint
    self.description = description
  }

  /// The mount of a server that is gone.
  static func stale(_ mountPoint: String) -> MountError {
    MountError(
      .stale, mountPoint,
      "A FUSE file system whose server is gone is still mounted on \(mountPoint) (\"Transport endpoint is not "
        + "connected\"). Mount with --replace, or remove it with: fusermount3 -u \(mountPoint)")
  }
}

/// What the C library calls an error.
func text(of errno: Int32) -> String {
  var buffer = [CChar](repeating: 0, count: 128)
  guard strerror_r(errno, &buffer, buffer.count) == 0 else { return "error \(errno)" }
  return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
