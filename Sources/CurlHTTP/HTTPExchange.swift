// One request on its way. The completion is taken out before it is called, so it cannot run twice.

import Synchronization

/// A request that was handed to an engine.
public final class HTTPExchange: Sendable {
  typealias Completion = @Sendable (Result<HTTPResponse, HTTPError>) -> Void

  let request: HTTPRequest
  /// Host and port as in the URL: what connections are counted by.
  let authority: String
  /// Where a streamed body comes from.
  let pipe: BodyPipe?
  private let inbox: EngineInbox
  private let completion = Mutex<Completion?>(nil)
  private let cancelled = Atomic<Bool>(false)

  init(_ request: HTTPRequest, pipe: BodyPipe? = nil, inbox: EngineInbox) {
    self.request = request
    self.pipe = pipe
    self.inbox = inbox
    authority = Self.authority(of: request.url)
  }

  /// Asks the engine to end the request; its completion then gets `.cancelled`, unless it is through already.
  public func cancel() {
    // The flag is for an exchange that the engine has not begun yet, the message for one that it has.
    cancelled.store(true, ordering: .releasing)
    _ = inbox.post(.cancel(self))
  }

  /// Tells the engine that the paused transfer has bytes to send again.
  func resume() { _ = inbox.post(.resume(self)) }

  var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

  /// Hands the exchange to the engine; to be called once.
  func start(_ completion: @escaping Completion) {
    self.completion.withLock { $0 = completion }
    if inbox.post(.start(self)) { return }
    complete(.failure(error(.cancelled, "the HTTP engine is shut down")))
  }

  /// Gives the result to whoever waits. Only the first call has an effect.
  func complete(_ result: Result<HTTPResponse, HTTPError>) {
    let taken = completion.withLock { completion in
      let taken = completion
      completion = nil
      return taken
    }
    taken?(result)
  }

  /// An error of this exchange.
  func error(_ code: HTTPError.Code, _ reason: String, requestMayHaveArrived: Bool = false) -> HTTPError {
    HTTPError(code, authority: authority, reason: reason, requestMayHaveArrived: requestMayHaveArrived)
  }

  /// What stands between `://` and the path or query.
  private static func authority(of url: String) -> String {
    let bytes = url.utf8
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return url }
    let start = bytes[colon...].dropFirst().drop { $0 == UInt8(ascii: "/") }
    return String(Substring(start.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }))
  }
}
