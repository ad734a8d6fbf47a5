import ObjectStore
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct LimitingStoreTests {
  /// What is in the wrapped store at once.
  private final class Gauge: Sendable {
    private let state = Mutex((now: 0, most: 0))
    func enter() {
      state.withLock { state in
        state.now += 1
        state.most = max(state.most, state.now)
      }
    }
    func leave() { state.withLock { $0.now -= 1 } }
    var most: Int { state.withLock { $0.most } }
  }

  private static func gauged(_ gauge: Gauge) -> FaultInjectingStore<MemoryStore> {
    FaultInjectingStore(
      MemoryStore(),
      before: { _, _ in
        gauge.enter()
        for _ in 0..<5 { await Task.yield() }
      }, after: { _, _ in gauge.leave() })
  }

  @Test func neverMoreRequestsThanAllowed() async throws {
    let gauge = Gauge()
    let store = LimitingStore(Self.gauged(gauge), requests: 4, bytes: ByteBudget(capacity: 1 << 20))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<60 {
        group.addTask { try await store.put(ObjectKey("\(number)"), [1], condition: .none) }
      }
      try await group.waitForAll()
    }
    #expect(gauge.most == 4)
    #expect(store.requestsInFlight == 0)
  }

  @Test func neverMoreBodyBytesThanAllowed() async throws {
    let budget = ByteBudget(capacity: 1000)
    let gauge = Gauge()
    let store = LimitingStore(Self.gauged(gauge), requests: 50, bytes: budget)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<40 {
        group.addTask {
          let key = ObjectKey("\(number)")
          try await store.put(key, [UInt8](repeating: 1, count: 300), condition: .none)
          _ = try await store.get(key, range: 0..<400, version: nil)
        }
      }
      try await group.waitForAll()
    }
    #expect(gauge.most == 3)
    #expect(budget.used == 0)
  }

  @Test func anObjectOfUnknownSizeIsReadWithinTheBudgetAndWhole() async throws {
    let budget = ByteBudget(capacity: 1000)
    let ranges = Mutex<[Int]>([])
    let base = MemoryStore()
    let watched = FaultInjectingStore(base, before: { _, _ in ranges.withLock { $0.append(budget.used) } })
    let store = LimitingStore(watched, requests: 1, bytes: budget)
    for size in [0, 999, 1000, 1001, 5000] {
      let body = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
      try await base.put("k", body, condition: .none)
      #expect(try await store.get("k", range: nil, version: nil).bytes == body)
      #expect(try await store.get("k", range: 0..<Int64.max, version: nil).bytes == body)
      #expect(try await store.get("k", range: 10..<Int64.max, version: nil).bytes == Array(body.dropFirst(10)))
    }
    #expect(ranges.withLock { $0.allSatisfy { $0 == 1000 } })
  }

  @Test func aFailedRequestGivesItsPlaceBack() async throws {
    let budget = ByteBudget(capacity: 10)
    let store = LimitingStore(MemoryStore(), requests: 1, bytes: budget)
    for _ in 0..<3 {
      let error = await #expect(throws: StoreError.self) { try await store.get("absent", range: 0..<5, version: nil) }
      #expect(error?.code == .notFound)
    }
    #expect(budget.used == 0 && store.requestsInFlight == 0)
  }

  @Test(arguments: [true, false]) func oneThatIsCancelledWhileItWaitsTakesNothing(_ waitsForBytes: Bool) async throws {
    let (entered, isIn) = AsyncStream<Void>.makeStream()
    let (release, letGo) = AsyncStream<Void>.makeStream()
    let held = FaultInjectingStore(
      MemoryStore(),
      before: { _, key in
        guard key == "held" else { return }
        isIn.yield()
        for await _ in release { break }
      })
    let budget = ByteBudget(capacity: waitsForBytes ? 10 : 1000)
    let store = LimitingStore(held, requests: waitsForBytes ? 5 : 1, bytes: budget)
    let first = Task { try await store.put("held", [UInt8](repeating: 0, count: 10), condition: .none) }
    for await _ in entered { break }
    let second = Task { try await store.put("second", [1], condition: .none) }
    second.cancel()
    let error = await #expect(throws: StoreError.self) { try await second.value }
    #expect(error?.code == .cancelled && error?.key == "second")
    letGo.yield()
    _ = try await first.value
    try await store.put("third", [1], condition: .none)
    #expect(budget.used == 0 && store.requestsInFlight == 0)
  }
}
