// Copying from an open object into an open file, no byte passing the kernel.

import ObjectStore
import Synchronization
import SystemPackage

extension WriteSession {
  /// Bytes moved by one request at most: the kernel asks again, and a request must not take too long.
  static let longestCopy: Int64 = 512 << 20

  /// Takes a range of an open object, to be moved when the file is closed. Nil when that is not how it is to be copied, or
  /// somebody else is at the file: then `copy` does it.
  func takeCopy(from source: ReadSession, offset: Int64, count: Int64, to targetOffset: Int64) -> Int? {
    let count = min(count, source.object.size - offset)
    guard count > 0, gate.tryEnter() else { return nil }
    defer { gate.leave() }
    guard state.withLock({ $0.failure == nil }),
      becomeCopy(of: source, offset: offset, count: count, to: targetOffset)
    else { return nil }
    return Int(count)
  }

  /// Copies a range of an open object to an offset of this file; answers how many bytes, 0 only at the source's end.
  func copy(
    from source: ReadSession, offset: Int64, count: Int64, to targetOffset: Int64
  ) async throws(FileSystemError) -> Int {
    let count = min(count, source.object.size - offset)
    guard count > 0 else { return 0 }
    return try await gate.inside { () async throws(FileSystemError) in
      do throws(FileSystemError) {
        return try await copyInside(from: source, offset: offset, count: count, to: targetOffset)
      } catch {
        // EINVAL makes the caller read and write instead.
        if error.errno != .invalidArgument { failFinally(error) }
        throw error
      }
    }
  }

  /// The same with the gate held.
  private func copyInside(
    from source: ReadSession, offset: Int64, count: Int64, to targetOffset: Int64
  ) async throws(FileSystemError) -> Int {
    try check()
    if becomeCopy(of: source, offset: offset, count: count, to: targetOffset) { return Int(count) }
    let isFresh = self.isFresh && targetOffset == 0
    try await materialize()
    if isFresh, offset == 0, source.object.size > WriteBody.memoryLimit {
      state.withLock { $0.body.beginStream() }
    }
    if state.withLock({ $0.body.canSkip(to: targetOffset) }), source.object.size > WriteBody.memoryLimit,
      let copied = try await copyParts(from: source, offset: offset, count: count)
    {
      return copied
    }
    let piece = min(count, Int64(ObjectCopier.partSize))
    try await reserveWaiting(upTo: targetOffset + piece)
    // Given back before it is written: a part that becomes full thereby needs the budget itself.
    let bytes = try await storeWork {
      try await environment.budget.withBytes(Int(piece)) { try await source.fetch(offset..<offset + piece) }
    }
    return try await writeInside(bytes, at: targetOffset)
  }

  /// Nothing is held in memory: the object moves when the file is closed, in one piece. The kernel asks for less than
  /// 4 GiB at a time, so that a larger object comes in several requests. The gate is held.
  /// - Returns: false when the file is not, or cannot become, a copy of the object up to there.
  private func becomeCopy(of source: ReadSession, offset: Int64, count: Int64, to targetOffset: Int64) -> Bool {
    let continues =
      offset == targetOffset && (offset == 0 && isFresh || covered(of: source) == offset)
    guard continues, Self.movesWhole(source.object, source.store, store) else { return false }
    state.withLock { $0.body.becomeCopy(of: source.object, from: source.store, covered: offset + count) }
    noteWritten()
    return true
  }

  /// Whether nothing has been written yet.
  private var isFresh: Bool { state.withLock { $0.body.isEmptyMemory && !$0.isComplete } }

  /// Moves whole parts, several at a time, into the stream. Nil when the bytes have to go through the buffer: less than a
  /// part was asked for, or the parts would be streamed and the upload was begun for others.
  private func copyParts(from source: ReadSession, offset: Int64, count: Int64) async throws(FileSystemError) -> Int? {
    let partSize = ObjectCopier.partSize(for: source.object.size, limits: store.limits)
    var length = min(count, max(Self.longestCopy, partSize))
    let isEnd = offset + length == source.object.size
    // Only the last part of an upload may be short.
    if !isEnd { length -= length % partSize }
    guard length > 0 else { return nil }
    let streams = ObjectCopier.streamsParts(of: source.object.size, limits: store.limits)
    let upload = try await openUpload(streaming: streams)
    guard upload.isStreaming || !streams else { return nil }
    let first = state.withLock { $0.body.nextPart }
    let range = offset..<offset + length
    let parts = try await storeWork {
      try await environment.copier.moveParts(
        source.object, from: source.store, to: store, upload: upload, range: range, firstNumber: first)
    }
    state.withLock { state in
      state.body.skip(parts: parts.count, bytes: length)
      state.parts += parts
    }
    noteWritten()
    return Int(length)
  }

