// A file opened for reading: bound to the version seen at open, whole or in chunks, with the next chunk fetched ahead.
//
// Invariants: bytes of two versions never mix (every request names the version; another one is ESTALE). A chunk is kept
// only if the shared budget has room for it, and the budget is given back when the chunk goes or the file is closed; a
// read never waits for the budget, so open files that nobody reads cannot starve others.

import ObjectStore
import Synchronization
import SystemPackage

/// Reads one version of one object.
final class ReadSession: Sendable {
  /// Bytes fetched at a time when a file is read from its beginning to its end.
  static let chunkSize: Int64 = 4 << 20
  /// Chunks kept per open file: the one being read, the one before (reads overlap), the next one.
  static let keptChunks = 3

  private struct State {
    var chunks: [(index: Int64, bytes: SharedResult<[UInt8]>, amount: Int)] = []
    /// Where a sequential reader would go on.
    var expected: Int64 = 0
    var isClosed = false
  }

  let inode: InodeNumber
  let object: ObjectInfo
  let store: any ObjectStore
  private let budget: ByteBudget
  private let state = Mutex(State())

  init(inode: InodeNumber, object: ObjectInfo, store: any ObjectStore, budget: ByteBudget) {
    self.inode = inode
    self.object = object
    self.store = store
    self.budget = budget
  }

  /// At most `count` bytes at `offset`; fewer only at the end of the file.
  func read(offset: Int64, count: Int) throws(FileSystemError) -> Answer<ArraySlice<UInt8>> {
    guard offset >= 0, count >= 0 else { throw FileSystemError(.invalidArgument) }
    let end = min(offset + Int64(count), object.size)
    guard offset < end else { return .ready([]) }
    let range = offset..<end
    let chunks = chunks(for: range)
    guard !chunks.isEmpty else {
      return .pending { () async throws(FileSystemError) in try await self.fetch(range)[...] }
    }
    if chunks.count == 1, let bytes = chunks[0].bytes.valueNow {
      return .ready(Self.cut(bytes, at: chunks[0].index, to: range))
    }
    return .pending { () async throws(FileSystemError) in
      if chunks.count == 1 { return Self.cut(try await chunks[0].bytes.value(), at: chunks[0].index, to: range) }
      var joined: [UInt8] = []
      joined.reserveCapacity(range.count)
      for chunk in chunks { joined += Self.cut(try await chunk.bytes.value(), at: chunk.index, to: range) }
      return joined[...]
    }
  }

  /// Exactly the bytes of a range, straight from the store.
  func fetch(_ range: Range<Int64>) async throws(FileSystemError) -> [UInt8] {
    do {
      let content = try await store.get(object.key, range: range, version: object.etag)
      guard content.bytes.count == range.count else {
        throw FileSystemError(
          .ioError, "reading \(object.key) brought \(content.bytes.count) bytes instead of \(range.count)")
      }
      return content.bytes
    } catch let error as StoreError where error.code == .notFound {
      throw FileSystemError(.staleNFSFileHandle, "\(object.key) was removed while it was being read")
    } catch {
      throw FileSystemError(error)
    }
  }

  /// Gives back what is kept.
  func close() {
    let amount = state.withLock { state in
      state.isClosed = true
      defer { state.chunks = [] }
      return state.chunks.reduce(0) { $0 + $1.amount }
    }
    budget.release(amount)
  }

  private typealias Chunk = (index: Int64, bytes: SharedResult<[UInt8]>)

  /// The chunks that cover a range, begun if need be; empty when the range is to be fetched by itself.
  private func chunks(for range: Range<Int64>) -> [Chunk] {
    let first = range.lowerBound / Self.chunkSize
    let last = (range.upperBound - 1) / Self.chunkSize
    return state.withLock { state in
      // The kernel's read-ahead may deliver neighbouring requests in any order: near is sequential enough.
      let isSequential = abs(range.lowerBound - state.expected) <= Self.chunkSize || object.size <= Self.chunkSize
      let isKept = state.chunks.contains { $0.index == first }
      guard isSequential || isKept, last - first < Int64(Self.keptChunks) else {
        state.expected = range.upperBound
        return []
      }
      state.expected = range.upperBound
      var found: [Chunk] = []
      for index in first...last {
        guard let chunk = chunk(index, in: &state) else { return [] }
        found.append(chunk)
      }
      let next = last + 1
      if range.upperBound > last * Self.chunkSize + Self.chunkSize / 2, next * Self.chunkSize < object.size {
        _ = chunk(next, in: &state)
      }
      return found
    }
  }

  private func chunk(_ index: Int64, in state: inout State) -> Chunk? {
    if let position = state.chunks.firstIndex(where: { $0.index == index }) {
      let chunk = state.chunks.remove(at: position)
      state.chunks.append(chunk)
      return (chunk.index, chunk.bytes)
    }
    let range = index * Self.chunkSize..<min((index + 1) * Self.chunkSize, object.size)
    if state.chunks.count == Self.keptChunks { budget.release(state.chunks.removeFirst().amount) }
    guard !state.isClosed, budget.tryAcquire(range.count) else { return nil }
    let bytes = SharedResult<[UInt8]> { () async throws(FileSystemError) in
      do throws(FileSystemError) {
        return try await self.fetch(range)
      } catch {
        // The next read asks the store again instead of meeting an old failure.
        self.drop(index)
        throw error
      }
    }
    state.chunks.append((index, bytes, range.count))
    return (index, bytes)
  }

  private func drop(_ index: Int64) {
    let amount = state.withLock { state -> Int in
      guard let position = state.chunks.firstIndex(where: { $0.index == index }) else { return 0 }
      return state.chunks.remove(at: position).amount
    }
    budget.release(amount)
  }

  private static func cut(_ bytes: [UInt8], at index: Int64, to range: Range<Int64>) -> ArraySlice<UInt8> {
    let begin = index * chunkSize
    let wanted = range.clamped(to: begin..<begin + Int64(bytes.count))
    return bytes[Int(wanted.lowerBound - begin)..<Int(wanted.upperBound - begin)]
  }
}
