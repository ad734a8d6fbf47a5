// How checks say what they expect, and the bytes they write.

import ObjectStore

/// Fails with a sentence unless the condition holds.
func expect(_ condition: Bool, _ sentence: @autoclosure () -> String) throws {
  guard condition else { throw ConformanceFailure(sentence()) }
}

/// Fails unless the two are equal.
func expect<Value: Equatable>(_ what: String, _ seen: Value, is expected: Value) throws {
  guard seen == expected else { throw ConformanceFailure("\(what) is \(seen) instead of \(expected)") }
}

/// Fails unless these are the same bytes, without printing them.
func expect(_ what: String, bytes seen: [UInt8], are expected: [UInt8]) throws {
  guard seen != expected else { return }
  let difference = zip(seen, expected).enumerated().first { $1.0 != $1.1 }.map { "differ first at \($0.offset)" }
  throw ConformanceFailure(
    "\(what) has \(seen.count) bytes, expected are \(expected.count); they \(difference ?? "agree as far as they go")")
}

/// Fails unless the call throws a `StoreError` with one of these codes.
@discardableResult
func expect<Value>(
  _ what: String, fails codes: StoreError.Code..., call: () async throws -> Value
) async throws -> StoreError {
  do {
    _ = try await call()
  } catch let error as StoreError {
    guard codes.contains(error.code) else {
      throw ConformanceFailure("\(what) fails with \(error.code) instead of \(codes): \(error)")
    }
    return error
  }
  throw ConformanceFailure("\(what) succeeds instead of failing with \(codes)")
}

/// Bytes that look random and are the same in each run: one block after the other, each beginning with its number, so
/// that blocks which change places are noticed.
func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  let blockSize = min(4096, max(8, count))
  var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
  let words = (0..<(blockSize + 7) / 8).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ state >> 29
  }
  var result: [UInt8] = []
  result.reserveCapacity(count + blockSize)
  var block = words
  while result.count < count {
    block[0] = words[0] &+ UInt64(result.count)
    block.withUnsafeBytes { result.append(contentsOf: $0) }
  }
  result.removeLast(result.count - count)
  return result
}
