// What an S3 request is about, read off its head. Path style only: the bucket is the first component of the path.

/// What rules can look at.
public struct S3Request: Sendable, Hashable {
  /// HTTP method.
  public var method: String
  /// S3's name of the operation, such as `PutObject`; the method for requests that are none of those known here.
  public var operation: String
  /// Bucket; empty when there is none.
  public var bucket: String
  /// Key, percent-decoded; for listings the prefix asked for; empty for other requests on a bucket.
  public var key: String
  /// Query parameters, percent-decoded; the value of one without `=` is empty.
  public var query: [String: String]

  /// Makes a request.
  public init(method: String, operation: String, bucket: String = "", key: String = "", query: [String: String] = [:]) {
    self.method = method
    self.operation = operation
    self.bucket = bucket
    self.key = key
    self.query = query
  }

  init(_ head: HTTPHead) {
    let parts = head.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let path = parts[0].drop { $0 == "/" }
    let slash = path.firstIndex(of: "/") ?? path.endIndex
    method = head.method
    bucket = Self.decoded(path[..<slash])
    key = Self.decoded(path[slash...].dropFirst())
    query = [:]
    for item in parts.dropFirst().joined().split(separator: "&") {
      let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      query[Self.decoded(pair[0])] = pair.count > 1 ? Self.decoded(pair[1]) : ""
    }
    operation = head.method
    operation =
      key.isEmpty
      ? Self.bucketOperation(method, query)
      : Self.objectOperation(method, query, isCopy: head["x-amz-copy-source"] != nil)
    if key.isEmpty, method == "GET" { key = query["prefix"] ?? "" }
  }

  private static func bucketOperation(_ method: String, _ query: [String: String]) -> String {
    switch method {
    case "GET" where query["uploads"] != nil: "ListMultipartUploads"
    case "GET" where query["list-type"] == "2": "ListObjectsV2"
    case "GET" where query["location"] != nil: "GetBucketLocation"
    case "GET": "ListObjects"
    case "HEAD": "HeadBucket"
    case "PUT": "CreateBucket"
    case "POST" where query["delete"] != nil: "DeleteObjects"
    case "DELETE": "DeleteBucket"
    default: method
    }
  }

  private static func objectOperation(_ method: String, _ query: [String: String], isCopy: Bool) -> String {
    switch method {
    case "GET": query["uploadId"] == nil ? "GetObject" : "ListParts"
    case "HEAD": "HeadObject"
    case "PUT" where query["partNumber"] != nil: isCopy ? "UploadPartCopy" : "UploadPart"
    case "PUT": isCopy ? "CopyObject" : "PutObject"
    case "POST" where query["uploads"] != nil: "CreateMultipartUpload"
    case "POST" where query["uploadId"] != nil: "CompleteMultipartUpload"
    case "DELETE": query["uploadId"] == nil ? "DeleteObject" : "AbortMultipartUpload"
    default: method
    }
  }

  /// Undoes percent-encoding; what is not encoded properly stays as it is.
  private static func decoded(_ text: some StringProtocol) -> String {
    let bytes = Array(text.utf8)
    guard bytes.contains(UInt8(ascii: "%")) else { return String(text) }
    var output: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
        let value = UInt8(String(decoding: bytes[index + 1...index + 2], as: UTF8.self), radix: 16)
      {
        output.append(value)
        index += 3
      } else {
        output.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: output, as: UTF8.self)
  }
}
