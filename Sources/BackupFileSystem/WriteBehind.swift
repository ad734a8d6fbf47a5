// Files that are published after their writers have closed them: what `--write-behind` is. Off unless asked for.
//
// A close then promises nothing; fsync of the file, or of a directory above it, does: it returns when what was closed is in
// the store, or fails for what never will be. Invariants: a file is published once, by its latest close; whoever opens,
// renames or removes it waits until it is; a file that could not be published disappears from the mount and is told by
// the next fsync of a directory above it, in the log and in `stats`.

import ObjectStore
import Synchronization
import SystemPackage

/// Publishes closed files, many at once.
final class WriteBehind: Sendable {
  private struct State {
    /// The latest publication of each file, by its number.
    var pending: [InodeNumber: (number: Int, done: SharedResult<Void>)] = [:]
    var number = 0
    var waiting: [CheckedContinuation<Void, Never>] = []
    var running = 0
    var control = ConcurrencyControl()
    var seenThrottles = 0
    var failures: [(path: String, error: FileSystemError)] = []
  }

  /// Failures that are kept for the next fsync of a directory.
  private static let keptFailures = 1000

  private let state = Mutex(State())
  private let throttles: @Sendable () -> Int
  private let report: @Sendable (String) -> Void
  private let began = ContinuousClock.now

  /// - Parameters:
  ///   - throttles: how often the stores have asked for fewer requests so far.
  ///   - report: told of each file that could not be published, in a sentence.
  init(throttles: @escaping @Sendable () -> Int, report: @escaping @Sendable (String) -> Void) {
    self.throttles = throttles
    self.report = report
  }

  /// Files on their way, and failures that nobody has asked for yet.
  var counts: (pending: Int, failures: Int) { state.withLock { ($0.pending.count, $0.failures.count) } }

  /// Publishes a file soon: behind the publication of an earlier close, if that is still under way.
  /// - Parameter path: names it, from the mount, when that fails.
  func begin(_ session: WriteSession, path: String) {
    state.withLock { state in
      state.number += 1
      let number = state.number
      let earlier = state.pending[session.inode]?.done
      let done = SharedResult<Void> { () async throws(FileSystemError) in
        _ = try? await earlier?.value()
        await self.enter()
        let size = session.size
        let outcome: FileSystemError?
        do throws(FileSystemError) {
          try await session.publishBehind()
          outcome = nil
        } catch {
          outcome = error
        }
        self.ended(session.inode, number, path, bytes: size, outcome)
        if let outcome { throw outcome }
      }
      state.pending[session.inode] = (number, done)
    }
  }

  /// The publication of a file that is under way; nil when there is none.
  func pending(_ inode: InodeNumber) -> SharedResult<Void>? { state.withLock { $0.pending[inode]?.done } }

  /// Waits until a file is published or has failed.
  func settle(_ inode: InodeNumber) async throws(FileSystemError) {
    guard let done = pending(inode) else { return }
    do throws(FileSystemError) {
      try await done.value()
    } catch {
      // Of a file that failed its own fsync, or that of a directory, tells.
      if error.errno == .interrupted { throw error }
    }
  }

  /// Waits until all that was closed so far is published.
  /// - Throws: EINTR; or EIO for what could not be, once for each file that `lies` accepts.
  func drain(_ lies: (String) -> Bool) async throws(FileSystemError) {
    for done in state.withLock({ $0.pending.values.map(\.done) }) {
      do throws(FileSystemError) {
        try await done.value()
      } catch {
        // Failures are told below, if they lie there.
        if error.errno == .interrupted { throw error }
      }
    }
    let failures = state.withLock { state in
      let told = state.failures.filter { lies($0.path) }
      state.failures.removeAll { lies($0.path) }
      return told
    }
    guard let first = failures.first else { return }
    let others = failures.count == 1 ? "" : ", and \(failures.count - 1) other files"
    throw FileSystemError(
      first.error.errno, "\(first.path)\(others), closed before, could not be published: \(first.error.message)")
  }

  /// Waits for a place among those that are published at once.
  private func enter() async {
    await withCheckedContinuation { continuation in
      let mayStart = state.withLock { state in
        guard state.running >= state.control.limit else {
          state.running += 1
          return true
        }
        state.waiting.append(continuation)
        return false
      }
      if mayStart { continuation.resume() }
    }
  }

  private func ended(
    _ inode: InodeNumber, _ number: Int, _ path: String, bytes: Int64, _ error: FileSystemError?
  ) {
    if let error { report("\(path) was closed before it was published, and could not be: \(error)") }
    let now = (ContinuousClock.now - began) / .seconds(1)
    let throttles = throttles()
    let next = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      if throttles > state.seenThrottles {
        state.seenThrottles = throttles
        state.control.throttled(now: now)
      } else if error == nil {
        state.control.succeeded(bytes: bytes, now: now, wasFull: state.running >= state.control.limit)
      }
      if state.pending[inode]?.number == number { state.pending[inode] = nil }
      if let error, state.failures.count < Self.keptFailures { state.failures.append((path, error)) }
      state.running -= 1
      let places = max(0, min(state.control.limit - state.running, state.waiting.count))
      let next = Array(state.waiting.prefix(places))
      state.waiting.removeFirst(places)
      state.running += places
      return next
    }
    for continuation in next { continuation.resume() }
  }
}
