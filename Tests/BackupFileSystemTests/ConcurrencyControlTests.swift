import Testing

@testable import ObjectStore

/// Finding how many moves to have in flight, against a made-up store.
@Suite struct ConcurrencyControlTests {
  /// A store that does `capacity` requests at once and queues the rest; answers the number that was found.
  private func settle(capacity: Int, latency: Double) -> (limit: Int, largest: Int) {
    var control = ConcurrencyControl()
    var now = 0.0
    var largest = 0
    control.succeeded(bytes: 512 << 10, now: now, wasFull: true)
    var limits: [Int] = []
    for _ in 0..<20_000 {
      let rate = Double(min(control.limit, capacity)) / latency
      now += 1 / rate
      control.succeeded(bytes: 512 << 10, now: now, wasFull: true)
      largest = max(largest, control.limit)
      limits.append(control.limit)
    }
    let late = limits.suffix(10_000).sorted()
    return (late[late.count / 2], largest)
  }

  @Test func aDistantStoreGetsMany() { #expect(settle(capacity: 1000, latency: 0.05).limit >= 60) }

  @Test func aSlowStoreGetsFew() {
    let (limit, largest) = settle(capacity: 10, latency: 0.02)
    #expect((8...16).contains(limit) && largest <= 30, "\(limit) \(largest)")
  }

  @Test func throttlingHalves() {
    var control = ConcurrencyControl()
    control.throttled(now: 1)
    #expect(control.limit == ConcurrencyControl.first / 2)
  }

  @Test func whatIsNotLimitedByTheNumberSaysNothingAboutIt() {
    var control = ConcurrencyControl()
    for step in 0..<10_000 { control.succeeded(bytes: 1, now: Double(step) / 100, wasFull: false) }
    #expect(control.limit == ConcurrencyControl.first)
  }

  @Test func movesBeginInGroups() {
    var control = ConcurrencyControl()
    var running = 0
    func begin() -> Int {
      let before = running
      while control.mayBegin(beside: running) { running += 1 }
      return running - before
    }
    #expect(begin() == ConcurrencyControl.first)
    for _ in 0..<10 {
      for _ in 1..<ConcurrencyControl.first / 2 {
        running -= 1
        #expect(control.isLimiting(running) && begin() == 0)
      }
      running -= 1
      #expect(!control.isLimiting(running) && begin() == ConcurrencyControl.first / 2)
    }
  }

  @Test func aGroupThatWasHeldUpGoesOn() {
    var control = ConcurrencyControl()
    #expect(control.mayBegin(beside: ConcurrencyControl.first / 2))
    #expect(control.mayBegin(beside: ConcurrencyControl.first - 1))
    #expect(!control.mayBegin(beside: ConcurrencyControl.first))
    #expect(!control.mayBegin(beside: ConcurrencyControl.first - 1))
  }

  @Test func aLowerLimitIsNeverANumberThatNothingReaches() {
    var control = ConcurrencyControl()
    for second in 1...10 { control.throttled(now: Double(second)) }
    #expect(control.limit == 2)
    #expect(control.mayBegin(beside: 0) && control.mayBegin(beside: 1) && !control.mayBegin(beside: 2))
    #expect(control.mayBegin(beside: 1))
  }
}
