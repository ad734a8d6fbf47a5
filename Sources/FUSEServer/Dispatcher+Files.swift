// Requests about open files.

import BackupFileSystem
import CFUSE
import SystemPackage

extension Dispatcher {
  /// Most bytes that one COPY_FILE_RANGE may copy. The answer has 32 bits, and kernels before 6.17 neither limit what
  /// they ask for nor notice when the answer wraps; this is what later kernels ask for at most.
  static let longestCopy: UInt64 = 0xffff_f000

  func create(
    _ reply: consuming Reply, _ parent: InodeNumber, _ name: Name, _ permissions: UInt16, _ options: OpenOptions
  ) {
    let caller = reply.caller
    serve(reply) { () throws(FileSystemError) in
      try fileSystem.create(parent, name.new(), permissions: permissions, options: options, caller: caller)
    } answer: { dispatcher, reply, created in
      dispatcher.handles.insertFile(created.opened.handle, writable: options.contains(.write))
      if !reply.created(created) {
        dispatcher.release(created.opened.handle)
        dispatcher.forget(created.entry.attributes.inode, count: 1)
      }
    }
  }

  func open(_ reply: consuming Reply, _ inode: InodeNumber, _ options: OpenOptions) {
    let caller = reply.caller
    serve(reply) { () throws(FileSystemError) in
      try fileSystem.open(inode, options: options, caller: caller)
    } answer: { dispatcher, reply, opened in
      dispatcher.handles.insertFile(opened.handle, writable: options.contains(.write))
      if !reply.opened(opened) { dispatcher.release(opened.handle) }
    }
  }

  func read(_ reply: consuming Reply, _ handle: FileHandle, offset: Int64, count: Int) {
    serve(reply) { () throws(FileSystemError) in
      try fileSystem.read(handle, offset: offset, count: count)
    } answer: { _, reply, bytes in
      reply.bytes(bytes)
    }
  }

  func write(_ reply: consuming Reply, _ handle: FileHandle, offset: Int64, _ bytes: UnsafeRawBufferPointer) {
    let caller = reply.caller
    serve(reply) { () throws(FileSystemError) in
      try fileSystem.write(handle, offset: offset, bytes, caller: caller)
    } answer: { dispatcher, reply, count in
      dispatcher.answer(reply, count: count)
    }
  }

  func copyRange(
    _ reply: consuming Reply, from source: FileHandle, offset: Int64, to target: FileHandle, offset targetOffset: Int64,
    count: UInt64, flags: Int32
  ) {
    // No flag is defined yet.
    guard flags == 0 else { return reply.failure(.invalidArgument) }
    let count = Int64(min(count, Self.longestCopy))
    let caller = reply.caller
    serve(reply) { () throws(FileSystemError) in
      try fileSystem.copyRange(
        from: source, offset: offset, to: target, offset: targetOffset, count: count, caller: caller)
    } answer: { dispatcher, reply, count in
      dispatcher.answer(reply, count: count)
    }
  }

  func flush(_ reply: consuming Reply, _ handle: FileHandle) {
    let caller = reply.caller
    let wasKilled = handles.isWritable(handle) && CallerProcess.wasKilled(thread: caller.thread, user: caller.user)
    serve(reply) { () throws(FileSystemError) in
      try fileSystem.flush(handle, caller: caller, writerWasKilled: wasKilled)
    } answer: { _, reply, _ in
      reply.done()
    }
  }

  func synchronize(_ reply: consuming Reply, _ handle: FileHandle) {
    serve(reply) { () throws(FileSystemError) in
      try fileSystem.synchronize(handle)
    } answer: { _, reply, _ in
      reply.done()
    }
  }

  /// Does not wait for the work before it answers. No program waits for this answer, but the kernel counts the request
  /// among the few that it lets run in the background, and reading ahead stops when those are used up.
  func release(_ reply: consuming Reply, _ handle: FileHandle) {
    release(handle)
    reply.done()
  }

  /// Releases a handle, unless that was done already.
  func release(_ handle: FileHandle) {
    guard handles.removeFile(handle) else { return }
    releaseNow(handle)
  }

  /// Releases a handle that is no longer among the open ones.
  func releaseNow(_ handle: FileHandle) {
    if case .pending(let work) = fileSystem.release(handle) {
      runUnanswered(work, .release)
    }
  }

  private func answer(_ reply: consuming Reply, count: Int) {
    guard let count = UInt32(exactly: count) else {
      return fail(reply, FileSystemError(.ioError, "the file system reports an impossible number of bytes: \(count)"))
    }
    reply.count(count)
  }
}
