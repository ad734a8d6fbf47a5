import FaultProxy
import ObjectStore
import Testing

extension StoreFaults {
  /// Every operation under every fault, once and always: it succeeds with what is right or fails with the right error, in
  /// bounded time, and the store holds the old object, the new one or none.
  @Suite(.serialized) struct FaultTableTests {
    @Test(arguments: Row.before) func beforeTheStore(row: Row) async throws { try await check(row) }

    @Test(arguments: Row.behind) func behindTheStore(row: Row) async throws { try await check(row) }

    private func check(_ row: Row) async throws {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for call in Call.allCases where !row.undetectable.contains(call) {
          for always in [false, true] { group.addTask { try await check(row, call, always: always) } }
        }
        try await group.waitForAll()
      }
    }

    private func check(_ row: Row, _ call: Call, always: Bool) async throws {
      // Few tries, so that faults without end are soon over with.
      let bed = try Bed(
        stall: 2,
        policy: RetryPolicy(maximumAttempts: always ? 2 : 6, firstDelay: 0.01, longestDelay: 0.1, patience: 30))
      let setting = try await call.prepare(bed)
      bed.proxy.setRules(row.rules(call, always: always))
      let begin = ContinuousClock.now
      let outcome = await call.run(bed, setting)
      let seconds = (ContinuousClock.now - begin) / .seconds(1)
      let name = "\(call) under \(row) \(always ? "always" : "once")"
      let expected = row.expected(call, always: always)
      #expect(expected.contains(outcome), "\(name): \(outcome) instead of \(expected)")
      #expect(seconds < Row.bound, "\(name) took \(seconds) s")
      // The fault was really met; pauses are not noted.
      if case .latency = row.fault {
        #expect(bed.proxy.counters.requests > 0)
      } else {
        #expect(!bed.proxy.events.isEmpty, "\(name): no request met the fault")
      }
      let damage = try await call.damage(bed, after: outcome, isUntouched: always && row.fault.keepsStoreUntouched)
      #expect(damage == nil, "\(name)")
      try await bed.cleanUp()
    }
  }
}
