import CurlHTTP
import ObjectStore
import Testing

@testable import S3Store

/// What a service refuses, and what the operator is told.
@Suite struct RefusalTests {
  struct Expectation: Sendable, CustomTestStringConvertible {
    var status: Int
    var code: String
    var meaning: StoreError.Code
    var isTransient: Bool
    /// Words of the remedy or the reason.
    var words: [String]
    var testDescription: String { code }
    init(_ status: Int, _ code: String, _ meaning: StoreError.Code, _ isTransient: Bool = false, _ words: [String] = [])
    {
      self.status = status
      self.code = code
      self.meaning = meaning
      self.isTransient = isTransient
      self.words = words
    }
  }

  static let table = [
    Expectation(403, "InvalidAccessKeyId", .accessDenied, false, ["access key", "minio.accessKeyID"]),
    Expectation(403, "SignatureDoesNotMatch", .accessDenied, false, ["secret", "minio.secretAccessKey"]),
    Expectation(403, "AccessDenied", .accessDenied, false, ["may not", "s3:PutObject"]),
    Expectation(400, "ExpiredToken", .credentialsExpired, false, ["run out", "minio.token"]),
    Expectation(400, "InvalidToken", .accessDenied, false, ["minio.token"]),
    Expectation(404, "NoSuchKey", .notFound),
    Expectation(404, "NoSuchBucket", .bucketNotFound, false, ["minio.bucketName"]),
    Expectation(404, "NoSuchUpload", .uploadNotFound), Expectation(400, "InvalidPart", .uploadNotFound),
    Expectation(412, "PreconditionFailed", .preconditionFailed), Expectation(413, "EntityTooLarge", .tooLarge),
    Expectation(409, "ConditionalRequestConflict", .preconditionFailed, true),
    Expectation(503, "SlowDown", .throttled, true), Expectation(503, "ServiceUnavailable", .throttled, true),
    Expectation(429, "TooManyRequests", .throttled, true), Expectation(429, "Unheard", .throttled, true),
    Expectation(400, "RequestTimeout", .timedOut, true), Expectation(500, "InternalError", .serverError, true),
    Expectation(502, "Unheard", .serverError, true), Expectation(504, "GatewayTimeout", .serverError, true),
    Expectation(501, "NotImplemented", .unsupported), Expectation(507, "XMinioStorageFull", .noSpace, false, ["full"]),
    Expectation(403, "QuotaExceeded", .noSpace), Expectation(400, "BadDigest", .corrupted, true),
    Expectation(400, "IncompleteBody", .connectionLost, true), Expectation(400, "KeyTooLongError", .unsupported),
    Expectation(403, "InvalidObjectState", .unsupported, false, ["archive"]),
    Expectation(400, "AuthorizationHeaderMalformed", .accessDenied, false, ["minio.region"]),
    Expectation(301, "PermanentRedirect", .bucketNotFound, false, ["minio.address"]),
    Expectation(418, "Unheard", .unsupported), Expectation(403, "Unheard", .accessDenied),
    Expectation(404, "Unheard", .notFound),
  ]