  private func noteWritten() {
    state.withLock { state in
      state.wasWritten = true
      state.wasClosedSinceWrite = false
    }
  }

  /// How much of an object the file is a copy of so far; nil when it is something else.
  private func covered(of source: ReadSession) -> Int64? {
    guard case .copy(let object, _, let covered) = state.withLock({ $0.body.form }), object == source.object else {
      return nil
    }
    return covered
  }

  /// Publishes a copy of a whole object: takes over what was moved ahead, or moves it now.
  func copyWhole(_ object: ObjectInfo, _ source: any ObjectStore, _ condition: WriteCondition)
    async throws(FileSystemError) -> ObjectInfo
  {
    let key = key
    return try await overMoved(key, condition, asking: object) { (condition) async throws(FileSystemError) in
      try await storeWork {
        try await environment.copier.copy(object, from: source, to: store, as: key, condition: condition)
      }
    }
  }

  /// Publishes under a key where something may have been moved ahead: that is taken over if it is what is asked for, and
  /// replaced otherwise.
  func overMoved(
    _ key: ObjectKey, _ condition: WriteCondition, asking object: ObjectInfo? = nil,
    _ write: (WriteCondition) async throws(FileSystemError) -> ObjectInfo
  ) async throws(FileSystemError) -> ObjectInfo {
    guard let claim = try environment.claim(key, object) else { return try await write(condition) }
    do throws(FileSystemError) {
      if !claim.isSame { claim.result.cancel() }
      var written = try? await claim.result.value()
      if written == nil || !claim.isSame {
        guard !Task.isCancelled else { throw FileSystemError(.interrupted, "the request was interrupted") }
        // What is there can only be what was moved ahead: nothing was before.
        written = try await write(.none)
      }
      guard let written else { throw FileSystemError(.ioError) }
      claim.copy.settled(key)
      return written
    } catch {
      claim.copy.unclaim(key)
      throw error
    }
  }

  /// Publishes the first bytes of a large object.
  func copyPrefix(_ object: ObjectInfo, _ source: any ObjectStore, _ covered: Int64, _ condition: WriteCondition)
    async throws(FileSystemError) -> ObjectInfo
  {
    let upload = try await openUpload(
      streaming: ObjectCopier.streamsParts(of: object.size, limits: store.limits))
    let parts = try await storeWork {
      try await environment.copier.moveParts(
        object, from: source, to: store, upload: upload, range: 0..<covered, firstNumber: 1)
    }
    state.withLock { $0.parts += parts }
    return try await completeParts(upload, condition)
  }

  /// Fetches what a file has been a copy of, so that it can be changed.
  func materialize() async throws(FileSystemError) {
    guard case .copy(let object, let source, let covered) = state.withLock({ $0.body.form }) else { return }
    guard covered <= WriteBody.memoryLimit else {
      throw FileSystemError(.invalidArgument, "\(key) is a copy of a large object: nothing can be added to it")
    }
    try await reserveWaiting(upTo: covered)
    let content = try await storeWork { try await source.get(object.key, range: 0..<covered, version: object.etag) }
    guard content.bytes.count == covered else {
      throw FileSystemError(.ioError, "\(content.bytes.count) bytes of \(object.key) came instead of \(covered)")
    }
    state.withLock { $0.body.becomeMemory(content.bytes) }
  }

  /// Whether an object is moved in one piece: by the service itself, or because it is small.
  private static func movesWhole(_ object: ObjectInfo, _ one: any ObjectStore, _ other: any ObjectStore) -> Bool {
    object.size <= Int64(ObjectCopier.partSize) || one.location.isSameService(as: other.location)
  }
}
