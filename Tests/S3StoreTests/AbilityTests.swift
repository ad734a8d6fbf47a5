import CurlHTTP
import ObjectStore
import Testing

@testable import S3Store

/// Services that lack what newer ones have.
@Suite struct AbilityTests {
  static let info = ["ETag": "\"e\"", "Last-Modified": "Mon, 23 Nov 2026 11:00:00 GMT"]

  static func hasChecksum(_ request: HTTPRequest) -> Bool {
    request.headers.contains { $0.name.hasPrefix("x-amz-checksum") }
      || String(decoding: request.body, as: UTF8.self).contains("ChecksumCRC32C")
  }

  /// A service that refuses everything about checksums in one way.
  private func refusing(_ refusal: HTTPResponse) -> ScriptedTransport {
    ScriptedTransport([
      .computed { request in
        if Self.hasChecksum(request) { return refusal }
        switch request.method {
        case .post where request.url.hasSuffix("uploads="):
          return HTTPResponse(
            200, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
        case .post:
          return HTTPResponse(
            200, "<CompleteMultipartUploadResult><ETag>\"x-1\"</ETag></CompleteMultipartUploadResult>")
        default: return HTTPResponse(200, request.method == .get ? "abc" : "", Self.info)
        }
      }
    ])
  }

  @Test(arguments: [
    HTTPResponse.error(400, "InvalidRequest"), .error(501, "NotImplemented"), .error(400, "InvalidArgument"),
    HTTPResponse(501),
  ])
  func refusalOfChecksumsIsLearnedOnce(refusal: HTTPResponse) async throws {
    let calls: [(S3Store) async throws -> Void] = [
      { try await $0.put("k", [1, 2], condition: .none) },
      { _ = try await $0.get("k", range: nil, version: nil) },
      { _ = try await $0.beginUpload("k") },
      {
        let part = try await $0.uploadPart(MultipartUpload(key: "k", id: "u"), number: 1, [1])
        #expect(part.checksum == nil)
      },
      {
        let parts = [UploadedPart(number: 1, etag: ETag("\"a\""), size: 2, checksum: "4waSgw==")]
        try await $0.completeUpload(MultipartUpload(key: "k", id: "u"), parts: parts, condition: .none)
      },
    ]
    for call in calls {
      let transport = refusing(refusal)
      let store = try scriptedStore(transport)
      try await call(store)
      #expect(transport.requests.map(Self.hasChecksum) == [true, false])
      try await store.put("k", [1, 2], condition: .none)
      try await call(store)
      #expect(transport.requests.map(Self.hasChecksum) == [true, false, false, false])
    }
  }

  @Test(arguments: [
    HTTPResponse.error(400, "BadDigest"), .error(400, "XAmzContentChecksumMismatch"), .error(403, "AccessDenied"),
    .error(503, "SlowDown"), .error(412, "PreconditionFailed"), .error(400, "EntityTooLarge"),
  ])
  func otherRefusalsAreNotTakenForALackOfChecksums(refusal: HTTPResponse) async throws {
    let transport = refusing(refusal)
    let store = try scriptedStore(transport)
    #expect(await storeError { try await store.put("k", [1], condition: .none) } != nil)
    #expect(transport.requests.count == 1)
    #expect(store.abilities.takesChecksums)
  }

  @Test func refusalThatRemainsWithoutChecksumsTeachesNothing() async throws {
    let transport = ScriptedTransport(.error(400, "InvalidRequest", "first"), .error(400, "InvalidRequest", "second"))
    let store = try scriptedStore(transport)
    let error = try #require(await storeError { try await store.put("k", [1], condition: .none) })
    #expect(error.reason.contains("first"))
    #expect(store.abilities.takesChecksums)
  }

  @Test func damagedBodyIsAnErrorThatMayBeTriedAgain() async throws {
    let store = try scriptedStore(ScriptedTransport(.error(400, "BadDigest")))
    let error = try #require(await storeError { try await store.put("k", [1], condition: .none) })
    #expect(error.code == .corrupted)
    #expect(error.isTransient)
  }

  private static let keys: [ObjectKey] = ["a", "b&<>\"'", "é"]

  /// What a service answers that has removed these.
  private static func removed(_ keys: [ObjectKey]) -> HTTPResponse {
    let lines = keys.map { "<Deleted><Key>\(XMLEntities.escaped($0.string))</Key></Deleted>" }
    return HTTPResponse(200, "<DeleteResult>\(lines.joined())</DeleteResult>")
  }

  @Test func objectsAreRemovedTogether() async throws {
    let transport = ScriptedTransport(Self.removed(Self.keys))
    let store = try scriptedStore(transport)
    try await store.delete(Self.keys)
    let request = try #require(transport.requests.first)
    #expect(transport.requests.count == 1)
    #expect(request.url.hasSuffix("/bkt?delete="))
    #expect(request.header("Content-MD5") == ContentMD5.base64(of: request.body))
    let text = String(decoding: request.body, as: UTF8.self)
    #expect(text.contains("<Key>b&amp;&lt;&gt;&quot;&apos;</Key>") || text.contains("<Key>b&amp;&lt;&gt;"))
    #expect(text.contains("<Quiet>false</Quiet>"))
  }

  @Test func objectsThatTheAnswerPassesOverAreRemovedOneByOne() async throws {
    let transport = ScriptedTransport(Self.removed([Self.keys[1]]), HTTPResponse(204), HTTPResponse(204))
    try await scriptedStore(transport).delete(Self.keys)
    #expect(transport.requests.map(\.method) == [.post, .delete, .delete])
  }

  @Test func thousandAndOneObjectsTakeTwoRequests() async throws {
    let keys = (0...1000).map { ObjectKey("k\($0)") }
    let transport = ScriptedTransport(Self.removed(Array(keys.prefix(1000))), HTTPResponse(204))
    try await scriptedStore(transport).delete(keys)
    #expect(transport.requests.count == 2)
    #expect(transport.requests.map(\.method) == [.post, .delete])
  }

  @Test func objectThatCouldNotBeRemovedIsTheError() async throws {
    let answer = """
      <DeleteResult><Error><Key>gone</Key><Code>NoSuchKey</Code></Error><Error><Key>b</Key><Code>AccessDenied</Code>\
      <Message>no</Message></Error><Error><Key>c</Key><Code>InternalError</Code></Error></DeleteResult>
      """
    let transport = ScriptedTransport(HTTPResponse(200, answer), HTTPResponse(204))
    let keys = (0...1000).map { ObjectKey("k\($0)") }
    let error = try #require(await storeError { try await scriptedStore(transport).delete(keys) })
    #expect(error.code == .accessDenied)
    #expect(error.key == "b")
    // The rest is tried nevertheless.
    #expect(transport.requests.count == 2)
  }

  @Test func keyThatNoDocumentCanCarryIsRemovedByItself() async throws {
    let transport = ScriptedTransport(HTTPResponse(204))
    try await scriptedStore(transport).delete(["a", "b\u{1}", "c"])
    #expect(transport.requests.map(\.method) == [.delete, .delete, .delete])
    #expect(transport.requests[1].url.hasSuffix("/bkt/b%01"))
  }

  @Test(arguments: [HTTPResponse.error(501, "NotImplemented"), .error(405, "MethodNotAllowed")])
  func serviceWithoutBatchesIsAskedOnce(refusal: HTTPResponse) async throws {
    let transport = ScriptedTransport([.computed { $0.method == .post ? refusal : HTTPResponse(204) }])
    let store = try scriptedStore(transport)
    try await store.delete(Self.keys)
    try await store.delete(Self.keys)
    #expect(transport.requests.count { $0.method == .post } == 1)
    #expect(transport.requests.count { $0.method == .delete } == 6)
  }

  @Test func emptyKeyAmongManyNeverMeansTheBucket() async throws {
    let transport = ScriptedTransport(HTTPResponse(204))
    let error = await storeError { try await scriptedStore(transport).delete(["a", "", "b"]) }
    #expect(error?.code == .unsupported)
    #expect(transport.requests.allSatisfy { !$0.url.hasSuffix("/bkt") && !$0.url.hasSuffix("/bkt/") })
  }

  static let hidden = HTTPResponse(200, " \n<Error><Code>SlowDown</Code><Message>later</Message></Error>")

  @Test func everyDocumentCanBeAnErrorBehindASuccess() async throws {
    let upload = MultipartUpload(key: "k", id: "u")
    let source = ObjectInfo(key: "s", size: 100, etag: ETag("\"e\""), modified: 0)
    let calls: [(S3Store) async throws -> Void] = [
      { _ = try await $0.list(ListRequest(prefix: "")) }, { _ = try await $0.beginUpload("k") },
      { _ = try await $0.listUploads(UploadListRequest(prefix: "")) }, { try await $0.delete(Self.keys) },
      { try await $0.completeUpload(upload, parts: [], condition: .none) },
      { try await $0.copy(from: "s", inBucket: "bkt", version: nil, to: "k") },
      { _ = try await $0.copyInParts(source, inBucket: "bkt", to: "k", partSize: 10) },
    ]
    for call in calls {
      let store = try scriptedStore(
        ScriptedTransport([.computed { $0.method == .head ? HTTPResponse(404) : Self.hidden }]))
      let error = await storeError { try await call(store) }
      #expect(error?.code == .throttled)
      #expect(error?.isTransient == true)
    }
    // An object that looks like an error is an object.
    let object = HTTPResponse(200, "<Error><Code>SlowDown</Code></Error>", Self.info)
    #expect(try await scriptedStore(ScriptedTransport(object)).get("k", range: nil, version: nil).bytes.count > 10)
  }
}
