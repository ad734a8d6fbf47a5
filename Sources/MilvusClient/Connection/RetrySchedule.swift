// Whether and when a failed call is repeated. A value without clock: it is told how much time has passed.

/// The waits between the attempts of one call.
struct RetrySchedule {
  /// Whether a call can be repeated after a failure that leaves open whether the server carried it out.
  enum Repeatability: Sendable {
    /// Carrying it out twice is the same as once.
    case always
    /// It may be sent again only if the server surely did not carry it out.
    case ifNotCarriedOut
  }

  /// The most attempts against a server that is away; as many as the official tool makes.
  static let maxOutageAttempts = 6
  /// The most attempts against a full quota. With the default waits they fill the default budget.
  static let maxRateLimitAttempts = 30

  private let options: MilvusClientOptions
  private let repeatability: Repeatability
  private var outageDelay: Duration
  private var rateLimitDelay: Duration
  private var outages = 0
  private var refusals = 0

  init(options: MilvusClientOptions, repeatability: Repeatability) {
    self.options = options
    self.repeatability = repeatability
    self.outageDelay = options.outageDelay
    self.rateLimitDelay = options.rateLimitDelay
  }

  /// How long to wait before the next attempt, `nil` if there is to be none.
  ///
  /// - Parameters:
  ///   - error: what the latest attempt met.
  ///   - elapsed: time since the first attempt began. No attempt starts after the budget, so a call against a server
  ///     that is away ends within the outage budget and one attempt's connect timeout, whichever is longer.
  mutating func delay(after error: MilvusError, elapsed: Duration) -> Duration? {
    if error.mayHaveHappened && repeatability == .ifNotCarriedOut { return nil }
    switch error.code {
    case .unreachable:
      let delay = outageDelay
      outages += 1
      guard outages < Self.maxOutageAttempts, elapsed + delay < options.outageBudget else { return nil }
      outageDelay *= 3
      return delay
    case .rateLimited:
      let delay = rateLimitDelay
      refusals += 1
      guard refusals < Self.maxRateLimitAttempts, elapsed + delay < options.rateLimitBudget else { return nil }
      rateLimitDelay = min(delay * 2, options.rateLimitDelay * 10)
      return delay
    default:
      return nil
    }
  }
}
