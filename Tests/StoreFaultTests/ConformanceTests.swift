import FaultProxy
import ObjectStore
import StoreConformance
import Testing

extension StoreFaults {
  /// All contracts of `ObjectStore` hold although every few requests one fails: each fault is of a kind that a client
  /// makes good.
  @Suite struct ConformanceTests {
    /// Prime distances, so that the faults meet other requests each time; about one request in five fails.
    private static let rules: [FaultRule] = [
      (11, Fault.refuse(code: "InternalError")), (13, .refuse(code: "SlowDown")), (17, .reset), (19, .loseAnswer),
      (23, .resetDuringRequest(bytes: 50)), (29, .close), (31, .refuse(code: "TooManyRequests")),
      (37, .replaceAnswer(code: "InternalError")), (41, .truncateAnswer(bytes: 30)), (43, .resetAnswer(bytes: 30)),
    ].map { FaultRule($1, on: FaultRule.Match(every: $0)) }

    @Test(arguments: Conformance.all) func throughFaults(_ contract: ConformanceCheck) async throws {
      let bed = try Bed(
        stall: 15, policy: RetryPolicy(maximumAttempts: 12, firstDelay: 0.01, longestDelay: 0.2, patience: 120))
      bed.proxy.setRules(Self.rules)
      try await contract.perform(
        on: ConformanceSubject(
          bed.faulty, prefix: bed.prefix, secondClient: bed.direct, capabilities: .seaweedFS))
      try await bed.cleanUp()
    }
  }
}
