// SIGINT, SIGTERM and SIGHUP as a call instead of an end.

import Dispatch
import Glibc
import MilvusClient
import Synchronization

/// Calls a handler for each of the signals until it is cancelled.
struct TerminationSignals {
  private let sources: [any DispatchSourceSignal]

  /// Takes the signals over.
  init(_ handler: @escaping @Sendable () -> Void) {
    // One queue: the handler is never called twice at a time.
    let queue = DispatchQueue(label: "signals")
    sources = [SIGINT, SIGTERM, SIGHUP].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler(handler: handler)
      source.resume()
      return source
    }
  }

  /// Takes the signals over for work that cleans up when it is cancelled: the first signal cancels it, the second ends the
  /// process, for who cannot wait.
  /// - Parameter leaving: a sentence that tells what may be left then, and what to do about it.
  static func cancelling(leaving: String, _ cancel: @escaping @Sendable () -> Void) -> TerminationSignals {
    let interruptions = Interruptions()
    return TerminationSignals {
      guard interruptions.isFirst() else {
        printError("milvus-backupfs: ended at once, before it had cleaned up. \(leaving)")
        letCallsFinish()
        // As a shell counts an end by SIGINT.
        _exit(128 + SIGINT)
      }
      printError("milvus-backupfs: interrupted: cleaning up (a second time ends it at once)")
      cancel()
    }
  }

  /// Has the answers of calls come that Milvus 2.3.5 would crash at if nobody waited for them; a second at most.
  private static func letCallsFinish() {
    CallsToFinish.ofProcess.endAll()
    for _ in 0..<100 where !CallsToFinish.ofProcess.isIdle { usleep(10_000) }
  }

  /// Gives the signals back.
  func cancel() {
    for source in sources { source.cancel() }
    for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_DFL) }
  }
}

/// How often the user asked for an end.
private final class Interruptions: Sendable {
  private let count = Mutex(0)

  /// Whether this is the first time.
  func isFirst() -> Bool {
    count.withLock {
      $0 += 1
      return $0 == 1
    }
  }
}
