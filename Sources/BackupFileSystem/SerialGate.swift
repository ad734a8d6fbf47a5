// Lets one operation at a time at an open file, in order of arrival, without blocking a thread.

import Synchronization
import SystemPackage

/// A fair asynchronous lock whose waiters can be cancelled.
final class SerialGate: Sendable {
  private struct State {
    var isBusy = false
    var waiters: [(id: UInt64, continuation: CheckedContinuation<Bool, Never>)] = []
    var nextID: UInt64 = 0
  }

  private let state = Mutex(State())

  /// Enters if nobody is inside or waiting.
  func tryEnter() -> Bool {
    state.withLock { state in
      if state.isBusy { return false }
      state.isBusy = true
      return true
    }
  }

  /// Lets the next one in.
  func leave() {
    let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
      if state.waiters.isEmpty {
        state.isBusy = false
        return nil
      }
      return state.waiters.removeFirst().continuation
    }
    next?.resume(returning: true)
  }

  /// Waits for its turn and runs `body` inside.
  /// - Throws: EINTR when cancelled while waiting; whatever `body` throws.
  func inside<Value>(_ body: () async throws(FileSystemError) -> Value) async throws(FileSystemError) -> Value {
    try await enter()
    defer { leave() }
    return try await body()
  }

  private func enter() async throws(FileSystemError) {
    if tryEnter() { return }
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    let entered = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let now = state.withLock { state -> Bool? in
          if Task.isCancelled { return false }
          if !state.isBusy {
            state.isBusy = true
            return true
          }
          state.waiters.append((id, continuation))
          return nil
        }
        if let now { continuation.resume(returning: now) }
      }
    } onCancel: {
      let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
        guard let position = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
        return state.waiters.remove(at: position).continuation
      }
      waiter?.resume(returning: false)
    }
    guard entered else { throw FileSystemError(.interrupted, "the request was interrupted") }
  }
}
