// One piece of work that several requests wait for, each of which may give up without disturbing the others.

import Synchronization
import SystemPackage

/// The outcome of work under way: set once, awaited by many, each wait cancellable on its own.
final class SharedResult<Value: Sendable>: Sendable {
  private typealias Outcome = Result<Value, FileSystemError>

  private enum State {
    case running(waiters: [UInt64: CheckedContinuation<Result<Value, FileSystemError>, Never>], next: UInt64)
    case done(Result<Value, FileSystemError>)
  }

  private let state = Mutex(State.running(waiters: [:], next: 0))
  private let task = Mutex<Task<Void, Never>?>(nil)

  /// Work that somebody else does, and ends with `finish`.
  init() {}

  /// Starts the work in a task of its own: it goes on when those who wait for it are interrupted.
  init(_ work: @escaping @Sendable () async throws(FileSystemError) -> Value) {
    let task = Task {
      do throws(FileSystemError) {
        finish(.success(try await work()))
      } catch {
        finish(.failure(error))
      }
    }
    self.task.withLock { $0 = task }
  }

  /// Stops the work; only for results that nobody waits for any more.
  func cancel() { task.withLock { $0 }?.cancel() }

  /// The value, if the work has ended well.
  var valueNow: Value? {
    state.withLock { state in
      guard case .done(.success(let value)) = state else { return nil }
      return value
    }
  }

  /// Waits for the outcome; throws EINTR when the waiting task is cancelled first.
  func value() async throws(FileSystemError) -> Value {
    let id = state.withLock { state -> UInt64 in
      guard case .running(let waiters, let next) = state else { return 0 }
      state = .running(waiters: waiters, next: next + 1)
      return next
    }
    let interrupted = Outcome.failure(FileSystemError(.interrupted, "the request was interrupted"))
    let outcome = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let now = state.withLock { state -> Outcome? in
          switch state {
          case .done(let outcome): return outcome
          case .running(var waiters, let next):
            if Task.isCancelled { return interrupted }
            waiters[id] = continuation
            state = .running(waiters: waiters, next: next)
            return nil
          }
        }
        if let now { continuation.resume(returning: now) }
      }
    } onCancel: {
      let waiter = state.withLock { state -> CheckedContinuation<Outcome, Never>? in
        guard case .running(var waiters, let next) = state else { return nil }
        let waiter = waiters.removeValue(forKey: id)
        state = .running(waiters: waiters, next: next)
        return waiter
      }
      waiter?.resume(returning: interrupted)
    }
    return try outcome.get()
  }

  /// Sets the outcome; only the first one counts.
  func finish(_ outcome: Result<Value, FileSystemError>) {
    let waiters = state.withLock { state -> [UInt64: CheckedContinuation<Outcome, Never>] in
      guard case .running(let waiters, _) = state else { return [:] }
      state = .done(outcome)
      return waiters
    }
    for waiter in waiters.values { waiter.resume(returning: outcome) }
  }
}
