import CurlHTTP
import ObjectStore
import Synchronization

@testable import S3Store

/// A transport that answers from a script and keeps what it was asked.
final class ScriptedTransport: HTTPTransport {
  enum Step: Sendable {
    case answer(HTTPResponse)
    case failure(HTTPError)
    case computed(@Sendable (HTTPRequest) -> HTTPResponse)
  }

  private struct State {
    var steps: [Step]
    var requests: [HTTPRequest] = []
  }

  private let state: Mutex<State>

  /// - Parameter steps: one per request, in order; the last one serves all further requests.
  init(_ steps: [Step]) { state = Mutex(State(steps: steps)) }

  convenience init(_ responses: HTTPResponse...) {
    self.init(responses.map { .answer($0) })
  }

  var requests: [HTTPRequest] { state.withLock { $0.requests } }

  /// A streamed body is kept as if it had been in memory.
  func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
    var request = request
    if let stream = request.stream { request.body = try await Self.whole(stream) }
    let step = state.withLock { state -> Step? in
      state.requests.append(request)
      return state.steps.count > 1 ? state.steps.removeFirst() : state.steps.first
    }
    guard let step else {
      throw HTTPError(
        .malformedAnswer, authority: "script", reason: "the script is empty", requestMayHaveArrived: false)
    }
    switch step {
    case .answer(let response): return response
    case .failure(let error): throw error
    case .computed(let compute): return compute(request)
    }
  }
}

extension ScriptedTransport {
  private static func whole(_ stream: HTTPBodyStream) async throws(HTTPError) -> [UInt8] {
    var body: [UInt8] = []
    do {
      while Int64(body.count) < stream.size { body += try await stream.piece(Int64(body.count)) }
    } catch {
      var failure = HTTPError(.bodyFailed, authority: "script", reason: "\(error)", requestMayHaveArrived: true)
      failure.cause = error
      throw failure
    }
    return body
  }
}

/// A clock that is set by hand.
final class TestClock: Sendable {
  private let seconds: Mutex<Int64>
  init(_ seconds: Int64) { self.seconds = Mutex(seconds) }
  var now: Int64 {
    get { seconds.withLock { $0 } }
    set { seconds.withLock { $0 = newValue } }
  }
}

extension HTTPResponse {
  /// An answer with a text as its body, its length, and the headers given.
  init(_ status: Int, _ text: String = "", _ headers: [String: String] = [:]) {
    var all = headers.map { HTTPHeader($0.key, $0.value) }
    if headers["Content-Length"] == nil { all.append(HTTPHeader("Content-Length", "\(text.utf8.count)")) }
    self.init(status: status, headers: HTTPHeaders(all), body: Array(text.utf8))
  }

  /// An error document.
  static func error(
    _ status: Int, _ code: String, _ message: String = "words", fields: String = "", headers: [String: String] = [:]
  ) -> HTTPResponse {
    HTTPResponse(
      status, "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>\(message)</Message>\(fields)</Error>",
      headers)
  }
}

extension HTTPRequest {
  /// The value of a header.
  func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
}

/// A store over a script, with a clock that stands at 23 November 2026, 12:00:00 UTC.
func scriptedStore(
  _ transport: ScriptedTransport, clock: TestClock = TestClock(1_795_435_200), host: String = "store.example",
  change: (inout S3Configuration) -> Void = { _ in }
) throws -> S3Store {
  var configuration = S3Configuration(
    usesTLS: false, host: host, port: 9000, bucket: "bkt",
    credentials: S3Credentials(accessKeyID: "key", secretAccessKey: "hush"))
  change(&configuration)
  return try S3Store(configuration, transport: transport) { clock.now }
}

/// The error that a call ends with; nil when it succeeds.
func storeError<Value>(_ call: () async throws -> Value) async -> StoreError? {
  do {
    _ = try await call()
    return nil
  } catch {
    return error as? StoreError
  }
}
