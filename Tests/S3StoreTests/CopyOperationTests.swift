import CurlHTTP
import ObjectStore
import Testing

@testable import S3Store

/// Requests that copies inside a service make.
@Suite struct CopyOperationTests {
  private func headers(_ more: [String: String]) -> [String: String] { OperationTests.info.merging(more) { $1 } }

  @Test func copyNamesItsSourceAndVersion() async throws {
    let copied = HTTPResponse(
      200, "<CopyObjectResult><LastModified>2026-11-23T12:30:32.491Z</LastModified><ETag>n</ETag></CopyObjectResult>")
    let source = HTTPResponse(200, "", headers(["Content-Length": "42"]))
    let transport = ScriptedTransport([.computed { request in request.method == .head ? source : copied }])
    let store = try scriptedStore(transport)
    let info = try await store.copy(from: "ä/b c", inBucket: "other", version: ETag("\"e\""), to: "k")
    #expect(info == ObjectInfo(key: "k", size: 42, etag: ETag("\"n\""), modified: 1_795_437_032))
    let put = try #require(transport.requests.first { $0.method == .put })
    #expect(put.header("x-amz-copy-source") == "other/%C3%A4/b%20c")
    #expect(put.header("x-amz-copy-source-if-match") == "\"e\"")
    let head = try #require(transport.requests.first { $0.method == .head })
    #expect(head.url == "http://store.example:9000/other/%C3%A4/b%20c")
    #expect(head.header("If-Match") == "\"e\"")
  }

  /// A copy that has its source's MD5 needs no second request; any other does.
  @Test(arguments: [
    ("0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef", Int64(42) as Int64?, 1),
    ("0123456789abcdef0123456789abcdef-3", "0123456789abcdef0123456789abcdef-3", 42, 1),
    ("0123456789abcdef0123456789abcdef", "ffffffffffffffffffffffffffffffff", 42, 2),
    ("0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef", nil, 2),
    ("opaque", "opaque", 42, 2),
  ])
  func copyAsksForASizeOnlyWhereItMust(version: String, etag: String, size: Int64?, requests: Int) async throws {
    let copied = HTTPResponse(200, "<CopyObjectResult><ETag>\"\(etag)\"</ETag></CopyObjectResult>")
    let source = HTTPResponse(200, "", headers(["Content-Length": "42", "ETag": "\"\(etag)\""]))
    let transport = ScriptedTransport([.computed { request in request.method == .head ? source : copied }])
    let store = try scriptedStore(transport)
    let info = try await store.copy(
      from: "s", inBucket: "other", version: ETag(normalizing: version), size: size, to: "k")
    #expect(info.size == 42 && info.etag == ETag(normalizing: etag))
    #expect(transport.requests.count == requests)
  }

  @Test func absentOrChangedSourceIsWhatTheErrorNames() async throws {
    for (answer, code) in [
      (HTTPResponse.error(404, "NoSuchKey"), StoreError.Code.notFound), (.error(412, "PreconditionFailed"), .changed),
    ] {
      let store = try scriptedStore(ScriptedTransport(answer))
      let error = await storeError { try await store.copy(from: "s", inBucket: "other", version: nil, to: "k") }
      #expect(error?.code == code)
      #expect(error?.key == "s")
    }
  }

  @Test(arguments: [true, false]) func objectTooLargeForOneCopyIsCopiedInParts(withVersion: Bool) async throws {
    let size = (5 << 30) + 1
    let object = HTTPResponse(200, "", headers(["Content-Length": "\(size)"]))
    let transport = ScriptedTransport([
      .computed { request in
        let target = request.url.split(separator: "?")
        if request.method == .head { return object }
        if request.method == .put, target.count == 1 {
          return .error(400, "InvalidRequest", "copy source is too large")
        }
        if request.method == .put { return HTTPResponse(200, "<CopyPartResult><ETag>\"p\"</ETag></CopyPartResult>") }
        if target[1] == "uploads=" {
          return HTTPResponse(
            200, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
        }
        return HTTPResponse(200, "<CompleteMultipartUploadResult><ETag>\"x-11\"</ETag></CompleteMultipartUploadResult>")
      }
    ])
    let store = try scriptedStore(transport)
    let info = try await store.copy(from: "s", inBucket: "bkt", version: withVersion ? ETag("\"e\"") : nil, to: "k")
    #expect(info.size == Int64(size))
    let parts = transport.requests.filter { $0.header("x-amz-copy-source-range") != nil }
    let ranges = Set(parts.compactMap { $0.header("x-amz-copy-source-range") })
    #expect(parts.count == 11)
    #expect(ranges.count == 11)
    #expect(ranges.contains("bytes=0-536870911"))
    #expect(ranges.contains("bytes=5368709120-5368709120"))
    #expect(parts.allSatisfy { $0.header("x-amz-copy-source-if-match") == "\"e\"" })
  }

  @Test func failedPartOfACopyAbortsTheUpload() async throws {
    let transport = ScriptedTransport([
      .computed { request in
        if request.method == .put { return .error(412, "PreconditionFailed") }
        if request.method == .delete { return HTTPResponse(204) }
        return HTTPResponse(
          200, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
      }
    ])
    let store = try scriptedStore(transport)
    let source = ObjectInfo(key: "s", size: 100, etag: ETag("\"e\""), modified: 0)
    let error = await storeError { try await store.copyInParts(source, inBucket: "bkt", to: "k", partSize: 10) }
    #expect(error?.code == .changed)
    #expect(transport.requests.last?.method == .delete)
    #expect(transport.requests.last?.url.hasSuffix("/bkt/k?uploadId=u") == true)
  }
}
