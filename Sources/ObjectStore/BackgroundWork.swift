// Work that must come to its end although whoever started it is gone: a cancelled writer's upload has to be removed.
//
// Invariants: what was started here is not cancelled with its starter; a result is either given to the caller or to the
// caller's `orphan` closure, never to both and never to nobody.

import Synchronization

/// Tasks that outlive their starters, counted so that the end of the program can wait for them.
public final class BackgroundWork: Sendable {
  /// That of the process.
  public static let shared = BackgroundWork()

  private let running = Mutex(0)

  /// Makes an empty set of tasks; tests have their own.
  public init() {}

  /// Tasks under way.
  public var count: Int { running.withLock { $0 } }

  /// Starts work that nobody waits for.
  public func start(_ work: @escaping @Sendable () async -> Void) {
    running.withLock { $0 += 1 }
    Task {
      await work()
      running.withLock { $0 -= 1 }
    }
  }

  /// Waits until nothing is under way, at most so many seconds; answers how many tasks are left.
  @discardableResult
  public func settle(within seconds: Double) async -> Int {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    while count > 0, clock.now < end, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(20)) }
    return count
  }

  /// Carries work out to its end even when the caller is cancelled meanwhile: the caller hears of the cancellation at
  /// once, and what the work then still yields goes to `orphan`.
  /// - Throws: `CancellationError` when the task is cancelled first; else what `work` throws.
  public func carryOut<Value: Sendable>(
    _ work: @escaping @Sendable () async throws -> Value, orphan: @escaping @Sendable (Value) async -> Void
  ) async throws -> Value {
    try Task.checkCancellation()
    let handoff = Handoff<Value>()
    start {
      let result: Result<Value, any Error>
      do { result = .success(try await work()) } catch { result = .failure(error) }
      if !handoff.deliver(result), case .success(let value) = result { await orphan(value) }
    }
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { handoff.wait($0) }
    } onCancel: {
      handoff.abandon()
    }
    return try result.get()
  }
}

/// Where a result and the one who waits for it meet.
private final class Handoff<Value: Sendable>: Sendable {
  typealias Outcome = Result<Value, any Error>

  private enum State {
    case nobodyYet
    case waiting(CheckedContinuation<Outcome, Never>)
    case delivered(Outcome)
    /// The caller has left, or has been answered.
    case over
  }

  private let state = Mutex(State.nobodyYet)

  /// Hands a result over. False when the caller has left.
  func deliver(_ result: Outcome) -> Bool {
    let (isTaken, waiter) = state.withLock { state -> (Bool, CheckedContinuation<Outcome, Never>?) in
      switch state {
      case .nobodyYet:
        state = .delivered(result)
        return (true, nil)
      case .waiting(let waiter):
        state = .over
        return (true, waiter)
      case .delivered, .over:
        return (false, nil)
      }
    }
    waiter?.resume(returning: result)
    return isTaken
  }

  /// Waits for the result.
  func wait(_ waiter: CheckedContinuation<Outcome, Never>) {
    let result = state.withLock { state -> Outcome? in
      switch state {
      case .nobodyYet:
        state = .waiting(waiter)
        return nil
      case .delivered(let result):
        state = .over
        return result
      case .waiting, .over:
        return .failure(CancellationError())
      }
    }
    if let result { waiter.resume(returning: result) }
  }

  /// Leaves without the result. One that has been delivered already stays the caller's.
  func abandon() {
    let waiter = state.withLock { state -> CheckedContinuation<Outcome, Never>? in
      switch state {
      case .nobodyYet:
        state = .over
        return nil
      case .waiting(let waiter):
        state = .over
        return waiter
      case .delivered, .over:
        return nil
      }
    }
    waiter?.resume(returning: .failure(CancellationError()))
  }
}
