// Many pieces of work, a bounded number of them at a time.

/// Runs `body` for each element, at most `limit` at once.
///
/// The first failure cancels the others; it is thrown once all have ended. Nothing runs any more when this returns.
func forEachConcurrently<Element: Sendable>(
  _ elements: some Sequence<Element>, limit: Int, _ body: @escaping @Sendable (Element) async throws -> Void
) async throws {
  _ = try await mapConcurrently(elements, limit: limit, body)
}

/// The results of `body` for each element in the order of the elements, at most `limit` computed at once.
///
/// The first failure cancels the others; it is thrown once all have ended. Nothing runs any more when this returns.
func mapConcurrently<Element: Sendable, Value: Sendable>(
  _ elements: some Sequence<Element>, limit: Int, _ body: @escaping @Sendable (Element) async throws -> Value
) async throws -> [Value] {
  try await withThrowingTaskGroup(of: (Int, Value).self) { group in
    var results: [(Int, Value)] = []
    var running = 0
    for (index, element) in elements.enumerated() {
      try Task.checkCancellation()
      if running >= limit, let done = try await group.next() {
        results.append(done)
        running -= 1
      }
      group.addTask { (index, try await body(element)) }
      running += 1
    }
    while let done = try await group.next() { results.append(done) }
    return results.sorted { $0.0 < $1.0 }.map(\.1)
  }
}

/// Runs `body` to its end even if the calling task is cancelled: for cleaning up.
func uncancelled<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) async -> Value {
  await Task { await body() }.value
}

/// Waits ever longer between two looks at something that takes time.
struct Backoff: Sendable {
  private var next: Double
  private let longest: Double

  /// Begins with the lower bound, in seconds, and never waits longer than the upper one.
  init(_ range: ClosedRange<Double>) {
    next = range.lowerBound
    longest = range.upperBound
  }

  /// Waits; each time a fifth longer than before, so that what took long is noticed late by a fifth of that at most.
  /// - Throws: `CancellationError`.
  mutating func wait() async throws {
    try await Task.sleep(for: .seconds(next))
    next = min(longest, next * 1.2)
  }
}
