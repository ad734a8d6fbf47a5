// AWS Signature Version 4 for S3, as a pure function of request, credentials and time.
//
// Rules (S3 API reference, "Authenticating Requests"): path and query are encoded once and never normalised; names and
// values of the query sorted in their encoded form; header names in lower case, sorted by name alone; runs of white
// space in a header's value count as one space.

import Crypto
import CurlHTTP
import FoundationEssentials

/// What is signed. Path and query are the encoded ones of the URL.
struct SignableRequest: Sendable {
  /// HTTP method in capitals.
  var method: String
  /// Host header's value: with the port unless it is the scheme's own.
  var host: String
  /// Encoded path.
  var path: String
  /// Encoded, sorted query, without `?`.
  var query: String
  /// All headers to sign and send, besides those that signing adds. A name may occur more than once.
  var headers: [HTTPHeader]
  /// Hex SHA-256 of the body, or `SigV4.unsignedPayload`.
  var payloadHash: String
}

/// Signature Version 4 with one identity in one region.
struct SigV4: Sendable {
  /// Stands for the body's hash where TLS or a checksum header protects the body instead.
  static let unsignedPayload = "UNSIGNED-PAYLOAD"
  /// The hash of no bytes.
  static let emptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  /// Who signs.
  let credentials: S3Credentials
  /// Region of the bucket.
  let region: String

  /// The headers to add to the request.
  /// - Parameters:
  ///   - date: seconds since 1970, UTC.
  ///   - key: `signingKey` of that date, if it is at hand.
  func headers(for request: SignableRequest, at date: Int64, key: SymmetricKey? = nil) -> [HTTPHeader] {
    let timestamp = Timestamp.basicISO8601(date)
    var added: [HTTPHeader] = []
    added.reserveCapacity(4)
    added.append(HTTPHeader("x-amz-content-sha256", request.payloadHash))
    added.append(HTTPHeader("x-amz-date", timestamp))
    if let token = credentials.sessionToken { added.append(HTTPHeader("x-amz-security-token", token)) }

    let (canonical, signedNames) = Self.canonicalRequest(request, added: added)
    var scope = Array(timestamp.utf8.prefix(8))
    scope.append(contentsOf: "/\(region)/s3/aws4_request".utf8)
    var text = Array("AWS4-HMAC-SHA256\n".utf8)
    text.reserveCapacity(192)
    text.append(contentsOf: timestamp.utf8)
    text.append(Self.lineFeed)
    text.append(contentsOf: scope)
    text.append(Self.lineFeed)
    Self.appendHex(SHA256.hash(data: canonical), to: &text)
    let signature = HMAC<SHA256>.authenticationCode(for: text, using: key ?? signingKey(at: date))

    var authorization = Array("AWS4-HMAC-SHA256 Credential=".utf8)
    authorization.reserveCapacity(320)
    authorization.append(contentsOf: credentials.accessKeyID.utf8)
    authorization.append(UInt8(ascii: "/"))
    authorization.append(contentsOf: scope)
    authorization.append(contentsOf: ", SignedHeaders=".utf8)
    authorization.append(contentsOf: signedNames)
    authorization.append(contentsOf: ", Signature=".utf8)
    Self.appendHex(signature, to: &authorization)
    added.append(HTTPHeader("authorization", String(decoding: authorization, as: UTF8.self)))
    return added
  }

  /// The key of one day (UTC) and region; worth keeping, since it costs four times as much as the signature itself.
  func signingKey(at date: Int64) -> SymmetricKey {
    let day = Array(Timestamp.basicISO8601(date).utf8.prefix(8))
    var key = SymmetricKey(data: Array("AWS4\(credentials.secretAccessKey)".utf8))
    for step in [day, Array(region.utf8), Array("s3".utf8), Array("aws4_request".utf8)] {
      key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: step, using: key))
    }
    return key
  }

  /// The text that is hashed, and the names in it joined by semicolons.
  private static func canonicalRequest(
    _ request: SignableRequest, added: [HTTPHeader]
  ) -> (text: [UInt8], signedNames: [UInt8]) {
    var text: [UInt8] = []
    text.reserveCapacity(1024)
    text.append(contentsOf: request.method.utf8)
    text.append(lineFeed)
    text.append(contentsOf: request.path.utf8)
    text.append(lineFeed)
    text.append(contentsOf: request.query.utf8)
    var names: [UInt8] = []
    names.reserveCapacity(128)
    var last: String?
    for line in sortedLines(request, added: added) {
      if line.name == last {
        text.append(UInt8(ascii: ","))
      } else {
        text.append(lineFeed)
        text.append(contentsOf: line.name.utf8)
        text.append(UInt8(ascii: ":"))
        if last != nil { names.append(UInt8(ascii: ";")) }
        names.append(contentsOf: line.name.utf8)
      }
      appendTrimmed(line.value, to: &text)
      last = line.name
    }
    text.append(lineFeed)
    text.append(lineFeed)
    text.append(contentsOf: names)
    text.append(lineFeed)
    text.append(contentsOf: request.payloadHash.utf8)
    return (text, names)
  }

  /// All headers by name, in lower case. Those of one name stay as they came: their values are joined in that order.
  private static func sortedLines(_ request: SignableRequest, added: [HTTPHeader]) -> [HTTPHeader] {
    var lines: [HTTPHeader] = []
    lines.reserveCapacity(request.headers.count + added.count + 1)
    lines.append(HTTPHeader("host", request.host))
    for header in added { insert(header, into: &lines) }
    for header in request.headers { insert(header, into: &lines) }
    return lines
  }

  private static func insert(_ header: HTTPHeader, into lines: inout [HTTPHeader]) {
    var line = header
    if line.name.utf8.contains(where: { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") }) {
      line.name = line.name.lowercased()
    }
    var index = lines.count
    while index > 0, lines[index - 1].name > line.name { index -= 1 }
    lines.insert(line, at: index)
  }

  private static func appendTrimmed(_ value: String, to text: inout [UInt8]) {
    var isPending = false
    var isFirst = true
    for byte in value.utf8 {
      if byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) {
        isPending = !isFirst
      } else {
        if isPending { text.append(0x20) }
        text.append(byte)
        isPending = false
        isFirst = false
      }
    }
  }

  private static let lineFeed = UInt8(ascii: "\n")
  private static let hexDigits = Array("0123456789abcdef".utf8)

  private static func appendHex(_ bytes: some Sequence<UInt8>, to text: inout [UInt8]) {
    for byte in bytes {
      text.append(hexDigits[Int(byte >> 4)])
      text.append(hexDigits[Int(byte & 15)])
    }
  }
}
