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

  /// What is measured first is often wrong: the source is still being listed, connections are made.
  @Test func oneWrongMeasureAtTheBeginningCostsLittle() {
    var control = ConcurrencyControl()
    var now = 0.0
    control.succeeded(bytes: 512 << 10, now: now, wasFull: true)
    while now < 2 {
      let isDisturbed = control.limit > ConcurrencyControl.first && now < 0.6
      now += 0.05 / Double(isDisturbed ? ConcurrencyControl.first : control.limit)
      control.succeeded(bytes: 512 << 10, now: now, wasFull: true)
    }
    #expect(control.limit >= 18, "\(control.limit)")
  }

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

  /// Which of these numbers under way let one more begin, asked one after the other.
  private func begins(_ control: ConcurrencyControl, beside numbers: Int...) -> [Bool] {
    var control = control
    return numbers.map { control.mayBegin(beside: $0) }
  }

  @Test func aGroupThatWasHeldUpGoesOn() {
    let first = ConcurrencyControl.first
    let asked = begins(ConcurrencyControl(), beside: first / 2, first - 1, first, first - 1)
    #expect(asked == [true, true, false, false])
  }

  @Test func theLowestLimitLetsMovesBegin() {
    var control = ConcurrencyControl()
    for second in 1...10 { control.throttled(now: Double(second)) }
    #expect(control.limit == 2)
    #expect(begins(control, beside: 0, 1, 2, 1) == [true, true, false, true])
  }
}
