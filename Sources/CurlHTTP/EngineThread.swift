// Starts the engine's thread.

import Glibc

enum EngineThread {
  /// What the new thread gets; it makes everything else itself.
  private final class Arguments: Sendable {
    let inbox: EngineInbox
    let options: HTTPEngine.Options

    init(inbox: EngineInbox, options: HTTPEngine.Options) {
      self.inbox = inbox
      self.options = options
    }
  }

  /// Starts a thread that runs an `EngineLoop` until the inbox is closed.
  static func start(inbox: EngineInbox, options: HTTPEngine.Options) throws(HTTPError) -> pthread_t {
    var thread = pthread_t()
    let arguments = Unmanaged.passRetained(Arguments(inbox: inbox, options: options))
    // The function is formed here, outside any actor: one formed in actor-isolated code would check for its actor's
    // executor on this thread and stop the process.
    let status = pthread_create(
      &thread, nil,
      { context in
        if let context {
          EngineThread.blockSignals()
          let arguments = Unmanaged<Arguments>.fromOpaque(context).takeRetainedValue()
          EngineThread.run(arguments.inbox, arguments.options)
        }
        return nil
      }, arguments.toOpaque())
    guard status == 0 else {
      arguments.release()
      throw HTTPError(
        .resources, authority: "", reason: "no thread for the HTTP engine: \(String(cString: strerror(status)))",
        requestMayHaveArrived: false)
    }
    return thread
  }

  private static func run(_ inbox: EngineInbox, _ options: HTTPEngine.Options) {
    if let loop = EngineLoop(inbox: inbox, options: options) { return loop.run() }
    inbox.close()
    var messages: [EngineInbox.Message] = []
    _ = inbox.take(&messages)
    for case .start(let exchange) in messages {
      exchange.complete(.failure(exchange.error(.resources, "libcurl has no memory for an engine")))
    }
  }

  /// The process's signals are for other threads to handle; and OpenSSL writes without MSG_NOSIGNAL, so a peer that
  /// hangs up would raise SIGPIPE here. Threads that libcurl starts to resolve names inherit the mask.
  private static func blockSignals() {
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, nil)
  }
}
