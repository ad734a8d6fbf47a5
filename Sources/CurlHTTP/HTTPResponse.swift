// A complete HTTP answer. Whoever holds one knows that the body has as many bytes as the server announced.

/// Status, headers and body of an answer.
public struct HTTPResponse: Sendable {
  /// Most bytes kept of the body of an answer other than 2xx.
  public static let errorBodyLimit = 64 << 10

  /// HTTP status code.
  public var status: Int
  /// The final answer's headers (not those of a 1xx before it).
  public var headers: HTTPHeaders
  /// The whole body; empty for HEAD; for statuses other than 2xx at most the first `errorBodyLimit` bytes.
  public var body: [UInt8]
  /// Whether the request began to go out more than once: a kept connection turned out to be closed, and the request was
  /// sent again on another. Nothing tells whether the server acted on the first one, so an answer that depends on what
  /// was there before, such as that to a conditional write, can be the request's own doing.
  public var wasRepeated: Bool

  /// Makes an answer, for transports that do without a network.
  public init(
    status: Int, headers: HTTPHeaders = HTTPHeaders(), body: [UInt8] = [], wasRepeated: Bool = false
  ) {
    self.status = status
    self.headers = headers
    self.body = body
    self.wasRepeated = wasRepeated
  }

  /// Whether the status is 2xx.
  public var isSuccess: Bool { (200..<300).contains(status) }
}

/// What carries requests: the libcurl engine, or a script in tests.
public protocol HTTPTransport: Sendable {
  /// Carries out one request.
  /// - Throws: `HTTPError` when there was no complete answer. An answer of any status is no error here.
  func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse
}
