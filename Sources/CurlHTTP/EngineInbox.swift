// What other threads tell the engine's thread. The only state that both sides touch.
//
// Invariant: a message posted successfully is taken before, or together with, the news that the inbox is closed; so
// nothing that was accepted is forgotten.

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
    /// The thread is waiting or about to, and must be woken.
    var isAsleep = false
  }

  let descriptors: EngineDescriptors
  private let state = Mutex(State())

  init(_ descriptors: EngineDescriptors) { self.descriptors = descriptors }

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
    if outcome == .leftForSleeper { descriptors.ring() }
    return outcome != .refused
  }

  /// Accepts no further messages and wakes the thread so that it ends.
  func close() {
    state.withLock {
      $0.isClosed = true
      $0.isAsleep = false
    }
    descriptors.ring()
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
