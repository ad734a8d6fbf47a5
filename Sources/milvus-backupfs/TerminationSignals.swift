// SIGINT, SIGTERM and SIGHUP as a call instead of an end.

import Dispatch
import Glibc

/// Calls a handler for each of the signals until it is cancelled.
struct TerminationSignals {
  private let sources: [any DispatchSourceSignal]

  /// Takes the signals over.
  init(_ handler: @escaping @Sendable () -> Void) {
    sources = [SIGINT, SIGTERM, SIGHUP].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler(handler: handler)
      source.resume()
      return source
    }
  }

  /// Gives the signals back.
  func cancel() {
    for source in sources { source.cancel() }
    for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_DFL) }
  }
}
