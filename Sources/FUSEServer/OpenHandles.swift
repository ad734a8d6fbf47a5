// What is open, so that every handle is released exactly once: by the kernel, or when the session ends without it. A
// kernel that unmounts does not wait for the RELEASE requests it has queued.

import BackupFileSystem
import Synchronization

/// The open files and directories of a session.
final class OpenHandles: Sendable {
  private struct State {
    /// Whether each open file was opened for writing.
    var files: [FileHandle: Bool] = [:]
    var directories: Set<FileHandle> = []
  }

  private let state = Mutex(State())

  /// Notes an open file; to be called before the kernel learns of the handle.
  func insertFile(_ handle: FileHandle, writable: Bool) {
    state.withLock { $0.files[handle] = writable }
  }

  /// Notes an open directory; to be called before the kernel learns of the handle.
  func insertDirectory(_ handle: FileHandle) {
    state.withLock { _ = $0.directories.insert(handle) }
  }

  /// Whether the file was opened for writing.
  func isWritable(_ handle: FileHandle) -> Bool {
    state.withLock { $0.files[handle] ?? false }
  }

  /// Takes a file out.
  /// - Returns: false when it was not open: it must not be released again.
  func removeFile(_ handle: FileHandle) -> Bool {
    state.withLock { $0.files.removeValue(forKey: handle) != nil }
  }

  /// Takes a directory out.
  /// - Returns: false when it was not open: it must not be released again.
  func removeDirectory(_ handle: FileHandle) -> Bool {
    state.withLock { $0.directories.remove(handle) != nil }
  }

  /// Takes out all that is still open.
  func removeAll() -> (files: [FileHandle], directories: [FileHandle]) {
    state.withLock { state in
      defer { state = State() }
      return (Array(state.files.keys), Array(state.directories))
    }
  }
}
