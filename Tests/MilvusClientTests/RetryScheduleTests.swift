import Testing

@testable import MilvusClient

@Suite struct RetryScheduleTests {
  private let options = MilvusClientOptions()
  private let away = MilvusError(code: .unreachable, reason: "")
  private let limited = MilvusError(code: .rateLimited, reason: "")

  /// The waits against a server that fails at once each time.
  private func waits(_ error: MilvusError, _ repeatability: RetrySchedule.Repeatability) -> [Duration] {
    var schedule = RetrySchedule(options: options, repeatability: repeatability)
    var elapsed = Duration.zero
    var waits: [Duration] = []
    while let delay = schedule.delay(after: error, elapsed: elapsed), waits.count < 1000 {
      waits.append(delay)
      elapsed += delay
    }
    return waits
  }

  @Test func `outage is tried again five times, within eight seconds`() {
    #expect(
      waits(away, .always) == [60, 180, 540, 1620, 4860].map { Duration.milliseconds($0) })
  }

  @Test func `quota is waited for, longer each time up to a limit, within two minutes`() {
    let waits = waits(limited, .always)
    #expect(Array(waits.prefix(6)) == [500, 1000, 2000, 4000, 5000, 5000].map { Duration.milliseconds($0) })
    let total = waits.reduce(.zero, +)
    #expect(total < options.rateLimitBudget && total > options.rateLimitBudget - .seconds(10))
    #expect(waits.count < RetrySchedule.maxRateLimitAttempts)
  }

  @Test func `attempts are counted when they cost no time`() {
    var schedule = RetrySchedule(options: options, repeatability: .always)
    let outages = (0..<100).count { _ in schedule.delay(after: away, elapsed: .zero) != nil }
    let refusals = (0..<100).count { _ in schedule.delay(after: limited, elapsed: .zero) != nil }
    // One attempt more than there are waits; waits also end when one alone is longer than the budget.
    #expect(outages == RetrySchedule.maxOutageAttempts - 1)
    #expect(refusals == RetrySchedule.maxRateLimitAttempts - 1)
  }

  @Test func `connecting in vain for the whole budget is not repeated`() {
    var schedule = RetrySchedule(options: options, repeatability: .always)
    #expect(schedule.delay(after: away, elapsed: .seconds(10)) == nil)
  }

  @Test func `what may have happened is repeated only if that does no harm`() {
    let broken = MilvusError(code: .unreachable, reason: "", mayHaveHappened: true)
    #expect(waits(broken, .ifNotCarriedOut).isEmpty)
    #expect(!waits(broken, .always).isEmpty)
    #expect(!waits(away, .ifNotCarriedOut).isEmpty)
    #expect(!waits(limited, .ifNotCarriedOut).isEmpty)
  }

  @Test(arguments: [
    MilvusError.Code.timedOut, .authentication, .permission, .notFound, .alreadyExists, .unsupported,
    .invalidArgument, .server, .cancelled,
  ])
  func `other failures are not repeated`(code: MilvusError.Code) {
    #expect(waits(MilvusError(code: code, reason: ""), .always).isEmpty)
  }
}
