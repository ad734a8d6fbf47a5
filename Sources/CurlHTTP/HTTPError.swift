// The one error of the HTTP layer: there was no complete answer. Only `HTTPError+Curl.swift` knows libcurl's codes.

/// Why a request got no complete answer.
public struct HTTPError: Error, Sendable, CustomStringConvertible {
  /// What happened, as an open set.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    /// Stable word for logs and tests.
    public let description: String
    private init(_ description: String) { self.description = description }

    /// Connection refused, no route, network down.
    public static let unreachable = Code("unreachable")
    /// The host name does not resolve.
    public static let hostUnknown = Code("hostUnknown")
    /// No TLS session: certificate, protocol version, or no TLS on that port.
    public static let tls = Code("tls")
    /// No connection within the connect timeout.
    public static let connectTimedOut = Code("connectTimedOut")
    /// Connected, then no progress within the stall timeout.
    public static let stalled = Code("stalled")
    /// The total timeout ran out.
    public static let deadlineExceeded = Code("deadlineExceeded")
    /// The connection broke, or the body ended before its announced length.
    public static let connectionLost = Code("connectionLost")
    /// The body is larger than the request allows.
    public static let tooLarge = Code("tooLarge")
    /// The answer is not HTTP.
    public static let malformedAnswer = Code("malformedAnswer")
    /// The producer of a streamed body failed; `cause` is its error.
    public static let bodyFailed = Code("bodyFailed")
    /// The task or the exchange was cancelled, or the engine was shut down.
    public static let cancelled = Code("cancelled")
    /// The request itself cannot be sent: a URL or header that is not one.
    public static let invalidRequest = Code("invalidRequest")
    /// Out of memory, threads or descriptors, or a failure inside libcurl.
    public static let resources = Code("resources")
  }

  /// What happened.
  public var code: Code
  /// Host and port as in the URL.
  public var authority: String
  /// libcurl's own words, or ours.
  public var reason: String
  /// Whether any byte of the request may have reached the server. False means it certainly did not act on it.
  public var requestMayHaveArrived: Bool
  /// What the producer of a streamed body threw.
  public var cause: (any Error)?

  /// Makes an error.
  public init(_ code: Code, authority: String, reason: String, requestMayHaveArrived: Bool) {
    self.code = code
    self.authority = authority
    self.reason = reason
    self.requestMayHaveArrived = requestMayHaveArrived
  }

  /// One sentence for logs.
  public var description: String { "HTTP request to \(authority) failed (\(code)): \(reason)" }
}
