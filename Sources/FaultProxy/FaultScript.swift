// Decides what happens to each request: a value without clock or I/O, which the proxy asks and obeys.

import Glibc

/// Rules and how often each has matched so far.
public struct FaultScript: Sendable {
  /// What to do with one request.
  public struct Decision: Sendable, Hashable {
    /// Seconds to wait first.
    public var delay: Double = 0
    /// What goes wrong; nil for nothing.
    public var fault: Fault?
    /// The rule that says so.
    public var rule: Int?
  }

  /// The rules in order: of those that match, the first decides; pauses add up.
  public let rules: [FaultRule]
  /// What random choices are drawn from.
  public let seed: UInt64

  private struct Count {
    var matched = 0
    var applied = 0
  }

  private var counts: [Count]
  /// How often each request has come. Grows with the number of objects, which in tests is bounded.
  private var occurrences: [S3Request: UInt64] = [:]
  private let isRandom: Bool

  /// Begins with the first request.
  public init(rules: [FaultRule], seed: UInt64 = 1) {
    self.rules = rules
    self.seed = seed
    counts = Array(repeating: Count(), count: rules.count)
    isRandom = rules.contains { rule in
      if case .latency(_, .some) = rule.fault { return true }
      return rule.match.probability != nil
    }
  }

  /// Takes note of a request and decides.
  public mutating func decide(_ request: S3Request) -> Decision {
    var decision = Decision()
    let occurrence = isRandom ? note(request) : 0
    for (index, rule) in rules.enumerated() where rule.match.describes(request) {
      if case .latency = rule.fault {} else if decision.fault != nil { continue }
      counts[index].matched += 1
      var random = FaultRandom(seed: seed, rule: index, request: request, occurrence: occurrence)
      guard rule.match.selects(number: counts[index].matched, applied: counts[index].applied, random: &random) else {
        continue
      }
      counts[index].applied += 1
      if case .latency(let seconds, let jitter) = rule.fault {
        decision.delay += seconds + (jitter ?? 0) * random.fraction()
      } else {
        decision.fault = rule.fault
        decision.rule = index
      }
    }
    return decision
  }

  private mutating func note(_ request: S3Request) -> UInt64 {
    var identity = request
    // Ids of uploads are the store's, and differ from run to run.
    identity.query["uploadId"] = nil
    occurrences[identity, default: 0] += 1
    return occurrences[identity, default: 0]
  }
}

extension FaultRule.Match {
  /// Whether a request is one of those meant, whatever their number.
  func describes(_ request: S3Request) -> Bool {
    if let method, method != request.method { return false }
    if let operation, operation != request.operation { return false }
    if let keyPrefix, !request.key.utf8.starts(with: keyPrefix.utf8) { return false }
    if let keyPattern, fnmatch(keyPattern, request.key, 0) != 0 { return false }
    for (name, value) in query ?? [:] {
      guard let sent = request.query[name], value.isEmpty || sent == value else { return false }
    }
    return true
  }

  /// Whether the request of this number is hit.
  func selects(number: Int, applied: Int, random: inout FaultRandom) -> Bool {
    if let nth, number != nth { return false }
    if let every, number % max(1, every) != 0 { return false }
    if let times, applied >= times { return false }
    if let probability, random.fraction() >= probability { return false }
    return true
  }
}

/// Random numbers that depend on nothing but what they are made of (SplitMix64 over a hash of the request).
struct FaultRandom {
  private var state: UInt64

  init(seed: UInt64, rule: Int, request: S3Request, occurrence: UInt64) {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func add(_ bytes: some Sequence<UInt8>) {
      for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
      hash = (hash ^ 0xFF) &* 0x100_0000_01B3
    }
    add(request.operation.utf8)
    add(request.key.utf8)
    add((request.query["partNumber"] ?? "").utf8)
    state = hash ^ seed &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: rule) << 32 ^ occurrence
  }

  /// 0..<1.
  mutating func fraction() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    mixed ^= mixed >> 31
    return Double(mixed >> 11) / Double(1 << 53)
  }
}
