// A file opened for reading: bound to the version seen at open, with pieces fetched ahead of a reader that goes from the
// beginning to the end (`ReadWindow` decides which).
//
// Invariants: bytes of two versions never mix (every request names the version; another one is ESTALE). A piece is kept
// only if the shared budget has room for it, and the budget is given back when the piece goes or the file is closed; a
// read never waits for the budget, so open files that nobody reads cannot starve others.

import ObjectStore
import Synchronization
import SystemPackage

/// Reads one version of one object.
final class ReadSession: Sendable {
  private struct State {
    var window: ReadWindow
    var pieces: [Range<Int64>: SharedResult<[UInt8]>] = [:]
    var isClosed = false
  }

  let inode: InodeNumber
  let object: ObjectInfo
  let store: any ObjectStore
  /// The thread that opened the file, or is expected to; 0 if unknown.
  let thread: Int32
  private let budget: ByteBudget
  private let state: Mutex<State>

  init(inode: InodeNumber, object: ObjectInfo, store: any ObjectStore, thread: Int32, budget: ByteBudget) {
    self.inode = inode
    self.object = object
    self.store = store
    self.thread = thread
    self.budget = budget
    state = Mutex(State(window: ReadWindow(size: object.size)))
  }

  /// At most `count` bytes at `offset`; fewer only at the end of the file.
  func read(offset: Int64, count: Int) throws(FileSystemError) -> Answer<ArraySlice<UInt8>> {
    guard offset >= 0, count >= 0 else { throw FileSystemError(.invalidArgument) }
    let end = min(offset + Int64(count), object.size)
    guard offset < end else { return .ready([]) }
    let range = offset..<end
    let pieces = pieces(for: range)
    guard !pieces.isEmpty else {
      return .pending { () async throws(FileSystemError) in try await self.fetch(range)[...] }
    }
    if pieces.count == 1, let bytes = pieces[0].bytes.valueNow {
      return .ready(Self.cut(bytes, of: pieces[0].range, to: range))
    }
    return .pending { () async throws(FileSystemError) in
      if pieces.count == 1 { return Self.cut(try await pieces[0].bytes.value(), of: pieces[0].range, to: range) }
      var joined: [UInt8] = []
      joined.reserveCapacity(range.count)
      for piece in pieces { joined += Self.cut(try await piece.bytes.value(), of: piece.range, to: range) }
      return joined[...]
    }
  }

  /// Begins to fetch the file's beginning, before anybody reads it, if what is ahead may have the memory.
  func prefetch() {
    guard object.size > 0, budget.used + Int(min(object.size, ReadWindow.wholeLimit)) <= budget.capacity / 4 * 3 else {
      return
    }
    _ = pieces(for: 0..<1)
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
    let pieces = state.withLock { state in
      state.isClosed = true
      defer { state.pieces = [:] }
      return state.pieces
    }
    for piece in pieces.values { piece.cancel() }
    release(Array(pieces.keys))
  }

  private typealias Piece = (range: Range<Int64>, bytes: SharedResult<[UInt8]>)

  /// The pieces that cover a range, begun if need be; empty when the range is to be fetched by itself.
  private func pieces(for range: Range<Int64>) -> [Piece] {
    let (found, dropped) = state.withLock { state -> ([Piece], [Range<Int64>]) in
      guard !state.isClosed else { return ([], []) }
      let plan = state.window.plan(range)
      let dropped = plan.dropped.filter { state.pieces.removeValue(forKey: $0) != nil }
      for piece in plan.candidates {
        // What only is ahead leaves room for the others.
        let isAhead = piece.lowerBound >= range.upperBound
        guard !isAhead || budget.used + piece.count <= budget.capacity / 4 * 3, budget.tryAcquire(piece.count) else {
          break
        }
        state.window.started(piece)
        state.pieces[piece] = begin(piece)
      }
      let cover = state.window.cover(range) ?? []
      return (cover.compactMap { piece in state.pieces[piece].map { (piece, $0) } }, dropped)
    }
    release(dropped)
    return found
  }

  private func begin(_ piece: Range<Int64>) -> SharedResult<[UInt8]> {
    SharedResult { () async throws(FileSystemError) in
      do throws(FileSystemError) {
        return try await self.fetch(piece)
      } catch {
        // The next read asks the store again instead of meeting an old failure.
        self.drop(piece)
        throw error
      }
    }
  }

  private func drop(_ piece: Range<Int64>) {
    let dropped = state.withLock { state in
      state.window.failed(piece).filter { state.pieces.removeValue(forKey: $0) != nil }
    }
    release(dropped)
  }

  private func release(_ ranges: [Range<Int64>]) {
    let amount = ranges.reduce(0) { $0 + $1.count }
    if amount > 0 { budget.release(amount) }
  }

  private static func cut(_ bytes: [UInt8], of piece: Range<Int64>, to range: Range<Int64>) -> ArraySlice<UInt8> {
    let wanted = range.clamped(to: piece)
    return bytes[Int(wanted.lowerBound - piece.lowerBound)..<Int(wanted.upperBound - piece.lowerBound)]
  }
}
