// Answers that the proxy makes itself: S3's error documents (S3 API reference, "Error responses").

/// An error as a service would send it.
struct ErrorAnswer {
  private let code: String
  private let status: Int
  private let retryAfter: Int?
  private let region: String?

  /// - Parameter status: nil for the one that S3 sends with this code; 400 for codes not known here.
  init(code: String, status: Int?, retryAfter: Int? = nil, region: String? = nil) {
    self.code = code
    self.status = status ?? Self.statuses[code] ?? 400
    self.retryAfter = retryAfter
    self.region = region
  }

  /// Head and document; only the head for HEAD.
  /// - Parameter date: the value of the Date header.
  func bytes(to request: S3Request, date: String, closing: Bool) -> [UInt8] {
    var document = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>\(code)</Code><Message>\(Self.message)"
    document += "</Message>"
    if let region { document += "<Region>\(region)</Region>" }
    document += "<RequestId>FAULTPROXY</RequestId></Error>"
    if request.method == "HEAD" { document = "" }
    var head = "HTTP/1.1 \(status) \(Self.reasons[status] ?? "Error")\r\nDate: \(date)\r\nServer: fault-proxy\r\n"
    if let retryAfter { head += "Retry-After: \(retryAfter)\r\n" }
    if let region { head += "x-amz-bucket-region: \(region)\r\n" }
    if closing { head += "Connection: close\r\n" }
    head += "Content-Type: application/xml\r\nContent-Length: \(document.utf8.count)\r\n\r\n"
    return Array((head + document).utf8)
  }

  private static let message = "An error by the script of the fault proxy."

  private static let statuses = [
    "InternalError": 500, "SlowDown": 503, "ServiceUnavailable": 503, "TooManyRequests": 429, "ExpiredToken": 400,
    "AccessDenied": 403, "SignatureDoesNotMatch": 403, "InvalidAccessKeyId": 403, "RequestTimeTooSkewed": 403,
    "NoSuchKey": 404, "NoSuchBucket": 404, "NoSuchUpload": 404, "PreconditionFailed": 412, "PermanentRedirect": 301,
    "RequestTimeout": 400, "BadDigest": 400, "QuotaExceeded": 507, "OperationAborted": 409, "NotImplemented": 501,
  ]

  private static let reasons = [
    200: "OK", 301: "Moved Permanently", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 409: "Conflict",
    412: "Precondition Failed", 429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented",
    503: "Service Unavailable", 507: "Insufficient Storage",
  ]
}
