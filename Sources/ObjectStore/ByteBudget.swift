// A bound on bytes held at once, shared by everyone who buffers.
//
// Invariants: never more than `capacity` bytes are out, but for what waiters with a patience took over it, one at a time and only
// when nothing moved; waiters are served in order of arrival, so a large request is not starved by small ones; a cancelled
// waiter leaves the queue at once and takes nothing.

import Synchronization

/// A fair, cancellable semaphore that counts bytes.
public final class ByteBudget: Sendable {
  private struct Waiter {
    let id: UInt64
    let amount: Int
    let continuation: CheckedContinuation<Bool, Never>
  }

  private struct State {
    var used = 0
    var waiters: [Waiter] = []
    var nextID: UInt64 = 0
    /// When bytes were taken or given back last.
    var lastChange = ContinuousClock.now
    /// Waiters cancelled before they came to wait.
    var cancelledEarly: Set<UInt64> = []

    mutating func take(_ amount: Int) {
      used += amount
      lastChange = .now
    }
  }

  /// Bytes in all.
  public let capacity: Int
  private let state = Mutex(State())

  /// Makes a budget of so many bytes.
  public init(capacity: Int) { self.capacity = max(1, capacity) }

  /// Bytes out at the moment.
  public var used: Int { state.withLock { $0.used } }

  /// Takes bytes if they are there and nobody waits for them.
  public func tryAcquire(_ amount: Int) -> Bool {
    let amount = min(amount, capacity)
    return state.withLock { state in
      guard state.waiters.isEmpty, state.used + amount <= capacity else { return false }
      state.take(amount)
      return true
    }
  }

  /// Takes bytes, waiting for them; an amount above the capacity takes the whole of it.
  /// - Throws: `CancellationError` when the task is cancelled while it waits.
  public func acquire(_ amount: Int) async throws {
    if tryAcquire(amount) { return }
    let amount = min(amount, capacity)
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    let granted = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let now = state.withLock { state -> Bool? in
          if state.cancelledEarly.remove(id) != nil { return false }
          if state.waiters.isEmpty, state.used + amount <= capacity {
            state.take(amount)
            return true
          }
          state.waiters.append(Waiter(id: id, amount: amount, continuation: continuation))
          return nil
        }
        if let now { continuation.resume(returning: now) }
      }
    } onCancel: {
      let waiter = state.withLock { state -> Waiter? in
        guard let position = state.waiters.firstIndex(where: { $0.id == id }) else {
          state.cancelledEarly.insert(id)
          return nil
        }
        return state.waiters.remove(at: position)
      }
      waiter?.continuation.resume(returning: false)
      wake()
    }
    state.withLock { _ = $0.cancelledEarly.remove(id) }
    guard granted else { throw CancellationError() }
  }

  /// The same, but not for ever where everyone waits for everyone: each time when nothing was taken or given back for
  /// `patience`, the first in line takes its bytes over the capacity.
  public func acquire(_ amount: Int, patience: Duration) async throws {
    if tryAcquire(amount) { return }
    let watch = Task {
      while (try? await Task.sleep(for: patience)) != nil { overdraw(after: patience) }
    }
    defer { watch.cancel() }
    try await acquire(amount)
  }

  private func overdraw(after patience: Duration) {
    let first = state.withLock { state -> Waiter? in
      guard let first = state.waiters.first, state.lastChange.duration(to: .now) >= patience else { return nil }
      state.take(first.amount)
      return state.waiters.removeFirst()
    }
    first?.continuation.resume(returning: true)
  }

  /// Gives bytes back: the same amount that was taken.
  public func release(_ amount: Int) {
    state.withLock { state in
      state.used -= min(amount, capacity)
      state.lastChange = .now
      precondition(state.used >= 0, "more bytes were given back than taken")
    }
    wake()
  }

  /// Runs `body` while holding so many bytes.
  public func withBytes<Value>(_ amount: Int, _ body: () async throws -> Value) async throws -> Value {
    try await acquire(amount)
    defer { release(amount) }
    return try await body()
  }

  private func wake() {
    while true {
      let next = state.withLock { state -> Waiter? in
        guard let first = state.waiters.first, state.used + first.amount <= capacity else { return nil }
        state.take(first.amount)
        return state.waiters.removeFirst()
      }
      guard let next else { return }
      next.continuation.resume(returning: true)
    }
  }
}
