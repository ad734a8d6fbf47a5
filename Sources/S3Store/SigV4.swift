// AWS Signature Version 4 for S3, as a pure function of request, credentials and time.
//
// Rules (S3 API reference, "Authenticating Requests"): path and query are encoded once and never normalised; names and
// values of the query sorted in their encoded form; header names in lower case, sorted by name alone; runs of white space
// in a header's value count as one space.

import Crypto
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
  /// All headers to sign and send, besides those that signing adds.
  var headers: [HTTPField]
  /// Hex SHA-256 of the body, or `SigV4.unsignedPayload`.
  var payloadHash: String

  /// One header; a name may occur more than once.
  typealias HTTPField = (name: String, value: String)
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
  func headers(
    for request: SignableRequest, at date: Int64, key: SymmetricKey? = nil
  ) -> [SignableRequest.HTTPField] {
    let timestamp = Timestamp.basicISO8601(date)
    var added: [SignableRequest.HTTPField] = [
      ("x-amz-content-sha256", request.payloadHash), ("x-amz-date", timestamp),
    ]
    if let token = credentials.sessionToken { added.append(("x-amz-security-token", token)) }
    let (canonical, signedNames) = Self.canonicalRequest(request, added: added)
    let scope = "\(timestamp.prefix(8))/\(region)/s3/aws4_request"
    let text = "AWS4-HMAC-SHA256\n\(timestamp)\n\(scope)\n\(Self.hex(SHA256.hash(data: canonical)))"
    let signature = HMAC<SHA256>.authenticationCode(
      for: Array(text.utf8), using: key ?? signingKey(at: date))
    added.append(
      (
        "authorization",
        "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope), SignedHeaders=\(signedNames), "
          + "Signature=\(Self.hex(signature))"
      ))
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
    _ request: SignableRequest, added: [SignableRequest.HTTPField]
  ) -> (text: [UInt8], signedNames: String) {
    let lines = (request.headers + added + [("host", request.host)]).map {
      (name: $0.name.lowercased(), value: $0.value)
    }
    // A stable order for a name that occurs twice: its values are joined as they came.
    let sorted = lines.enumerated().sorted { ($0.element.name, $0.offset) < ($1.element.name, $1.offset) }
    var text = Array("\(request.method)\n\(request.path)\n\(request.query)".utf8)
    text.reserveCapacity(1024)
    var names: [UInt8] = []
    var last: String?
    for (_, line) in sorted {
      if line.name == last {
        text.append(UInt8(ascii: ","))
      } else {
        text.append(UInt8(ascii: "\n"))
        text.append(contentsOf: line.name.utf8)
        text.append(UInt8(ascii: ":"))
        if last != nil { names.append(UInt8(ascii: ";")) }
        names.append(contentsOf: line.name.utf8)
      }
      appendTrimmed(line.value, to: &text)
      last = line.name
    }
    text.append(contentsOf: "\n\n".utf8)
    text.append(contentsOf: names)
    text.append(contentsOf: "\n\(request.payloadHash)".utf8)
    return (text, String(decoding: names, as: UTF8.self))
  }

  private static func appendTrimmed(_ value: String, to text: inout [UInt8]) {
    var isPending = false
    var isFirst = true
    for byte in value.utf8 {
      if byte == 0x20 || (0x09...0x0D).contains(byte) {
        isPending = !isFirst
      } else {
        if isPending { text.append(0x20) }
        text.append(byte)
        isPending = false
        isFirst = false
      }
    }
  }

  private static func hex(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(64)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }
}
