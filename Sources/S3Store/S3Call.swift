// One S3 operation before it is signed.

import CurlHTTP
import ObjectStore

/// What to ask of a service, independent of time, region and credentials.
struct S3Call: Sendable {
  /// What a condition that does not hold means.
  enum Condition: Sendable {
    /// The object is another version than the one asked for.
    case version
    /// A write's own condition.
    case write
  }

  /// S3's name of the operation.
  var operation: String
  /// HTTP method.
  var method: HTTPRequest.Method
  /// The object; nil for operations on the bucket.
  var key: ObjectKey?
  /// Another bucket than the store's.
  var bucket: String?
  /// Names and values, neither encoded nor sorted.
  var query: [(name: String, value: String)] = []
  /// Headers besides those of signing.
  var headers: [HTTPHeader] = []
  /// Body of PUT and POST.
  var body: [UInt8] = []
  /// Body of a PUT that is made while it is sent, instead of `body`.
  var stream: HTTPBodyStream?
  /// Body bytes to expect.
  var expectedBodySize: Int?
  /// Most body bytes to accept.
  var maximumBodySize = S3Call.documentLimit
  /// What HTTP 412 means.
  var condition = Condition.version
  /// The service may work for long without sending a byte.
  var isSlow = false
  /// A success has a document, which may turn out to be that of an error: status 200 is then no success.
  var isDocument = false
  /// A second execution would do more than the first.
  var mustNotRepeat = false
  /// The object that a copy reads: the one that is missing or changed when the service says so.
  var source: ObjectKey?

  init(_ operation: String, _ method: HTTPRequest.Method, _ key: ObjectKey? = nil) {
    self.operation = operation
    self.method = method
    self.key = key
  }

  /// Most bytes of an answer that is a document: a page of 1,000 keys of 1,024 bytes, all percent-encoded, has 3.5 MB.
  static let documentLimit = 32 << 20
}