  @Test(arguments: table) func refusalHasItsMeaning(expected: Expectation) async throws {
    let store = try scriptedStore(ScriptedTransport(.error(expected.status, expected.code, "their words")))
    let error = try #require(await storeError { try await store.put("a key", [1], condition: .none) })
    #expect(error.code == expected.meaning)
    #expect(error.isTransient == expected.isTransient)
    #expect(error.operation == "PutObject")
    #expect(error.key == "a key")
    #expect(error.location == store.location)
    #expect(error.reason.contains("\(expected.code): their words"))
    for words in expected.words { #expect(error.description.contains(words)) }
    #expect(!error.description.contains("hush"))
  }

  @Test func namesOfSettingsAreThoseOfTheConfiguration() async throws {
    let transport = ScriptedTransport(.error(403, "SignatureDoesNotMatch"))
    let store = try scriptedStore(transport) { $0.settingNames.secretAccessKey = "minio.backupSecretAccessKey" }
    let error = try #require(await storeError { try await store.head("k") })
    #expect(error.remedy.contains("minio.backupSecretAccessKey"))
  }

  @Test func waitThatTheServiceAsksForIsPassedOn() async throws {
    let store = try scriptedStore(ScriptedTransport(.error(503, "SlowDown", headers: ["Retry-After": "7"])))
    #expect(await storeError { try await store.delete("k") }?.retryAfter == 7)
    let dates = ["Date": "Mon, 23 Nov 2026 12:00:00 GMT", "Retry-After": "Mon, 23 Nov 2026 12:01:30 GMT"]
    let other = try scriptedStore(ScriptedTransport(.error(503, "SlowDown", headers: dates)))
    #expect(await storeError { try await other.delete("k") }?.retryAfter == 90)
  }

  @Test(arguments: [200, 400, 404, 405])
  func webPageIsNoS3Service(status: Int) async throws {
    let page = HTTPResponse(status, "<!DOCTYPE html><html><body>console</body></html>")
    let store = try scriptedStore(ScriptedTransport(page))
    let error = try #require(await storeError { try await store.list(ListRequest(prefix: "")) })
    #expect(error.code == .protocolViolation)
    #expect(!error.isTransient)
    #expect(error.description.contains("store.example:9000"))
    #expect(error.description.contains("HTML"))
    #expect(error.remedy.contains("minio.port"))
  }

  @Test func plainHTTPOnAPortForHTTPSIsExplained() async throws {
    let answer = HTTPResponse(400, "Client sent an HTTP request to an HTTPS server.\n")
    let store = try scriptedStore(ScriptedTransport(answer))
    let error = try #require(await storeError { try await store.list(ListRequest(prefix: "")) })
    #expect(error.code == .protocolViolation)
    #expect(error.reason.contains("speaks HTTPS"))
    #expect(error.remedy.contains("minio.useSSL"))
  }

  @Test func pageOfAProxyInTroubleIsTransient() async throws {
    let store = try scriptedStore(ScriptedTransport(HTTPResponse(502, "<html>Bad Gateway</html>")))
    let error = try #require(await storeError { try await store.get("k", range: nil, version: nil) })
    #expect(error.code == .serverError)
    #expect(error.isTransient)
  }

  struct NetworkExpectation: Sendable {
    var code: HTTPError.Code
    var meaning: StoreError.Code
    var isTransient: Bool
  }

  @Test(arguments: [
    NetworkExpectation(code: .unreachable, meaning: .unreachable, isTransient: true),
    NetworkExpectation(code: .hostUnknown, meaning: .unreachable, isTransient: true),
    NetworkExpectation(code: .tls, meaning: .unreachable, isTransient: false),
    NetworkExpectation(code: .connectTimedOut, meaning: .timedOut, isTransient: true),
    NetworkExpectation(code: .stalled, meaning: .timedOut, isTransient: true),
    NetworkExpectation(code: .connectionLost, meaning: .connectionLost, isTransient: true),
    NetworkExpectation(code: .malformedAnswer, meaning: .protocolViolation, isTransient: false),
    NetworkExpectation(code: .tooLarge, meaning: .protocolViolation, isTransient: false),
    NetworkExpectation(code: .cancelled, meaning: .cancelled, isTransient: false),
  ])
  func troubleOnTheNetworkHasItsMeaning(expected: NetworkExpectation) async throws {
    let transport = ScriptedTransport([
      .failure(
        HTTPError(expected.code, authority: "store.example:9000", reason: "their words", requestMayHaveArrived: true))
    ])
    let store = try scriptedStore(transport)
    let error = try #require(await storeError { try await store.head("k") })
    #expect(error.code == expected.meaning)
    #expect(error.isTransient == expected.isTransient)
    #expect(error.description.contains("store.example:9000: their words"))
    #expect(transport.requests.count == 1)
  }

  @Test func clockThatDiffersIsCorrectedOnceAndKept() async throws {
    let info = ["ETag": "\"e\"", "Content-Length": "5", "Last-Modified": "Mon, 23 Nov 2026 12:00:00 GMT"]
    let transport = ScriptedTransport(
      .error(403, "RequestTimeTooSkewed", headers: ["Date": "Mon, 23 Nov 2026 13:00:00 GMT"]), HTTPResponse(204),
      HTTPResponse(200, "", info))
    let store = try scriptedStore(transport)
    try await store.delete("k")
    _ = try await store.head("k")
    #expect(
      transport.requests.map { $0.header("x-amz-date") } == [
        "20261123T120000Z", "20261123T130000Z", "20261123T130000Z",
      ])
  }

