// A thread that may block, unlike those of Swift's tasks.

import Glibc

/// A POSIX thread with a small stack and all signals blocked.
struct WorkerThread: Sendable {
  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  private let thread: pthread_t

  /// Starts it.
  @discardableResult
  init(_ body: @escaping @Sendable () -> Void) throws(FaultProxyError) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, 512 << 10)
    // A thread inherits the mask of the one that makes it: signals are for the program's own threads.
    var all = sigset_t()
    var former = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &former)
    defer { pthread_sigmask(SIG_SETMASK, &former, nil) }
    let work = Unmanaged.passRetained(Work(body))
    var thread = pthread_t()
    let status = pthread_create(
      &thread, &attributes,
      { context in
        if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
        return nil
      }, work.toOpaque())
    guard status == 0 else {
      work.release()
      throw FaultProxyError("no thread: \(String(cString: strerror(status)))")
    }
    self.thread = thread
  }

  func detach() { pthread_detach(thread) }
  func join() { pthread_join(thread, nil) }
}
