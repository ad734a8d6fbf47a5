// Collects an answer's header lines and body from libcurl's callbacks, within bounds.

import CCurl

struct AnswerCollector {
  /// Why the collector stopped the transfer.
  struct Refusal {
    let code: HTTPError.Code
    let reason: String
  }

  /// A server that sends more than this has lost its way.
  private static let headerLimit = 256 << 10
  /// Most memory reserved for a body by the server's word alone.
  private static let trustedSize = 64 << 20

  /// Set when the collector stopped the transfer for a fault.
  private(set) var refusal: Refusal?
  /// Set when the collector stopped the transfer because it has seen enough: the answer counts as complete.
  private(set) var isCutOnPurpose = false

  private let easy: UnsafeMutableRawPointer?
  private let maximumBodySize: Int
  private let expectedBodySize: Int?
  private var headers: [UInt8] = []
  /// Whether the empty line has come that ends the head. libcurl takes a head that was cut off for a whole one.
  private(set) var hasWholeHead = false
  private var body: [UInt8] = []
  /// Most bytes of this body; nil until its first byte.
  private var bodyLimit: Int?

  /// A collector that refuses everything.
  init() {
    easy = nil
    maximumBodySize = 0
    expectedBodySize = nil
  }

  init(easy: UnsafeMutableRawPointer, request: HTTPRequest) {
    self.easy = easy
    maximumBodySize = request.maximumBodySize
    expectedBodySize = request.expectedBodySize
    headers.reserveCapacity(1024)
  }

  /// Takes one header line; returns how many bytes it took: fewer than there are end the transfer.
  mutating func appendHeader(_ line: UnsafeRawBufferPointer) -> Int {
    if line.starts(with: "HTTP/".utf8) {
      headers.removeAll(keepingCapacity: true)
      hasWholeHead = false
    }
    if line.first == 13 || line.first == 10 { hasWholeHead = true }
    guard headers.count + line.count <= Self.headerLimit else {
      refusal = Refusal(code: .malformedAnswer, reason: "more than \(Self.headerLimit >> 10) KiB of headers")
      return 0
    }
    headers.append(contentsOf: line)
    return line.count
  }

  /// Takes a piece of the body; returns how many bytes it took: fewer than there are end the transfer.
  mutating func appendBody(_ chunk: UnsafeRawBufferPointer) -> Int {
    guard let limit = bodyLimit ?? beginBody() else { return 0 }
    guard chunk.count <= limit - body.count else {
      if isSuccess {
        refuseSize(limit)
      } else {
        body.append(contentsOf: chunk.prefix(limit - body.count))
        isCutOnPurpose = true
      }
      return 0
    }
    body.append(contentsOf: chunk)
    return chunk.count
  }

  /// Hands over what was collected.
  mutating func takeResponse(wasRepeated: Bool) -> HTTPResponse {
    let response = HTTPResponse(
      status: status, headers: HTTPHeaders(block: headers), body: body, wasRepeated: wasRepeated)
    body = []
    headers = []
    return response
  }

  /// Sets the bound of this body and reserves memory for it. Nil when it is announced to be too large.
  private mutating func beginBody() -> Int? {
    let limit = isSuccess ? maximumBodySize : HTTPResponse.errorBodyLimit
    var announced: curl_off_t = -1
    if let easy { _ = ccurl_get_offset(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced) }
    if isSuccess, announced > curl_off_t(limit) {
      refuseSize(limit)
      return nil
    }
    let expected = max(0, expectedBodySize ?? 0)
    let likely = announced < 0 ? expected : min(Int(announced), max(expected, Self.trustedSize))
    body.reserveCapacity(min(likely, limit))
    bodyLimit = limit
    return limit
  }

  private mutating func refuseSize(_ limit: Int) {
    refusal = Refusal(code: .tooLarge, reason: "the answer has more than the \(limit) bytes that were asked for")
  }

  private var status: Int {
    var status = 0
    if let easy { _ = ccurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status) }
    return status
  }

  /// Whether the status is 2xx.
  var isSuccess: Bool { (200..<300).contains(status) }
}
