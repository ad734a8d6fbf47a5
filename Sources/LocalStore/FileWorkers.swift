// Threads for calls that wait for a disk.
//
// Swift's own pool has one thread a core and expects that none of them ever waits; fsync waits for milliseconds and, on a
// network file system, for as long as that likes. So file calls run on plain threads. A thread is started when there is
// work and none of the few allowed is free, and ends when there is no more: starting one takes some microseconds, less
// than any call that waits, and nothing must be woken or shut down.

import DequeModule
import Glibc
import Synchronization

/// Set once by the task that waits, looked at by the thread that works.
final class Cancellation: Sendable {
  private let isSet = Atomic(false)

  func cancel() { isSet.store(true, ordering: .relaxed) }

  /// Throws `CancellationError` once cancelled; to be called between pieces of work.
  func check() throws(CancellationError) {
    guard !isSet.load(ordering: .relaxed) else { throw CancellationError() }
  }
}

/// Runs blocking work, first come, first served.
final class FileWorkers: Sendable {
  /// Those of the process. More threads than this only move the queue into the kernel; fewer keep a disk that has deep
  /// queues idle while each of them waits for its own fsync.
  static let shared = FileWorkers(limit: 16)

  private struct Job {
    let id: UInt64
    let run: @Sendable () -> Void
  }

  private struct State {
    var jobs = Deque<Job>()
    var threads = 0
    var nextID: UInt64 = 0
  }

  private let limit: Int
  private let state = Mutex(State())

  init(limit: Int) { self.limit = limit }

  /// Runs work on one of the threads.
  /// - Throws: what it throws; `CancellationError` at once if the task is cancelled before its turn has come.
  func run<Value: Sendable>(_ work: @escaping @Sendable (Cancellation) throws -> Value) async throws -> Value {
    let cancellation = Cancellation()
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
        let job = Job(id: id) {
          continuation.resume(
            with: Result {
              try cancellation.check()
              return try work(cancellation)
            })
        }
        if let error = add(job) { continuation.resume(throwing: SystemFailure("pthread_create", error)) }
      }
    } onCancel: {
      cancellation.cancel()
      let waiting = state.withLock { state in
        state.jobs.firstIndex { $0.id == id }.map { state.jobs.remove(at: $0) }
      }
      // It finds itself cancelled and does nothing.
      waiting?.run()
    }
  }

  /// Queues a job.
  /// - Returns: the error number when nobody is there to do it and no thread can be started; nil otherwise.
  private func add(_ job: Job) -> Int32? {
    state.withLock { state in
      if state.threads < limit {
        let error = startThread()
        if error == 0 {
          state.threads += 1
        } else if state.threads == 0 {
          return error
        }
      }
      state.jobs.append(job)
      return nil
    }
  }

  private func startThread() -> Int32 {
    let owner = Unmanaged.passRetained(self)
    var thread = pthread_t()
    // Formed outside any actor: a function formed in isolated code would check for its actor on this thread.
    let error = pthread_create(
      &thread, nil,
      { context in
        if let context {
          FileWorkers.blockSignals()
          Unmanaged<FileWorkers>.fromOpaque(context).takeRetainedValue().work()
        }
        return nil
      }, owner.toOpaque())
    if error == 0 { pthread_detach(thread) } else { owner.release() }
    return error
  }

  private func work() {
    while let job = next() { job.run() }
  }

  /// The next job; with nil the thread counts as ended.
  private func next() -> Job? {
    state.withLock { state in
      if let job = state.jobs.popFirst() { return job }
      state.threads -= 1
      return nil
    }
  }

  /// The process's signals are for other threads to handle.
  private static func blockSignals() {
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, nil)
  }
}
