// libfuse's session: made and mounted, then asked for requests by several threads, destroyed at the end.
//
// Order is up to the owner: `destroy` comes last, once, when no thread is in `serve` and every request is answered.
// libfuse's own unmount function is never called: it closes the device, whose number the threads still read from, and
// it unmounts by path whatever is mounted there by then. All it would have freed beside that is one copy of the path.

import CFUSE
import Glibc
import Logging
import Synchronization

/// A session of libfuse.
final class Session: Sendable {
  // libfuse's functions for receiving and processing may be called by many threads at once; making, mounting and
  // destroying are ordered by the owner.
  private nonisolated(unsafe) let session: OpaquePointer
  private let dispatcher: Dispatcher
  private let isStopped = Atomic(false)
  private let isDestroyed = Mutex(false)

  /// Makes a session and mounts it.
  /// - Parameter path: an absolute path that was checked by `MountPoint`.
  /// - Throws: what libfuse said.
  init(_ path: String, options: MountOptions, dispatcher: Dispatcher, logger: Logger) throws(SessionError) {
    let (session, messages) = LibFUSELog.collect(logger) {
      Self.mount(path, arguments: Self.arguments(options), dispatcher)
    }
    guard let session else { throw SessionError(messages: messages) }
    self.session = session
    self.dispatcher = dispatcher
  }

  /// Takes and serves requests in the calling thread until the file system is unmounted or `stop` is called.
  /// - Returns: the error number of a failed read of the device; 0 for a regular end.
  func serve() -> Int32 {
    var buffer = fuse_buf()
    defer { free(buffer.mem) }
    while !isStopped.load(ordering: .acquiring) {
      let count = fuse_session_receive_buf(session, &buffer)
      if count > 0 {
        fuse_session_process_buf(session, &buffer)
      } else if count == 0 || count == -ECONNABORTED {
        // Unmounted, or cut off: libfuse knows only one of the two errors the kernel has for it.
        return 0
      } else if count != -EINTR && count != -EAGAIN {
        return -count
      }
    }
    return 0
  }

  /// Makes `serve` return as soon as its thread is free; one that waits for a request must be woken by a signal.
  func stop() {
    isStopped.store(true, ordering: .releasing)
  }

  /// The kernel still knows the file system: it was neither unmounted for good nor cut off. May be asked at any time.
  var isConnected: Bool {
    isDestroyed.withLock { isDestroyed in
      guard !isDestroyed else { return false }
      var device = pollfd(fd: fuse_session_fd(session), events: 0, revents: 0)
      return poll(&device, 1, 0) >= 0 && device.revents & Int16(POLLERR) == 0
    }
  }

  /// Closes the device and frees the session. Programs that still have files open get errors from here on.
  func destroy() {
    isDestroyed.withLock { isDestroyed in
      isDestroyed = true
      fuse_session_destroy(session)
    }
    Unmanaged.passUnretained(dispatcher).release()
  }

  private static func mount(_ path: String, arguments: [String], _ dispatcher: Dispatcher) -> OpaquePointer? {
    var table = Callbacks.all()
    var strings = arguments.map { strdup($0) }
    defer { for string in strings { free(string) } }
    let data = Unmanaged.passRetained(dispatcher)
    let session = strings.withUnsafeMutableBufferPointer { strings -> OpaquePointer? in
      var list = fuse_args(argc: Int32(strings.count), argv: strings.baseAddress, allocated: 0)
      defer { fuse_opt_free_args(&list) }
      return fuse_session_new(&list, &table, MemoryLayout<fuse_lowlevel_ops>.size, data.toOpaque())
    }
    guard let session else {
      data.release()
      return nil
    }
    guard fuse_session_mount(session, path) == 0 else {
      fuse_session_destroy(session)
      data.release()
      return nil
    }
    return session
  }

  /// The command line that libfuse parses. The kernel checks permissions by the modes that the file system shows.
  private static func arguments(_ options: MountOptions) -> [String] {
    var list = [
      "default_permissions", "fsname=\(escaped(options.fileSystemName))", "subtype=\(escaped(options.subtype))",
    ]
    if options.readOnly { list.append("ro") }
    if options.allowOther { list.append("allow_other") }
    if options.debug { list.append("debug") }
    return ["milvus-backupfs", "-o", list.joined(separator: ",")]
  }

  /// A comma would end the option.
  private static func escaped(_ value: String) -> String {
    var result = ""
    for character in value {
      if character == "," || character == "\\" { result.append("\\") }
      result.append(character)
    }
    return result
  }
}

/// libfuse could not make or mount a session.
struct SessionError: Error {
  /// What it said, perhaps nothing.
  let messages: String
}
