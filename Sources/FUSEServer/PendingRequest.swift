// One piece of work that needs more than memory: the task that does it, and the answer owed for it.

import BackupFileSystem
import Synchronization
import SystemPackage

/// Work under way. It is answered by its task, or, when the session ends and the task does not, for it.
final class PendingRequest: Sendable {
  /// Why the work was cancelled.
  enum Cancellation: Sendable {
    /// The program that asked got a signal.
    case interrupted
    /// The session ends.
    case sessionEnds
  }

  private struct State: ~Copyable {
    /// nil when the answer was given, or when none is owed.
    var reply: Reply?
    var task: Task<Void, Never>?
    var cancellation: Cancellation?
  }

  let operation: Operation
  /// The thread that waits for the answer; 0 when nobody waits, or nobody that we can see.
  let thread: Int32
  private let state: Mutex<State>

  /// Takes over an answer.
  init(_ reply: consuming Reply) {
    operation = reply.operation
    thread = reply.caller.thread
    state = Mutex(State(reply: reply, task: nil, cancellation: nil))
  }

  /// Work that no answer is owed for.
  init(unanswered operation: Operation) {
    self.operation = operation
    thread = 0
    state = Mutex(State(reply: nil, task: nil, cancellation: nil))
  }

  /// Why it was cancelled; nil when it was not.
  var cancellation: Cancellation? {
    state.withLock { $0.cancellation }
  }

  /// Hands in the task; it is cancelled at once when that was asked for before.
  func start(_ task: Task<Void, Never>) {
    let isCancelled = state.withLock { state in
      state.task = task
      return state.cancellation != nil
    }
    if isCancelled { task.cancel() }
  }

  /// Cancels the task, whether it has been handed in or not.
  func cancel(_ cause: Cancellation) {
    let task = state.withLock { state in
      if state.cancellation == nil { state.cancellation = cause }
      return state.task
    }
    task?.cancel()
  }

  /// Takes the answer, so that nobody else can give it.
  func takeReply() -> Reply? {
    state.withLock { $0.reply.take() }
  }

  /// What a program is told when the work fails with `errno`. It hears EINTR only when it was itself interrupted:
  /// otherwise it might try again, and there will be nobody to ask.
  func errno(for errno: Errno) -> Errno {
    guard errno == .interrupted || errno == .canceled else { return errno }
    return cancellation == .sessionEnds ? .ioError : .interrupted
  }
}
