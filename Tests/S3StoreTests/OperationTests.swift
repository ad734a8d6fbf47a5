import CurlHTTP
import ObjectStore
import Testing

@testable import S3Store

/// Requests that operations make, and answers that only look like success.
@Suite struct OperationTests {
  static let info = ["ETag": "\"e\"", "Last-Modified": "Mon, 23 Nov 2026 11:00:00 GMT"]

  private func headers(_ more: [String: String]) -> [String: String] { Self.info.merging(more) { $1 } }

  @Test func rangeIsAskedForAndItsAnswerChecked() async throws {
    let transport = ScriptedTransport(HTTPResponse(206, "cde", headers(["Content-Range": "bytes 2-4/10"])))
    let content = try await scriptedStore(transport).get("k", range: 2..<5, version: ETag("\"e\""))
    #expect(content.bytes == Array("cde".utf8))
    #expect(content.info == ObjectInfo(key: "k", size: 10, etag: ETag("\"e\""), modified: 1_795_431_600))
    let request = try #require(transport.requests.first)
    #expect(request.header("Range") == "bytes=2-4")
    #expect(request.header("If-Match") == "\"e\"")
    #expect(request.maximumBodySize == 3)
  }

  @Test func rangeBeyondTheEndIsCutToIt() async throws {
    let transport = ScriptedTransport(HTTPResponse(206, "ij", headers(["Content-Range": "bytes 8-9/10"])))
    #expect(try await scriptedStore(transport).get("k", range: 8..<100, version: nil).bytes.count == 2)
  }

  @Test(arguments: [
    HTTPResponse(206, "cde", info.merging(["Content-Range": "bytes 3-5/10"]) { $1 }),
    HTTPResponse(206, "cd", info.merging(["Content-Range": "bytes 2-3/10"]) { $1 }),
    HTTPResponse(206, "cde", info), HTTPResponse(206, "cde", info.merging(["Content-Range": "bytes 2-4/*"]) { $1 }),
    HTTPResponse(206, "cde", info.merging(["Content-Range": "bytes 2-4/10", "Content-Length": "4"]) { $1 }),
    HTTPResponse(200, "cde", info), HTTPResponse(204, "", info),
    HTTPResponse(206, "cde", ["Content-Range": "bytes 2-4/10"]),
    HTTPResponse(status: 200, headers: HTTPHeaders([HTTPHeader("ETag", "e")]), body: Array("cde".utf8)),
  ])
  func answerThatIsNotTheRangeAskedForIsAnError(response: HTTPResponse) async throws {
    let store = try scriptedStore(ScriptedTransport(response))
    #expect(await storeError { try await store.get("k", range: 2..<5, version: nil) }?.code == .protocolViolation)
  }

  @Test func fewerBytesThanContentRangeAnnouncesAreALostConnection() async throws {
    let answer = HTTPResponse(206, "cd", Self.info.merging(["Content-Range": "bytes 2-4/10"]) { $1 })
    let error = await storeError {
      try await scriptedStore(ScriptedTransport(answer)).get("k", range: 2..<5, version: nil)
    }
    #expect(error?.code == .connectionLost && error?.isTransient == true)
  }

  @Test func errorBehindASuccessIsAnError() async throws {
    let document = "<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code><Message>m</Message></Error>"
    let store = try scriptedStore(ScriptedTransport(HTTPResponse(200, document)))
    let upload = MultipartUpload(key: "k", id: "u")
    for error in [
      await storeError { try await store.delete("k") }, await storeError { try await store.abortUpload(upload) },
      await storeError { try await store.put("k", [1], condition: .none) },
      await storeError { try await store.uploadPart(upload, number: 1, [1]) },
      await storeError { try await store.get("k", range: nil, version: nil) },
      await storeError { try await store.list(ListRequest(prefix: "")) },
    ] {
      #expect(error?.code == .serverError && error?.isTransient == true)
    }
    // An object may look like one.
    let object = try scriptedStore(ScriptedTransport(HTTPResponse(200, document, Self.info)))
    #expect(try await object.get("k", range: nil, version: nil).bytes == Array(document.utf8))
  }

