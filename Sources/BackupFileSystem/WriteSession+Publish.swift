// Sending parts, publishing, and the rules of when a close ends a file.

import ObjectStore
import Synchronization
import SystemPackage

extension WriteSession {
  /// A descriptor was closed by some process: publishes if that ends the file.
  ///
  /// A body in memory is put whole at every close that follows a write, so each writer hears of its own failure. A stream
  /// can be completed only once: by the process that opened the file. An empty file is put when the closing process has
  /// no other descriptor of it; a shell closes one of two before its command has written anything. A process that neither
  /// opened nor wrote it says nothing by closing it: programs with several threads start others, which inherit what is
  /// being written and close it at once.
  func flush(caller: Caller, writerWasKilled: Bool) async throws(FileSystemError) {
    try await gate.inside { () async throws(FileSystemError) in
      if writerWasKilled {
        fail(FileSystemError(.ioError, "\(key) was not published: a process writing it was killed"))
        await dropUpload()
        return
      }
      try check()
      let (isDirty, wasWritten, isStream) = state.withLock { state in
        (state.body.isDirty, state.wasWritten, state.body.isStream)
      }
      guard isDirty else { return }
      let process = caller.thread == thread ? opener : environment.inspector.process(caller.thread)
      guard !isOnlooker(caller.thread, process) else { return }
      if isStream, let process, let opener, process != opener {
        state.withLock { $0.wasClosedSinceWrite = true }
      } else if !wasWritten, !isStream, size == 0, let process,
        environment.inspector.hasOpen(process, pathSuffix)
      {
        state.withLock { $0.wasClosedSinceWrite = true }
      } else if let behind = environment.behind, state.withLock({ $0.body.isMemory }) {
        state.withLock { $0.wasClosedSinceWrite = true }
        behind(self)
      } else {
        try await publish()
      }
    }
  }

  /// The thread that opened the file closes a copy whose object was moved ahead and is there already. False when that is not
  /// so, and `flush` has to find out what to do. Most closes of a copied tree end here, without another thread.
  func flushAtOnce(by closer: Int32) -> Bool {
    guard closer == thread, gate.tryEnter() else { return false }
    defer { gate.leave() }
    let copied = state.withLock { state -> (ObjectKey, ObjectInfo)? in
      guard state.failure == nil, state.body.isDirty, case .copy(let object, _, let covered) = state.body.form,
        covered == object.size, state.body.size == object.size
      else { return nil }
      return (state.key, object)
    }
    guard let (key, object) = copied, let written = environment.take(key, object) else { return false }
    ended(written)
    return true
  }

  /// The file is in the store as it stands.
  private func ended(_ written: ObjectInfo) {
    state.withLock { state in
      state.body.isDirty = false
      state.writers = []
      state.condition = .none
    }
    environment.published(inode, written)
  }

  /// Whether a process certainly neither opened nor wrote the file.
  private func isOnlooker(_ thread: Int32, _ process: Int32?) -> Bool {
    guard let process, let opener, process != opener else { return false }
    let writers = state.withLock { $0.writers }
    return !writers.contains(thread)
      && writers.allSatisfy { writer in
        environment.inspector.process(writer).map { $0 != process } ?? false
      }
  }

  /// Publishes what was closed before, unless it has been written to since: then its next close decides.
  func publishBehind() async throws(FileSystemError) {
    try await gate.inside { () async throws(FileSystemError) in
      guard state.withLock({ $0.failure == nil && $0.body.isDirty && $0.wasClosedSinceWrite }) else { return }
      try await publish()
    }
  }

  /// The last descriptor is gone. False when there is something left to do for `release`.
  func releaseAtOnce() -> Bool {
    guard gate.tryEnter() else { return false }
    defer { gate.leave() }
    let isSettled = state.withLock { state in
      state.upload == nil && state.sending.isEmpty
        && (state.failure != nil || !state.body.isDirty || !state.wasClosedSinceWrite)
    }
    if isSettled { releaseMemory() }
    return isSettled
  }

  /// The last descriptor is gone: publishes what was closed well by a process that could not end it, drops the rest.
  func release() async throws(FileSystemError) {
    try await gate.inside { () async throws(FileSystemError) in
      let finish = state.withLock { $0.failure == nil && $0.body.isDirty && $0.wasClosedSinceWrite }
      defer { releaseMemory() }
      do throws(FileSystemError) {
        if finish { try await publish() }
      } catch {
        await dropUpload()
        throw error
      }
      await dropUpload()
    }
  }

  /// Makes what was written durable, which for an object means published.
  func synchronize() async throws(FileSystemError) {
    try await gate.inside { () async throws(FileSystemError) in
      try check()
      if state.withLock({ $0.body.isDirty }) { try await publish() }
    }
  }

