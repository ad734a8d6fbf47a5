// What a service said when it refused, before it is turned into a `StoreError`.

import CurlHTTP

/// A refusal: an HTTP status other than 2xx, or an error document behind a 200.
struct S3Refusal: Sendable {
  /// HTTP status.
  var status: Int
  /// S3's error code; one made from the status when there was no document; empty when the answer is not S3's.
  var code: String
  /// S3's message, or a description of what came instead.
  var message: String
  /// The bucket's region, if the service named it.
  var region: String?
  /// How long to wait, in seconds, if the service said so.
  var retryAfter: Double?
  /// The service's clock, seconds since 1970.
  var serverDate: Int64?

  /// One object's error inside an answer that is a success.
  init(code: String, message: String) {
    status = 200
    self.code = code
    self.message = message
  }

  /// Reads an answer that is not a success.
  init(_ response: HTTPResponse, method: HTTPRequest.Method, hasKey: Bool) {
    status = response.status
    region = response.headers["x-amz-bucket-region"]
    serverDate = response.headers["Date"].flatMap(Timestamp.parseHTTP)
    retryAfter = Self.delay(response.headers["Retry-After"], since: serverDate)
    if let fields = try? XMLFields(response.body), fields.root == "Error", let code = fields["Code"] {
      self.code = code
      message = fields["Message"] ?? ""
      region = fields["Region"] ?? region
    } else if response.body.isEmpty, status == 404, method != .head, !hasKey {
      // S3 says which bucket is missing; a web server says nothing.
      code = ""
      message = "an answer without a document"
    } else if response.body.isEmpty || (500..<600).contains(status) {
      // HEAD has no document, and a proxy in front of the service may answer without one.
      code = Self.code(for: status, hasKey: hasKey)
      message = ""
    } else {
      code = ""
      message = Self.describe(response.body)
    }
  }

  /// The code that a service would have sent with this status.
  private static func code(for status: Int, hasKey: Bool) -> String {
    switch status {
    case 301: "PermanentRedirect"
    case 307: "TemporaryRedirect"
    case 400: "BadRequest"
    case 401, 403: "AccessDenied"
    case 404: hasKey ? "NoSuchKey" : "NoSuchBucket"
    case 405: "MethodNotAllowed"
    case 409: "OperationAborted"
    case 411: "MissingContentLength"
    case 412: "PreconditionFailed"
    case 413: "EntityTooLarge"
    case 416: "InvalidRange"
    case 429: "TooManyRequests"
    case 501: "NotImplemented"
    case 503: "SlowDown"
    case 507: "InsufficientStorage"
    case 500...599: "InternalError"
    default: "HTTP\(status)"
    }
  }

  /// What came instead of an error document, in few words.
  private static func describe(_ body: [UInt8]) -> String {
    let start = String(decoding: body.prefix(400), as: UTF8.self).lowercased()
    if start.contains("https server") || start.contains("https port") {
      return "the service on this port speaks HTTPS, not HTTP"
    }
    return start.contains("<html") || start.contains("<!doctype html") ? "an HTML page" : "a text that is not XML"
  }

  /// Retry-After is a number of seconds or a date.
  private static func delay(_ value: String?, since date: Int64?) -> Double? {
    guard let value else { return nil }
    if let seconds = Int64(value) { return Double(max(0, seconds)) }
    guard let date, let then = Timestamp.parseHTTP(value) else { return nil }
    return Double(max(0, then - date))
  }
}
