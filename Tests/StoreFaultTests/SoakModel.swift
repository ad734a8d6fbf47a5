// What each object of one worker may hold: exactly known after a success, old or new after an error.

import Crypto
import ObjectStore

/// The content of an object, as little as describes it.
struct Content: Sendable, Hashable {
  var seed: UInt64
  var size: Int

  var bytes: [UInt8] { pattern(size, seed: seed) }

  /// As the oracle prints it.
  var fingerprint: String {
    "\(size):" + SHA256.hash(data: bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

/// Objects and their possible contents; nil stands for no object. Only keys ever written are in it.
struct SoakModel: Sendable {
  private(set) var possible: [String: Set<Content?>] = [:]

  func contents(_ name: String) -> Set<Content?> { possible[name] ?? [nil] }

  /// Names that certainly have an object.
  var present: [String] { possible.filter { !$0.value.contains(nil) }.keys.sorted() }

  /// A write or removal succeeded.
  mutating func became(_ name: String, _ content: Content?) { possible[name] = [content] }

  /// A copy succeeded of something that is one of these.
  mutating func became(_ name: String, oneOf contents: Set<Content?>) { possible[name] = contents }

  /// A write or removal failed: it may have taken place nevertheless.
  mutating func mayHaveBecome(_ name: String, _ contents: Set<Content?>) {
    possible[name] = contents.union(self.contents(name))
  }

  /// Reading showed what it is. False when it cannot be that.
  mutating func showed(_ name: String, _ matches: (Content?) -> Bool) -> Bool {
    let left = contents(name).filter(matches)
    if !left.isEmpty { possible[name] = left }
    return !left.isEmpty
  }
}

/// Reproducible random numbers (SplitMix64).
struct SoakRandom: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
