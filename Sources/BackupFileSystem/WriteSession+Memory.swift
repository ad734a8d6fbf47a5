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
      let missing = Self.missing(state, end)
      guard missing > 0 else { return true }
      guard environment.memory.tryAcquire(missing) else { return false }
      state.reserved += missing
      return true
    }
  }

  /// Counts the memory for a file that reaches up to an offset, waiting for it.
  func reserveWaiting(upTo end: Int64) async throws(FileSystemError) {
    let (missing, reserved) = state.withLock { (Self.missing($0, end), $0.reserved) }
    guard missing > 0 else { return }
    let (memory, patience) = (environment.memory, Duration.seconds(environment.memoryPatience))
    let wanted = max(missing, min(Int(WriteBody.memoryLimit), memory.capacity) - reserved)
    try await storeWork { try await memory.acquire(wanted, patience: patience) }
    state.withLock { $0.reserved += wanted }
  }

  /// Gives back what was counted.
  func releaseMemory() {
    let amount = state.withLock { state in
      defer { state.reserved = 0 }
      return state.reserved
    }
    if amount > 0 { environment.memory.release(amount) }
  }

  private static func missing(_ state: State, _ end: Int64) -> Int {
    guard !state.body.isStream, end <= WriteBody.memoryLimit else { return 0 }
    let needed = (Int(end) + reservationStep - 1) / reservationStep * reservationStep
    return max(0, needed - state.reserved)
  }
}