  @Test func refusedHeadOfAnEmptyObjectIsAskedAgain() async throws {
    let transport = ScriptedTransport(
      HTTPResponse(403), HTTPResponse(416, "<Error><Code>InvalidRange</Code></Error>"),
      HTTPResponse(200, "", Self.info))
    #expect(try await scriptedStore(transport).head("k").size == 0)
  }

  @Test func completionThatCannotBeLookedAfterMayBeTriedAgain() async throws {
    let lost = HTTPError(.connectionLost, authority: "script", reason: "reset", requestMayHaveArrived: true)
    let transport = ScriptedTransport([.answer(HTTPResponse(200, "<CompleteMultipart")), .failure(lost)])
    let part = UploadedPart(number: 1, etag: ETag("e"), size: 1)
    let error = await storeError {
      try await scriptedStore(transport).completeUpload(
        MultipartUpload(key: "k", id: "u"), parts: [part], condition: .none)
    }
    #expect(error?.code == .connectionLost && error?.isTransient == true)
  }

  @Test func keysThatABatchPassesOverAreRemovedSingly() async throws {
    let answer = "<DeleteResult><Deleted><Key>b</Key></Deleted></DeleteResult>"
    let transport = ScriptedTransport(HTTPResponse(200, answer), HTTPResponse(204))
    try await scriptedStore(transport).delete(["a", "b", "c"])
    #expect(transport.requests.map(\.method) == [.post, .delete, .delete])
    #expect(transport.requests.dropFirst().map { $0.url.suffix(2) } == ["/a", "/c"])
  }

  @Test func rangeThatCoversTheObjectMayBeAnsweredWithAllOfIt() async throws {
    let store = try scriptedStore(ScriptedTransport(HTTPResponse(200, "abc", Self.info)))
    let content = try await store.get("k", range: 0..<10, version: nil)
    #expect(content.bytes == Array("abc".utf8))
    #expect(content.info.size == 3)
  }

  @Test func wholeObjectWithoutALengthIsTakenOnlyInChunks() async throws {
    for (header, isTaken) in [(HTTPHeader("Transfer-Encoding", "chunked"), true), (HTTPHeader("X-A", "b"), false)] {
      let headers = HTTPHeaders([HTTPHeader("ETag", "e"), header])
      let response = HTTPResponse(status: 200, headers: headers, body: Array("abc".utf8))
      let store = try scriptedStore(ScriptedTransport(response))
      let error = await storeError { try await store.get("k", range: nil, version: nil) }
      #expect((error == nil) == isTaken)
    }
  }

  @Test func rangeBehindTheEndHasNoBytes() async throws {
    let transport = ScriptedTransport(
      .error(416, "InvalidRange"), HTTPResponse(200, "", headers(["Content-Length": "10"])))
    let content = try await scriptedStore(transport).get("k", range: 10..<20, version: ETag("\"e\""))
    #expect(content.bytes.isEmpty)
    #expect(content.info.size == 10)
    #expect(transport.requests.map(\.method) == [.get, .head])
    #expect(transport.requests.last?.header("If-Match") == "\"e\"")
  }

  @Test func wholeObjectIsComparedWithItsChecksum() async throws {
    let good = try scriptedStore(
      ScriptedTransport(HTTPResponse(200, "123456789", headers(["x-amz-checksum-crc32c": "4waSgw=="]))))
    #expect(try await good.get("k", range: nil, version: nil).bytes.count == 9)
    let bad = try scriptedStore(
      ScriptedTransport(HTTPResponse(200, "123456780", headers(["x-amz-checksum-crc32c": "4waSgw=="]))))
    let error = try #require(await storeError { try await bad.get("k", range: nil, version: nil) })
    #expect(error.code == .corrupted)
    #expect(error.isTransient)
    // A checksum of checksums says nothing that could be compared.
    let parts = try scriptedStore(
      ScriptedTransport(HTTPResponse(200, "x", headers(["x-amz-checksum-crc32c": "4waSgw==-2"]))))
    #expect(try await parts.get("k", range: nil, version: nil).bytes.count == 1)
  }

