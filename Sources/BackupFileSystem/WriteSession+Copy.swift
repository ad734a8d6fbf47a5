// Copying from an open object into an open file, no byte passing the kernel.

import ObjectStore
import Synchronization
import SystemPackage

extension WriteSession {
  /// Bytes moved by one request at most: the kernel asks again, and a request must not take too long.
  static let longestCopy: Int64 = 512 << 20

  /// Copies a range of an open object to an offset of this file; answers how many bytes, 0 only at the source's end.
  func copy(
    from source: ReadSession, offset: Int64, count: Int64, to targetOffset: Int64
  ) async throws(FileSystemError) -> Int {
    let count = min(count, source.object.size - offset)
    guard count > 0 else { return 0 }
    return try await gate.inside { () async throws(FileSystemError) in
      try check()
      let isFresh = state.withLock { $0.body.isEmptyMemory && !$0.isComplete } && targetOffset == 0
      if isFresh, offset == 0, count == source.object.size {
        if Self.isSameService(source.store, store) {
          state.withLock { $0.body.becomeCopy(of: source.object, from: source.store) }
          noteWritten()
          return Int(count)
        }
      }
      if isFresh, offset == 0, source.object.size > WriteBody.memoryLimit {
        state.withLock { $0.body.beginStream() }
      }
      if state.withLock({ $0.body.canSkip(to: targetOffset) }), source.object.size > WriteBody.memoryLimit {
        return try await copyParts(from: source, offset: offset, count: count)
      }
      let piece = min(count, Int64(ObjectCopier.partSize))
      let budget = environment.budget
      try await storeWork { try await budget.acquire(Int(piece)) }
      defer { budget.release(Int(piece)) }
      return try await writeInside(try await source.fetch(offset..<offset + piece), at: targetOffset)
    }
  }

  /// Moves whole parts, several at a time, into the stream.
  private func copyParts(from source: ReadSession, offset: Int64, count: Int64) async throws(FileSystemError) -> Int {
    let partSize = ObjectCopier.partSize(for: source.object.size, limits: store.limits)
    var length = min(count, max(Self.longestCopy, partSize))
    let isEnd = offset + length == source.object.size
    // Only the last part of an upload may be short.
    if !isEnd { length -= length % partSize }
    guard length > 0 else {
      return try await writeInside(try await source.fetch(offset..<offset + count), at: size)
    }
    let upload = try await openUpload()
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

  private static func isSameService(_ one: any ObjectStore, _ other: any ObjectStore) -> Bool {
    one.location.endpoint == other.location.endpoint && one.location.provider == other.location.provider
  }
}
