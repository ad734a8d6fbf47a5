// The threads that take requests from the kernel. They are plain threads of the system, because they spend their lives
// waiting in read(2), which a thread of Swift's pool must not.

import Glibc
import Synchronization

/// A fixed number of threads that run the same function.
final class ServingThreads: Sendable {
  private struct State {
    var threads: [pthread_t] = []
    var running = 0
    var firstError: Int32 = 0
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())
  private let body: @Sendable () -> Int32

  /// Makes the threads' owner; nothing runs yet.
  /// - Parameter body: what each thread runs; returns an error number, or 0.
  init(_ body: @escaping @Sendable () -> Int32) {
    self.body = body
  }

  /// Starts threads.
  /// - Returns: the error number of the first one that could not be started; 0 when all run.
  func start(_ count: Int) -> Int32 {
    WakeSignal.install()
    for _ in 0..<count {
      let owner = Unmanaged.passRetained(self)
      var thread = pthread_t()
      // Under the lock, so that a thread which ends at once does not count before it is counted.
      let error = state.withLock { state in
        let error = pthread_create(&thread, nil, Self.main, owner.toOpaque())
        if error == 0 {
          state.threads.append(thread)
          state.running += 1
        }
        return error
      }
      if error != 0 {
        owner.release()
        return error
      }
    }
    return 0
  }

  /// Waits until every thread has ended, and joins them. To be called once.
  /// - Returns: the first error number that a thread ended with; 0 when none did.
  func join() async -> Int32 {
    await withCheckedContinuation { continuation in
      let haveEnded = state.withLock { state in
        if state.running > 0 { state.waiter = continuation }
        return state.running == 0
      }
      if haveEnded { continuation.resume() }
    }
    let (threads, error) = state.withLock { state in
      defer { state.threads = [] }
      return (state.threads, state.firstError)
    }
    // They have run to their last line: this waits for next to nothing.
    for thread in threads { pthread_join(thread, nil) }
    return error
  }

  /// Wakes threads that wait in a system call, again and again until all have ended: a signal that comes just before
  /// the call wakes nobody.
  func wakeUntilEnded() async {
    while true {
      let areRunning = state.withLock { state in
        guard state.running > 0 else { return false }
        for thread in state.threads { pthread_kill(thread, WakeSignal.number) }
        return true
      }
      guard areRunning else { return }
      try? await Task.sleep(for: .milliseconds(5))
    }
  }

  private func ended(_ error: Int32) {
    let waiter = state.withLock { state in
      if state.firstError == 0 { state.firstError = error }
      state.running -= 1
      guard state.running == 0 else { return CheckedContinuation<Void, Never>?.none }
      return state.waiter.take()
    }
    waiter?.resume()
  }

  private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
    guard let argument else { return nil }
    let owner = Unmanaged<ServingThreads>.fromOpaque(argument).takeRetainedValue()
    WakeSignal.blockOthers()
    yieldToCallers()
    owner.ended(owner.body())
    return nil
  }
}

/// Keeps the calling thread from pushing aside, when a request wakes it, the program that has just made the request: that
/// one is about to wait for the answer, and hands its core over in microseconds. Otherwise the kernel looks for another
/// core and wakes that, for each request and each answer. Where both cores are busy nothing was slower by it: see
/// docs/DESIGN.md. Needs no privilege; where it is refused all works as before.
private func yieldToCallers() {
  // SCHED_BATCH of linux/sched.h, which Glibc shows to GNU sources only.
  let batch: Int32 = 3
  var parameter = sched_param()
  parameter.sched_priority = 0
  // 0 stands for the calling thread, not for its process: sched_setscheduler(2).
  sched_setscheduler(0, batch, &parameter)
}

/// The signal that wakes a thread from a system call. SIGURG, because it is ignored by default: one too many does no
/// harm. It is only ever sent to our own threads.
private enum WakeSignal {
  static let number = SIGURG

  /// Lets the signal interrupt system calls, unless the program has its own use for it.
  static func install() {
    var present = sigaction()
    guard sigaction(number, nil, &present) == 0, present.__sigaction_handler.sa_handler == nil else { return }
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in }
    sigaction(number, &action, nil)
  }

  /// Leaves all other signals to the program's own threads, except those that report a fault of this one.
  static func blockOthers() {
    var set = sigset_t()
    sigfillset(&set)
    for signal in [number, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS] { sigdelset(&set, signal) }
    pthread_sigmask(SIG_SETMASK, &set, nil)
  }
}