  @Test func otherVersionIsAChange() async throws {
    let store = try scriptedStore(ScriptedTransport(.error(412, "PreconditionFailed")))
    #expect(await storeError { try await store.get("k", range: nil, version: ETag("\"x\"")) }?.code == .changed)
  }

  @Test func uploadBringsItsChecksumAndIsNotHashed() async throws {
    let transport = ScriptedTransport(HTTPResponse(200, "", ["ETag": "e", "Date": "Mon, 23 Nov 2026 11:00:00 GMT"]))
    let info = try await scriptedStore(transport).put("a b", Array("123456789".utf8), condition: .none)
    #expect(info == ObjectInfo(key: "a b", size: 9, etag: ETag("\"e\""), modified: 1_795_431_600))
    let request = try #require(transport.requests.first)
    #expect(request.url == "http://store.example:9000/bkt/a%20b")
    #expect(request.header("x-amz-checksum-crc32c") == "4waSgw==")
    #expect(request.header("x-amz-content-sha256") == "UNSIGNED-PAYLOAD")
    #expect(request.header("If-None-Match") == nil)
  }

  @Test func conditionalUploadThatIsRefusedFails() async throws {
    let transport = ScriptedTransport(.error(412, "PreconditionFailed"))
    let error = await storeError { try await scriptedStore(transport).put("k", [], condition: .absent) }
    #expect(error?.code == .preconditionFailed)
    let request = try #require(transport.requests.first)
    #expect(request.header("If-None-Match") == "*")
  }

  @Test func refusalOfAConditionalUploadThatWasSentTwiceSaysNothing() async throws {
    var refusal = HTTPResponse.error(412, "PreconditionFailed")
    refusal.wasRepeated = true
    let store = try scriptedStore(ScriptedTransport(refusal))
    let error = await storeError { try await store.put("k", [7], condition: .absent) }
    #expect(error?.code == .connectionLost)
    #expect(error?.isTransient == true)
    #expect(await storeError { try await store.get("k", range: nil, version: ETag("\"x\"")) }?.code == .changed)
  }

  @Test(arguments: [(bytes: [7], isOurs: true), (bytes: [8], isOurs: false)] as [(bytes: [UInt8], isOurs: Bool)])
  func retryingLooksWhoseObjectAConditionalUploadMet(present: (bytes: [UInt8], isOurs: Bool)) async throws {
    var first = HTTPResponse.error(412, "PreconditionFailed")
    first.wasRepeated = true
    let headers = ["ETag": "\"e\"", "Content-Range": "bytes 0-0/1"]
    let object = HTTPResponse(206, String(decoding: present.bytes, as: UTF8.self), headers)
    let transport = ScriptedTransport(first, .error(412, "PreconditionFailed"), object)
    let store = RetryingStore(try scriptedStore(transport), policy: RetryPolicy(firstDelay: 0.001))
    let error = await storeError { try await store.put("k", [7], condition: .absent) }
    #expect(error?.code == (present.isOurs ? nil : .preconditionFailed))
    // Whether a directory that the service keeps is in the way is asked for by a HEAD.
    #expect(transport.requests.map(\.method).filter { $0 != .head } == [.put, .put, .get])
  }

