// Open files and directories, and the system calls on them. The one file of this target that calls the system.
//
// Invariants: a descriptor is closed exactly once; every failure carries its errno; a call that a signal interrupted is
// made again; no path leaves the directory it is resolved in, and none follows a symbolic link.

import CLocalFiles
import Glibc

/// A system call that failed.
struct SystemFailure: Error, Hashable {
  /// Its errno.
  let number: Int32
  /// Name of the call, such as `fsync`.
  let call: String

  init(_ call: String, _ number: Int32 = errno) {
    self.number = number
    self.call = call
  }

  /// The system's words for it.
  var text: String { "\(String(cString: strerror(number))) (\(call))" }
}

/// An open file or directory, closed when the last reference goes.
final class Descriptor: Sendable {
  private let number: Int32

  private init(adopting number: Int32) { self.number = number }

  deinit { close(number) }

  /// Makes a system call on the descriptor, which stays open meanwhile.
  private func call<Value: SignedInteger>(
    _ name: String, _ body: (Int32) -> Value
  ) throws(SystemFailure) -> Value {
    let number = number
    defer { withExtendedLifetime(self) {} }
    return try systemCall(name) { body(number) }
  }

  /// Opens a directory by its absolute path; symbolic links on the way are followed.
  static func directory(_ path: String) throws(SystemFailure) -> Descriptor {
    Descriptor(adopting: try systemCall("open") { clocalfiles_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
  }

  /// Opens what lies below this directory.
  func open(_ path: String, _ flags: Int32, mode: mode_t = 0) throws(SystemFailure) -> Descriptor {
    Descriptor(
      adopting: try call("openat2") { number in
        clocalfiles_open_beneath(number, path, flags | O_CLOEXEC | O_NOCTTY, mode)
      })
  }

  /// Opens a directory below this one; an empty path is this one.
  func openDirectory(_ path: String) throws(SystemFailure) -> Descriptor {
    try open(path.isEmpty ? "." : path, O_RDONLY | O_DIRECTORY)
  }

  /// Opens a directory below this one; nil when there is none, links not counting as one.
  func openDirectoryIfPresent(_ path: String) throws(SystemFailure) -> Descriptor? {
    do throws(SystemFailure) {
      return try openDirectory(path)
    } catch  where [ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG].contains(error.number) {
      return nil
    }
  }

  /// Opens a regular file below this directory for reading.
  /// - Throws: also `EISDIR` for anything that is not a regular file.
  func openFile(_ path: String) throws(SystemFailure) -> Descriptor {
    // Without O_NONBLOCK the open of a named pipe would wait for its other end.
    let file = try open(path, O_RDONLY | O_NONBLOCK)
    guard try file.status().isRegular else { throw SystemFailure("openat2", EISDIR) }
    return file
  }

  func status() throws(SystemFailure) -> FileStatus {
    var status = stat()
    _ = try call("fstat") { number in fstat(number, &status) }
    return FileStatus(status)
  }

  /// Status of an entry of this directory itself, not of what it may point to.
  func status(of name: String) throws(SystemFailure) -> FileStatus {
    var status = stat()
    _ = try call("fstatat") { number in fstatat(number, name, &status, AT_SYMLINK_NOFOLLOW) }
    return FileStatus(status)
  }

  /// Makes what was written or renamed durable.
  func sync() throws(SystemFailure) { _ = try call("fsync") { number in fsync(number) } }

  func makeDirectory(_ name: String) throws(SystemFailure) {
    _ = try call("mkdirat") { number in mkdirat(number, name, 0o777) }
  }

  func removeFile(_ name: String) throws(SystemFailure) {
    _ = try call("unlinkat") { number in unlinkat(number, name, 0) }
  }

  func removeFileIfPresent(_ name: String) throws(SystemFailure) {
    do throws(SystemFailure) {
      try removeFile(name)
    } catch {
      guard error.number == ENOENT else { throw error }
    }
  }

  func removeDirectory(_ name: String) throws(SystemFailure) {
    _ = try call("rmdir") { number in unlinkat(number, name, AT_REMOVEDIR) }
  }

  /// Renames within this directory, replacing a file of the new name.
  func rename(_ from: String, to name: String) throws(SystemFailure) {
    _ = try call("rename") { number in renameat(number, from, number, name) }
  }

  /// Renames within this directory.
  /// - Throws: `EEXIST` when the name is taken; nothing is changed then.
  func rename(_ from: String, toAbsent name: String) throws(SystemFailure) {
    do throws(SystemFailure) {
      _ = try call("renameat2") { number in clocalfiles_rename_if_absent(number, from, name) }
    } catch  where error.number == EINVAL || error.number == ENOSYS {
      // Network file systems do not know the flag; a hard link is as atomic.
      _ = try call("linkat") { number in linkat(number, from, number, name, 0) }
      try removeFile(from)
    }
  }

  /// Sets access and modification time to now, as exactly as the clock tells: the kernel's own stamps of two writes may
  /// be equal.
  func touch() throws(SystemFailure) {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let times = [now, now]
    _ = try call("futimens") { number in futimens(number, times) }
  }

  /// Reads at most so many bytes.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SystemFailure) -> Int {
    try call("pread") { number in pread(number, buffer.baseAddress, buffer.count, off_t(offset)) }
  }

  /// Writes all bytes.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(SystemFailure) {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      done += try call("pwrite") { number in pwrite(number, rest.baseAddress, rest.count, off_t(offset) + off_t(done)) }
    }
  }

  /// Copies at most so many bytes of another file without their passing through this process.
  func copy(
    from source: Descriptor, at sourceOffset: Int64, to offset: Int64, count: Int
  ) throws(SystemFailure) -> Int {
    let from = source.number
    defer { withExtendedLifetime(source) {} }
    return try call("copy_file_range") { number in clocalfiles_copy_range(from, sourceOffset, number, offset, count) }
  }

  /// Names in this directory, without `.` and `..`, in no order. Names that are not UTF-8 cannot be part of a key and
  /// are left out.
  func entries() throws(SystemFailure) -> [DirectoryEntry] {
    // A stream owns its descriptor and its position, so it gets one of its own.
    let copy = try call("openat2") { number in
      clocalfiles_open_beneath(number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
    }
    guard let stream = fdopendir(copy) else {
      let failure = SystemFailure("fdopendir")
      close(copy)
      throw failure
    }
    defer { closedir(stream) }
    var entries: [DirectoryEntry] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        guard errno == 0 else { throw SystemFailure("readdir") }
        return entries
      }
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
      }
      guard let name, name != ".", name != ".." else { continue }
      switch Int(entry.pointee.d_type) {
      case DT_REG: entries.append(DirectoryEntry(name: name, isDirectory: false))
      case DT_DIR: entries.append(DirectoryEntry(name: name, isDirectory: true))
      case DT_UNKNOWN:
        // Some file systems do not tell.
        guard let status = try? status(of: name), status.isRegular || status.isDirectory else { continue }
        entries.append(DirectoryEntry(name: name, isDirectory: status.isDirectory))
      default: continue
      }
    }
  }
}

/// A file or directory in a directory; nothing else is ever an object.
struct DirectoryEntry {
  let name: String
  let isDirectory: Bool
}

/// Makes a system call, again while signals interrupt it.
private func systemCall<Value: SignedInteger>(_ name: String, _ body: () -> Value) throws(SystemFailure) -> Value {
  while true {
    let result = body()
    if result >= 0 { return result }
    let number = errno
    guard number == EINTR else { throw SystemFailure(name, number) }
  }
}
