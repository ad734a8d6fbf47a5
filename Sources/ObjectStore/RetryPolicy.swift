// When to ask a store again, as a value without clock or I/O: RetryingStore performs what this decides.
//
// Invariants: at most `maximumAttempts` tries; never a retry of an error that says it is permanent; waiting plus trying
// ends within `patience` seconds unless the store itself asked for a longer pause, which is cut to `longestDelay`.

/// How patient to be with a store.
public struct RetryPolicy: Sendable, Hashable {
  /// Tries in all, the first included; at least 1.
  public var maximumAttempts: Int
  /// Upper bound of the first pause, in seconds; doubles each time.
  public var firstDelay: Double
  /// Upper bound of any pause, in seconds.
  public var longestDelay: Double
  /// No new try begins after so many seconds since the first one began.
  public var patience: Double
  /// The same for a store that cannot be reached at all: an operator should hear of that soon.
  public var patienceWhenUnreachable: Double

  /// Makes a policy; the defaults suit a request that a person or `cp` waits for.
  public init(
    maximumAttempts: Int = 8, firstDelay: Double = 0.1, longestDelay: Double = 4, patience: Double = 60,
    patienceWhenUnreachable: Double = 6
  ) {
    self.maximumAttempts = maximumAttempts
    self.firstDelay = firstDelay
    self.longestDelay = longestDelay
    self.patience = patience
    self.patienceWhenUnreachable = patienceWhenUnreachable
  }
}

/// The course of one operation under a policy.
public struct RetryState: Sendable {
  /// What to do after a failure.
  public enum Decision: Sendable, Hashable {
    /// Try again after so many seconds.
    case retry(after: Double)
    /// Report the failure.
    case giveUp
  }

  /// Failures so far.
  public private(set) var failures = 0
  private let policy: RetryPolicy

  /// Begins under a policy.
  public init(_ policy: RetryPolicy) { self.policy = policy }

  /// Takes note of a failure and decides.
  /// - Parameters:
  ///   - elapsed: seconds since the first try began.
  ///   - jitter: 0…1, uniformly random; spreads clients that failed together.
  public mutating func failed(_ error: StoreError, elapsed: Double, jitter: Double) -> Decision {
    failures += 1
    guard error.isTransient, failures < policy.maximumAttempts else { return .giveUp }
    var bound = policy.firstDelay
    for _ in 1..<max(2, failures) where failures > 1 { bound = min(bound * 2, policy.longestDelay) }
    var delay = bound * max(0, min(1, jitter))
    if let asked = error.retryAfter { delay = max(delay, min(asked, policy.longestDelay)) }
    let patience = error.code == .unreachable ? policy.patienceWhenUnreachable : policy.patience
    return elapsed + delay < patience ? .retry(after: delay) : .giveUp
  }
}
