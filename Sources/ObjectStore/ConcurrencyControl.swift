// How many objects to move at once: found by trying, not configured. A value without a clock; whoever performs the moves
// tells it what happened and when.
//
// Moves begin in groups: none until half of those under way have ended, then as many at once as there is room for. A store
// that is asked for objects one by one, as each move ends, falls asleep and wakes for each; asked for several it works
// through them. Of two SeaweedFS the one read from took 6.8 s of CPU for 1 GiB in 2,000 objects one by one, 3.9 s when curl
// read 16 at a time.
//
// The number grows while more in flight bring more done per second, steps back when they do not, and is halved when a
// store asks for fewer requests. A move counts by its bytes plus a constant, so that many small objects and few large ones
// are measured by one measure.

/// Finds the number of moves in flight that a pair of stores takes best.
public struct ConcurrencyControl: Sendable {
  /// Where it begins.
  public static let first = 8
  /// Bounds of the number.
  static let bounds = 2...96
  /// What a move costs beside its bytes, expressed in bytes: about what a store moves in the time of one request.
  private static let overhead: Double = 131_072
  /// How much better a larger number must be to be kept.
  private static let margin = 1.04
  /// Shortest time over which a rate is measured, in seconds.
  private static let shortestEpoch = 0.25
  /// Epochs to stay where it was best before trying again: few at first, for a single measure may be wrong, and one at the
  /// beginning of a copy often is, twice as many each time that more did not bring more.
  private static let restEpochs = 2...8

  /// How many may be in flight now.
  public private(set) var limit = ConcurrencyControl.first

  private enum Phase: Sendable {
    /// Measuring for the first time, or at a number that was just raised from `before`.
    case climbing(before: Int)
    /// Staying at what was found.
    case resting(epochs: Int)
  }

  private var phase = Phase.climbing(before: ConcurrencyControl.first)
  private var rest = ConcurrencyControl.restEpochs.lowerBound
  private var bestRate: Double = 0
  private var epochBegan: Double?
  private var done: Double = 0
  private var finished = 0

  /// Whether a group is being begun.
  private var fills = true

  /// Begins with `first` in flight.
  public init() {}

  /// Whether one more move may begin beside those that are under way: up to `limit`, then no more until half have ended.
  public mutating func mayBegin(beside running: Int) -> Bool {
    if running >= limit { fills = false } else if !isLimiting(running) { fills = true }
    return fills
  }

  /// Whether so many moves are under way because no more may begin. To be asked by those who ask `mayBegin`.
  public func isLimiting(_ running: Int) -> Bool { running > limit / 2 }

  /// A move has succeeded.
  /// - Parameters:
  ///   - bytes: of the object.
  ///   - now: seconds of a clock that never goes back.
  ///   - wasFull: whether as many moves were in flight as might be, this one included; otherwise the number was not what
  ///     limited the rate.
  public mutating func succeeded(bytes: Int64, now: Double, wasFull: Bool) {
    guard wasFull else {
      restart(now)
      return
    }
    guard let began = epochBegan else {
      restart(now)
      return
    }
    done += Double(bytes) + Self.overhead
    finished += 1
    let elapsed = now - began
    guard elapsed >= Self.shortestEpoch, finished >= 2 * limit else { return }
    judge(done / elapsed)
    restart(now)
  }

  /// A store asked for fewer requests.
  public mutating func throttled(now: Double) {
    limit = max(Self.bounds.lowerBound, limit / 2)
    bestRate = 0
    phase = .resting(epochs: Self.restEpochs.upperBound)
    restart(now)
  }

  private mutating func judge(_ rate: Double) {
    switch phase {
    case .climbing(let before):
      if rate > bestRate * Self.margin {
        bestRate = rate
        rest = Self.restEpochs.lowerBound
        climb()
      } else {
        limit = before
        phase = .resting(epochs: rest)
        rest = min(2 * rest, Self.restEpochs.upperBound)
      }
    case .resting(let epochs):
      // The store's own speed may have changed.
      bestRate = bestRate == 0 ? rate : bestRate * 0.7 + rate * 0.3
      if epochs > 1 { phase = .resting(epochs: epochs - 1) } else { climb() }
    }
  }

  private mutating func climb() {
    phase = .climbing(before: limit)
    limit = min(Self.bounds.upperBound, limit + max(2, limit / 2))
  }

  private mutating func restart(_ now: Double) {
    epochBegan = now
    done = 0
    finished = 0
  }
}
