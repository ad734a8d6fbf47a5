import ObjectStore
import StoreConformance
import Testing

/// The store in memory keeps every contract, alone and under each decorator.
@Suite(.timeLimit(.minutes(3))) struct ConformanceTests {
  private let service = MemoryService(name: "memory")

  private func memory(_ bucket: String = "bucket") -> MemoryStore {
    MemoryStore(service: service, bucket: bucket, limits: UploadLimits(minimumPartSize: 50_000))
  }

  private func check(_ check: ConformanceCheck, _ store: any ObjectStore) async throws {
    try await check.perform(
      on: ConformanceSubject(store, prefix: "test/", secondClient: memory(), otherBucket: memory("other")))
    #expect(service.unfinishedUploads == 0)
  }

  @Test(arguments: Conformance.all) func inMemory(_ contract: ConformanceCheck) async throws {
    try await check(contract, memory())
  }

  @Test(arguments: Conformance.all) func retrying(_ contract: ConformanceCheck) async throws {
    try await check(contract, RetryingStore(memory()))
  }

  @Test(arguments: Conformance.all) func limited(_ contract: ConformanceCheck) async throws {
    try await check(contract, LimitingStore(memory(), requests: 3, bytes: ByteBudget(capacity: 100_000)))
  }

  @Test(arguments: Conformance.all) func metered(_ contract: ConformanceCheck) async throws {
    let store = MeteredStore(memory())
    try await check(contract, store)
    #expect(store.metrics.snapshot.values.allSatisfy { $0.inFlight == 0 })
  }

  /// Every third call fails before it is done, and every third one after, its answer lost.
  @Test(arguments: Conformance.all) func retryingOverFaults(_ contract: ConformanceCheck) async throws {
    let faults = Faults()
    let faulty = FaultInjectingStore(
      memory(), before: { try faults.pass($0, $1, lot: 1) }, after: { try faults.pass($0, $1, lot: 2) })
    let policy = RetryPolicy(maximumAttempts: 30, firstDelay: 0, longestDelay: 0)
    try await check(contract, RetryingStore(faulty, policy: policy))
  }
}
