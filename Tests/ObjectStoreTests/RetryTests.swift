import ObjectStore
import Synchronization
import Testing

private let place = StoreLocation(provider: "memory", endpoint: "m", bucket: "b")

private func failure(_ code: StoreError.Code, transient: Bool, retryAfter: Double? = nil) -> StoreError {
  StoreError(
    code, operation: "Test", location: place, reason: "made up", isTransient: transient, retryAfter: retryAfter)
}

@Suite struct RetryPolicyTests {
  @Test func permanentErrorsAreNeverTriedAgain() {
    var state = RetryState(RetryPolicy())
    #expect(state.failed(failure(.accessDenied, transient: false), elapsed: 0, jitter: 0.5) == .giveUp)
  }

  @Test func pausesDoubleUpToTheLongest() {
    var state = RetryState(RetryPolicy(maximumAttempts: 10, firstDelay: 0.1, longestDelay: 1, patience: 100))
    var pauses: [Double] = []
    while case .retry(let pause) = state.failed(failure(.serverError, transient: true), elapsed: 0, jitter: 1) {
      pauses.append(pause)
    }
    #expect(pauses == [0.1, 0.2, 0.4, 0.8, 1, 1, 1, 1, 1])
    #expect(state.failures == 10)
  }

  @Test func jitterSpreadsPausesDownToNothing() {
    var state = RetryState(RetryPolicy())
    #expect(state.failed(failure(.serverError, transient: true), elapsed: 0, jitter: 0) == .retry(after: 0))
  }

  @Test func aStoreThatAsksForAPauseGetsIt() {
    var state = RetryState(RetryPolicy(longestDelay: 4))
    let error = failure(.throttled, transient: true, retryAfter: 3)
    #expect(state.failed(error, elapsed: 0, jitter: 0) == .retry(after: 3))
    #expect(
      state.failed(failure(.throttled, transient: true, retryAfter: 600), elapsed: 0, jitter: 0) == .retry(after: 4))
  }

  @Test func anUnreachableStoreIsReportedSoonerThanAFailingOne() {
    let policy = RetryPolicy(patience: 60, patienceWhenUnreachable: 6)
    var away = RetryState(policy)
    var failing = RetryState(policy)
    #expect(away.failed(failure(.unreachable, transient: true), elapsed: 6.5, jitter: 0) == .giveUp)
    #expect(failing.failed(failure(.serverError, transient: true), elapsed: 6.5, jitter: 0) == .retry(after: 0))
  }
}

@Suite struct RetryingStoreTests {
  /// Fails the first `count` calls of an operation.
  private static func failing(
    _ count: Int, _ operation: StoreOperation, _ error: StoreError, lostAnswer: Bool = false, base: MemoryStore,
    policy: RetryPolicy = RetryPolicy(maximumAttempts: 4, firstDelay: 0.001, longestDelay: 0.002)
  ) -> RetryingStore<FaultInjectingStore<MemoryStore>> {
    let left = Mutex(count)
    let hook: FaultInjectingStore<MemoryStore>.Hook = { called, _ in
      guard called == operation else { return }
      let fails = left.withLock { left in
        left -= 1
        return left >= 0
      }
      if fails { throw error }
    }
    let faulty =
      lostAnswer ? FaultInjectingStore(base, after: hook) : FaultInjectingStore(base, before: hook)
    return RetryingStore(faulty, policy: policy)
  }

  @Test(arguments: [StoreOperation.put, .get, .list, .head, .delete, .copy, .beginUpload])
  func transientFailuresAreOvercome(operation: StoreOperation) async throws {
    let base = MemoryStore()
    try await base.put("k", [1, 2, 3], condition: .none)
    let store = Self.failing(3, operation, failure(.serverError, transient: true), base: base)
    switch operation {
    case .put: #expect(try await store.put("new", [9], condition: .none).size == 1)
    case .get: #expect(try await store.get("k", range: nil, version: nil).bytes == [1, 2, 3])
    case .list: #expect(try await store.listAll("").map(\.key) == ["k"])
    case .head: #expect(try await store.head("k").size == 3)
    case .delete:
      try await store.delete("k")
      #expect(try await base.listAll("").isEmpty)
    case .copy:
      #expect(try await store.copy(from: "k", inBucket: base.location.bucket, version: nil, to: "c").size == 3)
    default: #expect(try await store.beginUpload("u").key == "u")
    }
  }

