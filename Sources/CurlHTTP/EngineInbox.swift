// What other threads tell the engine's thread. The only state that both sides touch.
//
// Invariant: a message posted successfully is taken before, or together with, the news that the inbox is closed; so
// nothing that was accepted is forgotten.

import CCurl
import Synchronization

final class EngineInbox: Sendable {
  enum Message: Sendable {
    case start(HTTPExchange)
    case cancel(HTTPExchange)
    /// There are bytes again for a transfer that was paused for want of them.
    case resume(HTTPExchange)
  }

  private struct State {
    var messages: [Message] = []
    var isClosed = false
    /// The thread is waiting in libcurl or about to, and must be woken.
    var isAsleep = false
  }

  /// Used by the engine's thread alone, but for `curl_multi_wakeup`, which libcurl allows from any thread; hence safe
  /// to share. It lives as long as the inbox, which both sides hold, so a late wake-up cannot hit a freed handle.
  nonisolated(unsafe) let multi: UnsafeMutableRawPointer
  private let state = Mutex(State())

  init(multi: UnsafeMutableRawPointer) { self.multi = multi }

  deinit { curl_multi_cleanup(multi) }

  /// Leaves a message. False when the inbox is closed: then nobody will read it.
  func post(_ message: Message) -> Bool {
    enum Outcome { case refused, left, leftForSleeper }
    let outcome = state.withLock { state -> Outcome in
      guard !state.isClosed else { return .refused }
      state.messages.append(message)
      let mustWake = state.isAsleep
      state.isAsleep = false
      return mustWake ? .leftForSleeper : .left
    }
    if outcome == .leftForSleeper { curl_multi_wakeup(multi) }
    return outcome != .refused
  }

  /// Accepts no further messages and wakes the thread so that it ends.
  func close() {
    state.withLock {
      $0.isClosed = true
      $0.isAsleep = false
    }
    curl_multi_wakeup(multi)
  }

  /// Swaps the messages into `messages`, which must be empty. True when the inbox is closed.
  func take(_ messages: inout [Message]) -> Bool {
    state.withLock { state in
      swap(&state.messages, &messages)
      return state.isClosed
    }
  }

  /// Announces that the thread goes to wait. False when there is something to do instead.
  func fallAsleep() -> Bool {
    state.withLock { state in
      guard state.messages.isEmpty, !state.isClosed else { return false }
      state.isAsleep = true
      return true
    }
  }

  /// The thread is back, woken or not.
  func wakeUp() {
    state.withLock { $0.isAsleep = false }
  }
}
