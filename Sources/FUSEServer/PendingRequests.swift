// All work under way in a session, by number. The kernel's interrupts name a number: when the work is finished by then,
// the number is simply not known any more.

import Synchronization
import SystemPackage

/// Keeps what is pending, interrupts it, and ends it with the session.
final class PendingRequests: Sendable {
  private struct State {
    var requests: [UInt: PendingRequest] = [:]
    var lastNumber: UInt = 0
    var isClosed = false
  }

  private let state = Mutex(State())

  /// Pieces of work under way.
  var count: Int {
    state.withLock { $0.requests.count }
  }

  /// Everything was cancelled, and what comes in is.
  var isClosed: Bool {
    state.withLock { $0.isClosed }
  }

  /// Takes in a piece of work. After `cancelAll` it comes in cancelled.
  /// - Returns: its number, never 0.
  func insert(_ request: PendingRequest) -> UInt {
    let (number, isClosed) = state.withLock { state in
      state.lastNumber += 1
      state.requests[state.lastNumber] = request
      return (state.lastNumber, state.isClosed)
    }
    if isClosed { request.cancel(.sessionEnds) }
    return number
  }

  /// Takes out a piece of work that is finished.
  func remove(_ number: UInt) {
    state.withLock { _ = $0.requests.removeValue(forKey: number) }
  }

  /// The program that asked got a signal, which the kernel tells only once a request.
  ///
  /// Not every signal asks a program to stop: Go's runtime sends SIGURG to its own threads all the time and ignores EINTR
  /// from close(2), so that what it wrote would be lost without a word. Work goes on then, and is looked after until it
  /// ends: the signal that does ask to stop would not be told any more.
  func interrupt(_ number: UInt) {
    guard let request = state.withLock({ $0.requests[number] }) else { return }
    if PendingSignals.askToStop(thread: request.thread) {
      request.cancel(.interrupted)
    } else {
      Task { await self.watch(number) }
    }
  }

  /// Looks every now and then whether a program that got a harmless signal is asked to stop after all.
  private func watch(_ number: UInt) async {
    while let request = state.withLock({ $0.requests[number] }), request.cancellation == nil {
      try? await Task.sleep(for: .milliseconds(100))
      if PendingSignals.askToStop(thread: request.thread) { request.cancel(.interrupted) }
    }
  }

  /// Cancels what only asks: there is nobody left to hear it.
  func cancelQuestions() {
    let requests = state.withLock { Array($0.requests.values) }
    for request in requests where request.operation.isQuestion { request.cancel(.sessionEnds) }
  }

  /// Cancels everything, now and from now on, except what comes after `reopen`.
  func cancelAll() {
    let requests = state.withLock { state in
      state.isClosed = true
      return Array(state.requests.values)
    }
    for request in requests { request.cancel(.sessionEnds) }
  }

  /// Lets new work run again: the work that ends the session itself.
  func reopen() {
    state.withLock { $0.isClosed = false }
  }

  /// Waits until nothing is under way, but not longer than `limit`.
  /// - Returns: false when something still is.
  func drain(limit: Duration) async -> Bool {
    let deadline = ContinuousClock.now + limit
    while count > 0 {
      guard ContinuousClock.now < deadline, !Task.isCancelled else { return false }
      try? await Task.sleep(for: .milliseconds(5))
    }
    return true
  }

  /// Answers EIO for all work that did not end. Only when no thread takes requests any more: a thread could be at work
  /// on one of them.
  /// - Returns: how many there were.
  func abandonAll() -> Int {
    let requests = state.withLock { state in
      defer { state.requests = [:] }
      return Array(state.requests.values)
    }
    for request in requests {
      if let reply = request.takeReply() { reply.failure(.ioError) }
    }
    return requests.count
  }
}