  /// The name was removed: nothing may be published any more.
  func abandon() async {
    fail(FileSystemError(.staleNFSFileHandle, "\(key) was removed while it was being written"))
    await dropUpload()
  }

  /// Writes the file to the store, whole. The gate is held.
  func publish() async throws(FileSystemError) {
    if case .copy(let object, _, let covered) = state.withLock({ $0.body.form }), covered < object.size,
      covered <= WriteBody.memoryLimit
    {
      try await materialize()
    }
    let (form, size, key, condition) = state.withLock { ($0.body.form, $0.body.size, $0.key, $0.condition) }
    let written: ObjectInfo
    do throws(FileSystemError) {
      switch form {
      case .copy(let object, let source, let covered) where covered == object.size:
        written = try await copyWhole(object, source, condition)
      case .copy(let object, let source, let covered):
        written = try await overMoved(key, condition) { (condition) async throws(FileSystemError) in
          try await copyPrefix(object, source, covered, condition)
        }
      case .memory(let bytes):
        written = try await overMoved(key, condition) { (condition) async throws(FileSystemError) in
          try await storeWork { try await store.put(key, bytes, condition: condition) }
        }
      case .stream:
        written = try await overMoved(key, condition) { (condition) async throws(FileSystemError) in
          try await completeStream(condition)
        }
      }
    } catch {
      environment.published(inode, nil)
      if error.errno == .interrupted {
        // The store may have taken it or not. The file stays dirty; a later close decides, and may meet its own object.
        state.withLock { $0.condition = .none }
      } else {
        fail(error)
      }
      throw error
    }
    guard written.size == size else {
      let error = FileSystemError(
        .ioError, "\(key) has \(written.size) bytes in the store instead of \(size); copy it again")
      fail(error)
      throw error
    }
    ended(written)
  }

  /// Sends the buffered bytes as the next part, waiting while enough parts are on their way. The gate is held.
  func sendPart() async throws(FileSystemError) {
    let upload = try await openUpload()
    while true {
      let oldest = state.withLock { $0.sending.count >= Self.partsInFlight ? $0.sending.first : nil }
      guard let oldest else { break }
      let done = try await storeWork { try await oldest.value }
      state.withLock { state in
        state.sending.removeFirst()
        state.parts.append(done)
      }
    }
    let amount = state.withLock { $0.body.bufferedBytes }
    guard amount > 0 else { return }
    let budget = environment.budget
    try await storeWork { try await budget.acquire(amount) }
    guard let part = state.withLock({ $0.body.takePart() }), part.number <= store.limits.maximumParts else {
      budget.release(amount)
      throw FileSystemError(.fileTooLarge, "\(key) is larger than \(store.limits.maximumParts) parts can hold")
    }
    let task = Task { [store] in
      defer { budget.release(amount) }
      return try await store.uploadPart(upload, number: part.number, part.bytes)
    }
    state.withLock { $0.sending.append(task) }
  }

  /// The upload that parts belong to, begun at the first one. The gate is held.
  /// - Parameter streaming: whether that is for parts that are streamed.
  func openUpload(streaming: Bool = false) async throws(FileSystemError) -> MultipartUpload {
    if let upload = state.withLock({ $0.upload }) { return upload }
    let upload = try await storeWork { try await store.beginUpload(key, streaming: streaming) }
    state.withLock { $0.upload = upload }
    environment.gauges.update { $0.uploads += 1 }
    return upload
  }

  private func completeStream(_ condition: WriteCondition) async throws(FileSystemError) -> ObjectInfo {
    try await sendPart()
    let upload = try await openUpload()
    while let task = state.withLock({ $0.sending.first }) {
      let part = try await storeWork { try await task.value }
      state.withLock { state in
        state.sending.removeFirst()
        state.parts.append(part)
      }
    }
    return try await completeParts(upload, condition)
  }

  /// Makes the parts that were sent an object. The gate is held.
  func completeParts(_ upload: MultipartUpload, _ condition: WriteCondition) async throws(FileSystemError) -> ObjectInfo
  {
    let parts = state.withLock { $0.parts.sorted { $0.number < $1.number } }
    let written = try await storeWork { try await store.completeUpload(upload, parts: parts, condition: condition) }
    state.withLock { state in
      state.upload = nil
      state.isComplete = true
    }
    environment.gauges.update { $0.uploads -= 1 }
    return written
  }

  /// Stops and removes what was sent but not completed.
  func dropUpload() async {
    let (upload, sending) = state.withLock { state in
      defer {
        state.upload = nil
        state.sending = []
        state.parts = []
      }
      return (state.upload, state.sending)
    }
    for task in sending { task.cancel() }
    for task in sending { _ = await task.result }
    guard let upload else { return }
    await store.abandon(upload)
    environment.gauges.update { $0.uploads -= 1 }
  }
}