  @Test func clockIsNotCorrectedForever() async throws {
    let transport = ScriptedTransport(
      .error(403, "RequestTimeTooSkewed", headers: ["Date": "Mon, 23 Nov 2026 13:00:00 GMT"]))
    let store = try scriptedStore(transport)
    let error = try #require(await storeError { try await store.delete("k") })
    #expect(error.code == .accessDenied)
    #expect(error.reason.contains("clock"))
    #expect(transport.requests.count == 2)
  }

  @Test func regionThatTheServiceNamesIsAdoptedOnceAndKept() async throws {
    let transport = ScriptedTransport(
      .error(400, "AuthorizationHeaderMalformed", fields: "<Region>eu-west-3</Region>"), HTTPResponse(204))
    let store = try scriptedStore(transport)
    try await store.delete("k")
    try await store.delete("k")
    let scopes = transport.requests.map { $0.header("authorization")?.split(separator: "/")[2] }
    #expect(scopes == ["us-east-1", "eu-west-3", "eu-west-3"])
  }

  @Test func regionOfARedirectChangesAmazonsHost() async throws {
    let transport = ScriptedTransport(
      .error(301, "PermanentRedirect", headers: ["x-amz-bucket-region": "eu-west-3"]), HTTPResponse(204))
    let store = try scriptedStore(transport, host: "s3.amazonaws.com") { $0.port = nil }
    try await store.delete("k")
    #expect(
      transport.requests.map(\.url) == ["http://bkt.s3.amazonaws.com/k", "http://bkt.s3.eu-west-3.amazonaws.com/k"])
  }

  @Test func wrongRegionThatIsRepeatedIsAnError() async throws {
    let transport = ScriptedTransport(.error(400, "AuthorizationHeaderMalformed", fields: "<Region>eu-west-3</Region>"))
    let store = try scriptedStore(transport)
    #expect(await storeError { try await store.delete("k") }?.code == .accessDenied)
    #expect(transport.requests.count == 2)
  }

  @Test func reasonOfARefusedHeadIsAskedForByAGet() async throws {
    let transport = ScriptedTransport([
      .computed { request in
        request.method == .head ? HTTPResponse(403) : .error(403, "InvalidAccessKeyId")
      }
    ])
    let store = try scriptedStore(transport)
    let error = try #require(await storeError { try await store.head("k") })
    #expect(error.reason.contains("does not know this access key"))
    #expect(transport.requests.map(\.method) == [.head, .get])
    #expect(transport.requests.last?.header("Range") == "bytes=0-0")
  }

  @Test func headIsRepeatedAfterTheGetHasCorrectedTheClock() async throws {
    let info = ["ETag": "\"e\"", "Content-Length": "5"]
    let transport = ScriptedTransport([
      .computed { request in
        if request.header("x-amz-date") == "20261123T120000Z" {
          return request.method == .head
            ? HTTPResponse(403)
            : .error(403, "RequestTimeTooSkewed", headers: ["Date": "Mon, 23 Nov 2026 13:00:00 GMT"])
        }
        return request.method == .head ? HTTPResponse(200, "", info) : HTTPResponse(206, "x", info)
      }
    ])
    #expect(try await scriptedStore(transport).head("k").size == 5)
  }

  @Test func absentObjectOfAHeadIsNotFoundWithoutAnotherRequest() async throws {
    let transport = ScriptedTransport(HTTPResponse(404))
    #expect(await storeError { try await scriptedStore(transport).head("k") }?.code == .notFound)
    #expect(transport.requests.count == 1)
  }

  @Test(
    arguments: [
      { (configuration: inout S3Configuration) in configuration.host = "" },
      { $0.host = "http://x" }, { $0.host = "a b" }, { $0.port = 0 }, { $0.port = 65_536 }, { $0.bucket = "" },
      { $0.bucket = "a/b" },
      { $0.credentials = S3Credentials(accessKeyID: "", secretAccessKey: "x") },
      { $0.credentials = S3Credentials(accessKeyID: "x", secretAccessKey: "") },
    ] as [@Sendable (inout S3Configuration) -> Void])
  func configurationThatCannotWorkIsRefused(change: @Sendable (inout S3Configuration) -> Void) async throws {
    let error = try #require(await storeError { try scriptedStore(ScriptedTransport(), change: change) })
    #expect(error.code == .unsupported)
    #expect(error.remedy.contains("minio."))
  }
}
