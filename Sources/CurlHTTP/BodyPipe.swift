// Where the producer of a streamed body and the engine's thread meet.
//
// Invariants: at most one piece is here, and the producer is asked for the next one only when this one is used up; what
// was taken cannot be had again; after `end` nobody waits here.

import Glibc
import Synchronization

final class BodyPipe: Sendable {
  private struct State {
    var piece: [UInt8] = []
    /// Bytes of the piece that were taken.
    var position = 0
    /// Bytes of the whole body that were taken.
    var taken: Int64 = 0
    /// The engine found nothing and has paused the transfer.
    var isStarving = false
    var isOver = false
    var producer: CheckedContinuation<Bool, Never>?
    var failure: (any Error)?
  }

  private let size: Int64
  private let state = Mutex(State())

  init(size: Int64) { self.size = size }

  // MARK: The producer's side

  /// Waits until all bytes offered so far were taken. False when the request is over.
  func waitForRoom() async -> Bool {
    await withCheckedContinuation { continuation in
      let answer = state.withLock { state -> Bool? in
        if state.isOver { return false }
        if state.piece.isEmpty { return true }
        state.producer = continuation
        return nil
      }
      if let answer { continuation.resume(returning: answer) }
    }
  }

  /// Leaves the next bytes. True when the transfer was paused for want of them and must be resumed.
  func offer(_ bytes: [UInt8]) -> Bool {
    state.withLock { state in
      guard !state.isOver else { return false }
      state.piece = bytes
      state.position = 0
      defer { state.isStarving = false }
      return state.isStarving
    }
  }

  /// The producer has failed.
  func fail(_ error: any Error) {
    state.withLock { state in
      if !state.isOver { state.failure = error }
    }
  }

  // MARK: The engine's side

  /// Copies the next bytes; 0 at the end of the body; nil when there are none yet: then the transfer is to be paused until
  /// it is resumed.
  func read(into space: UnsafeMutableRawBufferPointer) -> Int? {
    let (count, producer) = state.withLock { state -> (Int?, CheckedContinuation<Bool, Never>?) in
      guard state.taken < size else { return (0, nil) }
      guard !state.piece.isEmpty, let destination = space.baseAddress else {
        state.isStarving = true
        return (nil, nil)
      }
      let count = min(space.count, state.piece.count - state.position)
      state.piece.withUnsafeBytes { bytes in
        if let source = bytes.baseAddress { memcpy(destination, source + state.position, count) }
      }
      state.position += count
      state.taken += Int64(count)
      guard state.position == state.piece.count else { return (count, nil) }
      state.piece = []
      defer { state.producer = nil }
      return (count, state.producer)
    }
    producer?.resume(returning: true)
    return count
  }

  /// Whether the transfer is paused for want of bytes.
  var isStarving: Bool { state.withLock { $0.isStarving } }

  /// Whether nothing was taken yet.
  var isUntouched: Bool { state.withLock { $0.taken == 0 } }

  /// Whether all of the body was taken.
  var isUsedUp: Bool { state.withLock { $0.taken == size } }

  // MARK: Both

  /// The request has ended: what is left is dropped, and the producer sent home.
  func end() {
    let producer = state.withLock { state -> CheckedContinuation<Bool, Never>? in
      state.isOver = true
      state.piece = []
      defer { state.producer = nil }
      return state.producer
    }
    producer?.resume(returning: false)
  }

  /// Why the producer gave up, if it did so before the request was over.
  var failure: (any Error)? { state.withLock { $0.failure } }
}
