// Decides which of many like errors reach the log: a store that is down must not fill the disk.

import SystemPackage

/// Lets the first errors of a kind through in each period and counts the rest. Knows no clock.
struct LogThrottle {
  /// Errors that are alike: same operation, same errno.
  struct Kind: Hashable {
    var operation: Operation
    var errno: Errno
  }

  /// What to do with an error.
  enum Decision: Equatable {
    /// Log it; so many like it were kept back before.
    case log(keptBack: Int)
    /// Keep it back.
    case keepBack
  }

  private struct Period {
    var start: Duration
    var logged: Int
    var keptBack: Int
  }

  /// Lines for each kind of error in each period.
  static let linesPerPeriod = 5
  /// Length of a period.
  static let period = Duration.seconds(60)

  private var periods: [Kind: Period] = [:]

  /// Decides about an error.
  /// - Parameter now: time since any fixed moment.
  mutating func decide(_ kind: Kind, now: Duration) -> Decision {
    guard var period = periods[kind], now - period.start < Self.period else {
      let keptBack = periods[kind]?.keptBack ?? 0
      periods[kind] = Period(start: now, logged: 1, keptBack: 0)
      return .log(keptBack: keptBack)
    }
    defer { periods[kind] = period }
    if period.logged < Self.linesPerPeriod {
      period.logged += 1
      return .log(keptBack: 0)
    }
    period.keptBack += 1
    return .keepBack
  }
}
