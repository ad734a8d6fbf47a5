// Many moves between two stores, as many at once as these take best.

import ObjectStore

/// Runs `body` for each element, the number at once being found by trying (`ConcurrencyControl`).
///
/// Failures do not stop the others until there are `patience` of them or the task is cancelled. Nothing runs any more when
/// this returns.
/// - Parameters:
///   - throttles: how often the stores have asked for fewer requests so far.
///   - body: returns the bytes it moved.
/// - Returns: the failures, in the order in which they came.
func forEachAdaptively<Element: Sendable>(
  _ elements: [Element], patience: Int, throttles: @Sendable () -> Int,
  _ body: @escaping @Sendable (Element) async throws -> Int64
) async -> [any Error] {
  let clock = ContinuousClock()
  let began = clock.now
  var control = ConcurrencyControl()
  var seenThrottles = throttles()
  return await withTaskGroup(of: Result<Int64, any Error>.self) { group in
    var failures: [any Error] = []
    var next = 0
    var running = 0
    while true {
      while next < elements.count, failures.count < patience, !Task.isCancelled, control.mayBegin(beside: running) {
        let element = elements[next]
        group.addTask {
          do { return .success(try await body(element)) } catch { return .failure(error) }
        }
        next += 1
        running += 1
      }
      let wasFull = control.isLimiting(running)
      guard let result = await group.next() else { break }
      running -= 1
      let now = (clock.now - began) / .seconds(1)
      let throttled = throttles()
      if throttled > seenThrottles {
        seenThrottles = throttled
        control.throttled(now: now)
      } else if case .success(let bytes) = result {
        control.succeeded(bytes: bytes, now: now, wasFull: wasFull)
      }
      if case .failure(let error) = result {
        failures.append(error)
        if failures.count >= patience || error.isCancellation { group.cancelAll() }
      }
    }
    return failures
  }
}
