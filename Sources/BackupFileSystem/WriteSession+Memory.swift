// The memory of files that are being written, counted against a budget that all of them share.
//
// A writer that finds the budget used up waits for others to finish, and then takes all that its file can come to need in
// memory: writers that went on in small steps would all come to wait for each other. It does not wait for ever: one program
// may keep so many files open that none of them can be finished without another one growing, and as many programs may have
// begun at once. When nothing moves, one after the other exceeds the budget. Each file in memory is bounded by
// `WriteBody.memoryLimit` anyway.

import ObjectStore
import Synchronization
import SystemPackage

extension WriteSession {
  /// Memory is counted in steps of so many bytes, so that small writes seldom touch the shared budget.
  private static let reservationStep = 256 << 10

  /// Counts the memory for a file that reaches up to an offset. False when it has to be waited for.
  func reserve(upTo end: Int64) -> Bool {
    state.withLock { state in
      let missing = self.missing(state, end)
      guard missing > 0 else { return true }
      guard environment.memory.tryAcquire(missing) else { return false }
      state.reserved += missing
      return true
    }
  }

  /// Counts the memory for a file that reaches up to an offset, waiting for it.
  func reserveWaiting(upTo end: Int64) async throws(FileSystemError) {
    let (missing, reserved) = state.withLock { (self.missing($0, end), $0.reserved) }
    guard missing > 0 else { return }
    let (memory, patience) = (environment.memory, Duration.seconds(environment.memoryPatience))
    let wanted = most - reserved
    try await storeWork { try await memory.acquire(wanted, patience: patience) }
    // Another thread that writes this file may have waited for the same.
    let surplus = state.withLock { state in
      let kept = min(wanted, most - state.reserved)
      state.reserved += kept
      return wanted - kept
    }
    if surplus > 0 { memory.release(surplus) }
  }

  /// Gives back what was counted.
  func releaseMemory() {
    let amount = state.withLock { state in
      defer { state.reserved = 0 }
      return state.reserved
    }
    if amount > 0 { environment.memory.release(amount) }
  }

  /// The most that is counted for one file.
  private var most: Int { min(Int(WriteBody.memoryLimit), environment.memory.capacity) }

  private func missing(_ state: State, _ end: Int64) -> Int {
    guard !state.body.isStream, end <= WriteBody.memoryLimit else { return 0 }
    let step = Self.reservationStep
    let needed = (Int(end) + step - 1) / step * step
    return max(0, min(needed, most) - state.reserved)
  }
}
