// The face of the HTTP engine: takes requests from any thread and hands them to the engine's own thread.
//
// Invariants: each request's completion runs exactly once; after `shutdown()` returned, none runs any more.

import CCurl
import Glibc
import Synchronization

/// An HTTP/1.1 client: one thread, one libcurl multi handle, one pool of connections per engine.
///
/// - Redirects are not followed, bodies not decompressed, cookies not kept.
/// - Dropping the last reference shuts the engine down.
/// - Proxy variables of the environment (`http_proxy` and others) are ignored: object stores usually are inside the
///   network, and a variable meant for other programs must not take backups out of it.
/// - The engine's thread blocks all signals, so a peer that hangs up raises no SIGPIPE.
public final class HTTPEngine: HTTPTransport {
  /// What an engine can be told.
  public struct Options: Sendable, Hashable {
    /// Most connections, thus requests under way, per host and port; more requests wait in order.
    public var maximumConnectionsPerHost: Int
    /// For requests that bring none of their own.
    public var timeouts: HTTPTimeouts
    /// Bytes of one `recv`; at most 10 MiB. Less when many requests are under way, for memory.
    public var receiveBufferSize: Int
    /// Bytes of one `send`; 16 KiB…2 MiB. Less when many requests are under way.
    public var sendBufferSize: Int
    /// The User-Agent header.
    public var userAgent: String

    /// Makes options; the buffer sizes given here are those with the best throughput per CPU second.
    public init(
      maximumConnectionsPerHost: Int = 64, timeouts: HTTPTimeouts = HTTPTimeouts(), receiveBufferSize: Int = 512 << 10,
      sendBufferSize: Int = 512 << 10, userAgent: String = "milvus-backupfs"
    ) {
      self.maximumConnectionsPerHost = max(1, maximumConnectionsPerHost)
      self.timeouts = timeouts
      self.receiveBufferSize = receiveBufferSize
      self.sendBufferSize = sendBufferSize
      self.userAgent = userAgent
    }
  }

  private let inbox: EngineInbox
  /// The engine's thread until someone has taken it to join it.
  private let thread: Mutex<pthread_t?>

  /// Starts an engine and its thread.
  /// - Throws: `HTTPError` `.resources` when the system or libcurl refuses.
  public init(options: Options = Options()) throws(HTTPError) {
    guard Self.globalInitialization == CURLE_OK else {
      throw HTTPError(.resources, authority: "", reason: "libcurl cannot be initialised", requestMayHaveArrived: false)
    }
    inbox = EngineInbox(try EngineDescriptors())
    thread = Mutex(try EngineThread.start(inbox: inbox, options: options))
  }

  deinit { shutdown() }

  /// Carries out one request. Ends promptly with `.cancelled` when the task is cancelled.
  public func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
    guard let stream = request.stream, request.method.sendsBody else {
      return try await carryOut(HTTPExchange(request, inbox: inbox)).get()
    }
    let pipe = BodyPipe(size: stream.size)
    let exchange = HTTPExchange(request, pipe: pipe, inbox: inbox)
    let result = await withTaskGroup(of: Void.self) { group in
      group.addTask { await stream.produce(into: pipe, for: exchange) }
      let result = await carryOut(exchange)
      pipe.end()
      group.cancelAll()
      return result
    }
    if case .failure(var error) = result, error.code == .cancelled, let failure = pipe.failure, !Task.isCancelled {
      error.code = .bodyFailed
      error.reason = "the rest of the body could not be had: \(failure)"
      error.cause = failure
      throw error
    }
    return try result.get()
  }

  private func carryOut(_ exchange: HTTPExchange) async -> Result<HTTPResponse, HTTPError> {
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        exchange.start { continuation.resume(returning: $0) }
      }
    } onCancel: {
      exchange.cancel()
    }
  }

  /// Carries out one request without Swift concurrency, which a streamed body needs: a request with one is invalid here.
  /// - Parameter completion: runs once, on the engine's thread (on the caller's after `shutdown()`): it must be short
  ///   and must not block.
  @discardableResult
  public func submit(
    _ request: HTTPRequest, completion: @escaping @Sendable (Result<HTTPResponse, HTTPError>) -> Void
  ) -> HTTPExchange {
    let exchange = HTTPExchange(request, inbox: inbox)
    exchange.start(completion)
    return exchange
  }

  /// Ends all requests with `.cancelled`, closes all connections and waits for the thread's end. Later requests fail
  /// with `.cancelled`. Idempotent. Called from a completion it does not wait.
  public func shutdown() {
    inbox.close()
    guard
      let taken = thread.withLock({ thread in
        let taken = thread; thread = nil; return taken
      })
    else { return }
    if pthread_equal(taken, pthread_self()) != 0 { pthread_detach(taken) } else { pthread_join(taken, nil) }
  }

  /// libcurl wants this once per process before anything else; 7.84 and newer allow it from any thread.
  private static let globalInitialization = {
    BodyMemory.keepFreed()
    return curl_global_init(Int(CURL_GLOBAL_DEFAULT))
  }()
}