  @Test func listingAsksForWhatIsWanted() async throws {
    let empty = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
    let transport = ScriptedTransport(HTTPResponse(200, empty))
    let store = try scriptedStore(transport)
    _ = try await store.list(ListRequest(prefix: "a b/", groupedByDirectory: true, continuation: "t&+", limit: 5000))
    _ = try await store.list(ListRequest(prefix: "", limit: 7))
    #expect(
      transport.requests.map(\.url) == [
        "http://store.example:9000/bkt?continuation-token=t%26%2B&delimiter=%2F&encoding-type=url&list-type=2"
          + "&max-keys=1000&prefix=a%20b%2F",
        "http://store.example:9000/bkt?encoding-type=url&list-type=2&max-keys=7",
      ])
  }

  @Test func listingThatStandsStillIsAnError() async throws {
    let page =
      "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
      + "</ListBucketResult>"
    let store = try scriptedStore(ScriptedTransport(HTTPResponse(200, page)))
    let error = await storeError { try await store.listAll("") }
    #expect(error?.code == .protocolViolation)
  }

  static let parts = [
    UploadedPart(number: 2, etag: ETag("\"b\""), size: 3, checksum: "AAAAAA=="),
    UploadedPart(number: 1, etag: ETag("\"a&\""), size: 5, checksum: "4waSgw=="),
  ]
  static let upload = MultipartUpload(key: "k", id: "id+/")

  private func complete(_ transport: ScriptedTransport) async throws -> ObjectInfo {
    try await scriptedStore(transport).completeUpload(Self.upload, parts: Self.parts, condition: .none)
  }

  @Test func completionNamesItsPartsInOrder() async throws {
    let answer = HTTPResponse(
      200, "\n \n<CompleteMultipartUploadResult><ETag>&quot;x-2&quot;</ETag></CompleteMultipartUploadResult>")
    let transport = ScriptedTransport(answer)
    let info = try await complete(transport)
    #expect(info == ObjectInfo(key: "k", size: 8, etag: ETag("\"x-2\""), modified: 1_795_435_200))
    let request = try #require(transport.requests.first)
    #expect(request.url == "http://store.example:9000/bkt/k?uploadId=id%2B%2F")
    #expect(
      String(decoding: request.body, as: UTF8.self) == """
        <CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Part><PartNumber>1</PartNumber>\
        <ETag>&quot;a&amp;&quot;</ETag><ChecksumCRC32C>4waSgw==</ChecksumCRC32C></Part><Part><PartNumber>2</PartNumber>\
        <ETag>&quot;b&quot;</ETag><ChecksumCRC32C>AAAAAA==</ChecksumCRC32C></Part></CompleteMultipartUpload>
        """)
    #expect(request.timeouts?.stall ?? 0 >= 300)
  }

  @Test func errorBehindASuccessStatusIsAnError() async throws {
    let hidden = HTTPResponse(200, "  \r\n<Error><Code>InternalError</Code><Message>sorry</Message></Error>")
    let transport = ScriptedTransport(hidden, HTTPResponse(404))
    let error = try #require(await storeError { try await complete(transport) })
    #expect(error.code == .serverError)
    #expect(error.isTransient)
    let copying = try scriptedStore(ScriptedTransport(hidden))
    let copyError = await storeError { try await copying.copy(from: "s", inBucket: "bkt", version: nil, to: "k") }
    #expect(copyError?.code == .serverError)
  }

  static let lost = HTTPError(.connectionLost, authority: "a", reason: "lost", requestMayHaveArrived: true)

  /// Ways in which the answer to a completion gets lost.
  static let losses: [ScriptedTransport.Step] = [
    .failure(lost),
    .answer(.error(404, "NoSuchUpload")),
    .answer(HTTPResponse(200, "<CompleteMultipartUploadResult><ETag>x")),
  ]

  @Test(arguments: 0..<3) func lostCompletionIsResolvedByTheObject(loss: Int) async throws {
    let object = HTTPResponse(200, "", headers(["Content-Length": "8", "ETag": "\"x-2\""]))
    let transport = ScriptedTransport([Self.losses[loss], .answer(object)])
    let info = try await complete(transport)
    #expect(info == ObjectInfo(key: "k", size: 8, etag: ETag("\"x-2\""), modified: 1_795_431_600))
    #expect(transport.requests.map(\.method) == [.post, .head])
  }

  @Test(arguments: [
    HTTPResponse(404),
    HTTPResponse(200, "", ["ETag": "\"x-2\"", "Content-Length": "9"]),
    HTTPResponse(200, "", ["ETag": "\"x\"", "Content-Length": "8"]),
    HTTPResponse(200, "", ["ETag": "\"x-3\"", "Content-Length": "8"]),
    HTTPResponse(200, "", ["ETag": "\"x-2\"", "Content-Length": "8", "x-amz-checksum-crc32c": "AAAAAA==-2"]),
  ])
  func lostCompletionWithAnotherObjectInPlaceIsAnError(object: HTTPResponse) async throws {
    let transport = ScriptedTransport([Self.losses[1], .answer(object)])
    #expect(await storeError { try await complete(transport) }?.code == .uploadNotFound)
  }

  @Test func failedConditionOfACompletionIsNotResolvedAway() async throws {
    let transport = ScriptedTransport(.error(412, "PreconditionFailed"))
    let error = await storeError {
      try await scriptedStore(transport).completeUpload(Self.upload, parts: Self.parts, condition: .absent)
    }
    #expect(error?.code == .preconditionFailed)
    #expect(transport.requests.count { $0.method == .post } == 1)
  }

  @Test func abortOfAnUnknownUploadIsNoError() async throws {
    try await scriptedStore(ScriptedTransport(.error(404, "NoSuchUpload"))).abortUpload(Self.upload)
    let refused = try scriptedStore(ScriptedTransport(.error(403, "AccessDenied")))
    #expect(await storeError { try await refused.abortUpload(Self.upload) }?.code == .accessDenied)
  }

  @Test func deletionOfAnAbsentObjectIsNoErrorButThatOfAnAbsentBucketIs() async throws {
    try await scriptedStore(ScriptedTransport(.error(404, "NoSuchKey"))).delete("k")
    let store = try scriptedStore(ScriptedTransport(.error(404, "NoSuchBucket")))
    #expect(await storeError { try await store.delete("k") }?.code == .bucketNotFound)
  }

  @Test func emptyKeyIsRefusedBecauseItWouldMeanTheBucket() async throws {
    let transport = ScriptedTransport(HTTPResponse(200, "", Self.info))
    let store = try scriptedStore(transport)
    let calls: [() async throws -> Void] = [
      { try await store.delete("") }, { _ = try await store.head("") },
      { try await store.put("", [], condition: .none) },
      { _ = try await store.get("", range: nil, version: nil) }, { _ = try await store.beginUpload("") },
      { try await store.copy(from: "", inBucket: "bkt", version: nil, to: "k") },
      { try await store.copy(from: "k", inBucket: "bkt", version: nil, to: "") },
      { try await store.abortUpload(MultipartUpload(key: "", id: "u")) },
    ]
    for call in calls { #expect(await storeError(call)?.code == .unsupported) }
    #expect(transport.requests.isEmpty)
  }

  @Test func bucketIsCreatedOnlyWhenItIsMissing() async throws {
    let present = ScriptedTransport(HTTPResponse(200))
    try await scriptedStore(present).createBucketIfMissing()
    #expect(present.requests.map(\.method) == [.head])
    let missing = ScriptedTransport(HTTPResponse(404), HTTPResponse(200))
    try await scriptedStore(missing) { $0.region = "eu-west-3" }.createBucketIfMissing()
    #expect(missing.requests.map(\.method) == [.head, .put])
    #expect(String(decoding: missing.requests[1].body, as: UTF8.self).contains("<LocationConstraint>eu-west-3<"))
    let raced = ScriptedTransport(HTTPResponse(404), .error(409, "BucketAlreadyOwnedByYou"), HTTPResponse(200))
    try await scriptedStore(raced).createBucketIfMissing()
    let foreign = ScriptedTransport(
      [.computed { request in request.method == .put ? .error(409, "BucketAlreadyExists") : HTTPResponse(404) }])
    #expect(await storeError { try await scriptedStore(foreign).createBucketIfMissing() }?.code == .accessDenied)
  }

  @Test func endpointsThatAreTheSameHaveTheSameName() throws {
    func location(_ change: (inout S3Configuration) -> Void) throws -> StoreLocation {
      try scriptedStore(ScriptedTransport(), change: change).location
    }
    let usual = try location { $0.port = nil }
    #expect(try location { $0.port = 80 } == usual)
    #expect(
      try location {
        $0.port = nil; $0.host = "STORE.example"
      } == usual)
    #expect(try location { $0.port = 443 } != usual)
    #expect(
      try location {
        $0.port = nil; $0.usesTLS = true
      } != usual)
    #expect(usual.endpoint == "http://store.example")
  }
}
