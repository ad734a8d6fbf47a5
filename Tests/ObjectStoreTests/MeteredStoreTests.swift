import ObjectStore
import Testing

@Suite struct MeteredStoreTests {
  @Test func requestsBytesAndFailuresAreCounted() async throws {
    let store = MeteredStore(MemoryStore())
    try await store.put("a", [1, 2, 3], condition: .none)
    try await store.put("b", [4], condition: .none)
    _ = try? await store.put("a", [5, 6], condition: .absent)
    _ = try await store.get("a", range: 1..<9, version: nil)
    for _ in 0..<2 { _ = try? await store.head("absent") }
    try await store.delete(["a", "b"])
    let counts = store.metrics.snapshot
    #expect(Set(counts.keys) == [.put, .get, .head, .deleteMany])
    #expect(counts[.put]?.requests == 3)
    #expect(counts[.put]?.sent == 6)
    #expect(counts[.put]?.failures == [.preconditionFailed: 1])
    #expect(counts[.get]?.received == 2)
    #expect(counts[.get]?.failures == [:])
    #expect(counts[.head]?.failures == [.notFound: 2])
    #expect(counts.values.allSatisfy { $0.inFlight == 0 && $0.seconds > 0 })
  }

  @Test func aStreamedPartIsOneRequestAndItsBytesCountAsTheyAreRead() async throws {
    let store = MeteredStore(MemoryStore())
    let upload = try await store.beginUpload("k", streaming: true)
    let size = Int64(PartSource.pieceSize) + 5
    let source = PartSource(size: size) { range in
      #expect(store.metrics.snapshot[.uploadPart]?.sent == range.lowerBound)
      return [UInt8](repeating: 0, count: range.count)
    }
    _ = try await store.uploadPart(upload, number: 1, from: source)
    let counts = try #require(store.metrics.snapshot[.uploadPart])
    #expect(counts.requests == 1 && counts.sent == size && counts.inFlight == 0)
  }

  @Test func callsUnderWayAreSeen() async throws {
    let metrics = StoreMetrics()
    let base = FaultInjectingStore(
      MemoryStore(), before: { _, _ in #expect(metrics.snapshot[.list]?.inFlight == 1) },
      after: { _, _ in #expect(metrics.snapshot[.list]?.requests == 0) })
    _ = try await MeteredStore(base, metrics: metrics).list(ListRequest(prefix: ""))
    #expect(metrics.snapshot[.list]?.inFlight == 0 && metrics.snapshot[.list]?.requests == 1)
  }

  @Test func eachTryBelowRetriesIsCounted() async throws {
    let failing = FaultInjectingStore(
      MemoryStore(),
      before: { _, key in
        throw StoreError(
          .throttled, operation: "HeadObject", key: key,
          location: StoreLocation(provider: "memory", endpoint: "m", bucket: "b"), reason: "busy", isTransient: true)
      })
    let (below, above) = (StoreMetrics(), StoreMetrics())
    let store = MeteredStore(
      RetryingStore(
        MeteredStore(failing, metrics: below),
        policy: RetryPolicy(maximumAttempts: 3, firstDelay: 0, longestDelay: 0)), metrics: above)
    _ = try? await store.head("k")
    #expect(below.snapshot[.head]?.failures == [.throttled: 3])
    #expect(above.snapshot[.head]?.failures == [.throttled: 1])
  }

  @Test func everyMetricHasItsUnitAndValue() {
    var counts = OperationMetrics()
    counts.requests = 7
    counts.failures = [.notFound: 1, .changed: 2]
    counts.received = 10
    counts.sent = 20
    counts.inFlight = 3
    counts.seconds = 1.5
    let values = StoreMetric.allCases.map { "\($0.rawValue) \(counts.value(of: $0)) \($0.unit)" }
    #expect(
      values == [
        "store_requests_total 7.0 requests", "store_failures_total 3.0 requests", "store_received_bytes 10.0 bytes",
        "store_sent_bytes 20.0 bytes", "store_in_flight_requests 3.0 requests", "store_duration_seconds 1.5 seconds",
      ])
  }
}
