import ObjectStore
import Synchronization
import Testing

/// The largest value seen.
private final class Maximum: Sendable {
  private let value = Mutex(0)
  func see(_ new: Int) { value.withLock { $0 = max($0, new) } }
  var seen: Int { value.withLock { $0 } }
}

@Suite struct ByteBudgetTests {
  @Test func neverMoreThanTheCapacityIsOut() async throws {
    let budget = ByteBudget(capacity: 100)
    let most = Maximum()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<200 {
        group.addTask { @Sendable in
          try await budget.withBytes(1 + number % 60) {
            most.see(budget.used)
            await Task.yield()
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(most.seen <= 100)
    #expect(most.seen > 60)
    #expect(budget.used == 0)
  }

  @Test func anAmountAboveTheCapacityTakesTheWholeOfIt() async throws {
    let budget = ByteBudget(capacity: 10)
    try await budget.withBytes(1000) { #expect(budget.used == 10) }
    #expect(budget.used == 0)
  }

  @Test func whoWaitsForEachOtherExceedsItOneAfterTheOther() async throws {
    let budget = ByteBudget(capacity: 10)
    // Five that hold two each and can only go on with six more.
    for _ in 0..<5 { try await budget.acquire(2) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<5 {
        group.addTask {
          try await budget.acquire(6, patience: .milliseconds(50))
          budget.release(8)
        }
      }
      try await group.waitForAll()
    }
    #expect(budget.used == 0)
    // While something moves nobody takes more than there is.
    try await budget.acquire(10)
    let impatient = Task { try await budget.acquire(1, patience: .seconds(600)) }
    await Task.yield()
    #expect(budget.used == 10)
    budget.release(10)
    try await impatient.value
    #expect(budget.used == 1)
  }

  @Test func smallRequestsDoNotOvertakeALargeOneThatWaits() async throws {
    let budget = ByteBudget(capacity: 10)
    try await budget.acquire(6)
    let large = Task { try await budget.acquire(8) }
    while budget.tryAcquire(1) {
      budget.release(1)
      await Task.yield()
    }
    #expect(!budget.tryAcquire(1), "the large request waits, so a later one must not pass it")
    budget.release(6)
    try await large.value
    #expect(budget.used == 8)
  }

  @Test func aCancelledWaiterTakesNothingAndBlocksNobody() async throws {
    let budget = ByteBudget(capacity: 10)
    try await budget.acquire(10)
    let waiting = Task { try await budget.acquire(5) }
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    budget.release(10)
    try await budget.acquire(10)
    #expect(budget.used == 10)
  }
}
