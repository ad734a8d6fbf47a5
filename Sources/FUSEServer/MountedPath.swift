// Unmounting what another process serves: `umount` on the command line.

import Glibc

/// A mount point of this program, whoever serves it.
public struct MountedPath: Sendable {
  /// Absolute path of the mount point.
  public let path: String

  /// Finds the mount at a path.
  /// - Parameter subtype: what this program's mounts are of; others are refused.
  /// - Throws: `MountError` `.wrongState` when nothing, or something else, is mounted there.
  public init(_ given: String, subtype: String) throws(MountError) {
    // Resolving the mount point itself would ask a server that may be dead; its parent is enough.
    var trimmed = given
    while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
    let cut = trimmed.lastIndex(of: "/")
    let parent = cut.map { $0 == trimmed.startIndex ? "/" : String(trimmed[..<$0]) } ?? "."
    let name = cut.map { String(trimmed[trimmed.index(after: $0)...]) } ?? trimmed
    guard let resolved = realpath(parent, nil) else {
      throw MountError(.missing, given, "\(given) does not exist.")
    }
    defer { free(resolved) }
    let directory = String(cString: resolved)
    let path = directory == "/" ? "/\(name)" : "\(directory)/\(name)"
    guard let mount = MountTable.current().top(at: path) else {
      throw MountError(.wrongState, given, "Nothing is mounted on \(given).")
    }
    guard mount.type == "fuse.\(subtype)" else {
      throw MountError(
        .wrongState, given, "\(given) is a mount of another program (type \(mount.type)); unmount it with umount.")
    }
    self.path = path
  }

  /// Waits until what was closed is durable.
  /// - Throws: `MountError` `.failed` when some of it never will be; a mount whose server is gone has nothing to wait for.
  public func synchronize() throws(MountError) {
    let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { return }
    defer { close(directory) }
    guard fsync(directory) != 0, errno != ENOTCONN else { return }
    throw MountError(
      .failed, path,
      "Files on \(path) that were closed could not be published (\(text(of: errno))): the daemon's log names them. It is "
        + "still mounted; write them again, or unmount it without them by asking once more.")
  }

  /// Unmounts it.
  /// - Parameter lazily: takes it out of sight at once, even while it is in use.
  /// - Throws: `MountError` `.busy` while it is in use.
  public func unmount(lazily: Bool = false) throws(MountError) {
    let message: String
    if geteuid() == 0 {
      if umount2(path, lazily ? UnmountFlags.detach : 0) == 0 { return }
      message = text(of: errno)
    } else {
      guard let failure = HelperProgram.unmount(path, lazily: lazily) else { return }
      message = failure
    }
    guard message.contains(text(of: EBUSY)) else {
      throw MountError(.failed, path, "Unmounting \(path) failed: \(message).")
    }
    throw MountError(
      .busy, path,
      "\(path) is in use: files on it are open, or a process has its working directory there (see: fuser -vm \(path)). "
        + "Let them finish and try again.")
  }
}