  @Test func theLastFailureIsReportedWithTheNumberOfTries() async throws {
    let store = Self.failing(99, .head, failure(.serverError, transient: true), base: MemoryStore())
    let error = await #expect(throws: StoreError.self) { try await store.head("k") }
    #expect(error?.description.contains("tried 4 times") == true)
  }

  @Test func aLostAnswerToACreationIsRecognisedAsOurOwnObject() async throws {
    let base = MemoryStore()
    let store = Self.failing(1, .put, failure(.connectionLost, transient: true), lostAnswer: true, base: base)
    #expect(try await store.put("k", [4, 5], condition: .absent).size == 2)
  }

  @Test func someoneElsesObjectIsNotTakenForOurs() async throws {
    let base = MemoryStore()
    try await base.put("k", [7, 7], condition: .none)
    let store = Self.failing(1, .put, failure(.connectionLost, transient: true), base: base)
    let error = await #expect(throws: StoreError.self) { try await store.put("k", [4, 5], condition: .absent) }
    #expect(error?.code == .preconditionFailed)
    #expect(try await base.get("k", range: nil, version: nil).bytes == [7, 7])
  }

  @Test func aLostAnswerToACompletionIsResolvedByLooking() async throws {
    let base = MemoryStore()
    let store = Self.failing(
      1, .completeUpload, failure(.connectionLost, transient: true), lostAnswer: true, base: base)
    let upload = try await store.beginUpload("k")
    let part = try await store.uploadPart(upload, number: 1, [1, 2, 3])
    #expect(try await store.completeUpload(upload, parts: [part], condition: .none).size == 3)
  }

  /// A part may well take longer than patience lasts, as long as its bytes move.
  @Test(arguments: [true, false]) func patienceWithAStreamedPartCountsFromItsLastPiece(moves: Bool) async throws {
    let base = MemoryStore()
    let store = Self.failing(
      1, .uploadPart, failure(.connectionLost, transient: true), lostAnswer: true, base: base,
      policy: RetryPolicy(firstDelay: 0, longestDelay: 0, patience: 0.4))
    let upload = try await store.beginUpload("k", streaming: true)
    let source = PartSource(size: Int64(2 * PartSource.pieceSize)) { range in
      if moves, range.lowerBound == 0 { try await Task.sleep(for: .milliseconds(600)) }
      return [UInt8](repeating: 1, count: range.count)
    }
    if moves {
      _ = try await store.uploadPart(upload, number: 1, from: source)
      return
    }
    let slow = FaultInjectingStore(
      base,
      after: { _, _ in
        try await Task.sleep(for: .milliseconds(600))
        throw failure(.connectionLost, transient: true)
      })
    let impatient = RetryingStore(slow, policy: RetryPolicy(firstDelay: 0, longestDelay: 0, patience: 0.4))
    let error = await #expect(throws: StoreError.self) {
      try await impatient.uploadPart(upload, number: 1, from: source)
    }
    #expect(error?.description.contains("tried") == false)
  }

  @Test func cancellingEndsAPauseAtOnce() async throws {
    let base = FaultInjectingStore(MemoryStore(), before: { _, _ in throw failure(.serverError, transient: true) })
    let store = RetryingStore(
      base, policy: RetryPolicy(maximumAttempts: 9, firstDelay: 1000, longestDelay: 1000, patience: 1e9))
    let task = Task { try await store.head("k") }
    task.cancel()
    let result = await task.result
    #expect(throws: StoreError.self) { try result.get() }
  }
}
