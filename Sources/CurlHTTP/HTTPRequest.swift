// One HTTP request. Usually its whole body is in memory, so that it can be sent again on a fresh connection.

/// One HTTP request. A value; the engine never changes it.
public struct HTTPRequest: Sendable {
  /// The methods the program needs.
  public enum Method: String, Sendable {
    /// Fetch.
    case get = "GET"
    /// Fetch only the headers; the response has no body whatever its Content-Length says.
    case head = "HEAD"
    /// Store `body`.
    case put = "PUT"
    /// Submit `body`.
    case post = "POST"
    /// Remove.
    case delete = "DELETE"

    /// Whether a request's body is sent.
    var sendsBody: Bool { self == .put || self == .post }
  }

  /// What to do.
  public var method: Method
  /// `http://` or `https://`, host, optional port, path and query, all percent-encoded; sent byte for byte (`..` and
  /// `//` are not folded).
  public var url: String
  /// Headers besides Host, Content-Length and User-Agent. CR, LF and NUL are refused.
  public var headers: [HTTPHeader]
  /// Sent with PUT and POST, with a Content-Length; ignored for the other methods.
  public var body: [UInt8]
  /// Sent with PUT and POST instead of `body`. Such a request goes out once: when a kept connection turns out to be
  /// closed it fails with `.connectionLost` instead of being repeated silently, unless nothing of the body was sent. An
  /// answer, or a reset of the connection, ends it at once; an orderly end without an answer is noticed with the next piece.
  public var stream: HTTPBodyStream?
  /// Bytes the answer is likely to have: memory for so many is reserved at once. Content-Length alone reserves at most
  /// 64 MiB, since it is only the server's word.
  public var expectedBodySize: Int?
  /// Most bytes of a 2xx answer's body; with more the request fails with `.tooLarge`. Bodies of other statuses are cut
  /// at `HTTPResponse.errorBodyLimit` without an error.
  public var maximumBodySize: Int
  /// Instead of the engine's.
  public var timeouts: HTTPTimeouts?
  /// PEM file of the certificate authorities to trust instead of the system's.
  public var certificateAuthorityFile: String?
  /// What to show a server that asks for a certificate.
  public var identity: HTTPIdentity?
  /// `host:port` to connect to instead of the URL's, whose host is then only the name that the server has to prove.
  public var connectTo: String?

  /// With true the request goes out on a connection of its own. libcurl silently repeats a request when a reused
  /// connection turns out to be closed (`HTTPResponse.wasRepeated` tells); for a request that must not be carried out
  /// twice that is too late.
  public var mustNotRepeat = false

  /// Makes a request; everything not given has the default that its property names.
  public init(
    _ method: Method, url: String, headers: [HTTPHeader] = [], body: [UInt8] = [], expectedBodySize: Int? = nil,
    maximumBodySize: Int = .max, timeouts: HTTPTimeouts? = nil, certificateAuthorityFile: String? = nil
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.expectedBodySize = expectedBodySize
    self.maximumBodySize = maximumBodySize
    self.timeouts = timeouts
    self.certificateAuthorityFile = certificateAuthorityFile
  }
}

/// A client's certificate and its key, as PEM files.
public struct HTTPIdentity: Sendable, Hashable {
  /// Path of the certificate, with those between it and the authority.
  public var certificateFile: String
  /// Path of the key, without a passphrase.
  public var keyFile: String

  /// Makes the pair; nothing is read yet.
  public init(certificateFile: String, keyFile: String) {
    self.certificateFile = certificateFile
    self.keyFile = keyFile
  }
}

/// One header line of a request.
public struct HTTPHeader: Sendable, Hashable {
  /// Name in any case.
  public var name: String
  /// Value without surrounding white space.
  public var value: String

  /// Makes a header.
  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// How long to wait for what, in seconds. There is no bound on the whole exchange unless `total` sets one: a large body
/// that makes progress may take as long as it takes.
public struct HTTPTimeouts: Sendable, Hashable {
  /// Resolving the name, connecting and the TLS handshake together.
  public var connect: Double
  /// Without a byte of body sent or received for about this long (whole seconds; libcurl averages over the last five,
  /// so it may notice up to five seconds late) the exchange ends. Covers waiting for the answer as well, but not waiting
  /// for the next piece of a streamed body.
  public var stall: Double
  /// The whole exchange, counted from when a connection is free for it.
  public var total: Double?

  /// Makes a set of timeouts.
  public init(connect: Double = 5, stall: Double = 15, total: Double? = nil) {
    self.connect = connect
    self.stall = stall
    self.total = total
  }
}
