import CurlHTTP
import Crypto
import ObjectStore
import Synchronization
import Testing

@testable import S3Store

/// Parts that are read while they are sent: what goes out, and what the ETag that comes back is taken for.
@Suite struct StreamedPartTests {
  private static let upload = MultipartUpload(key: "k", id: "u", isStreaming: true)
  private static let body = (0..<(2 * PartSource.pieceSize + 3)).map { UInt8(truncatingIfNeeded: $0 >> 9) }

  private static func md5(_ body: [UInt8]) -> String {
    Insecure.MD5.hash(data: body).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// A service that makes ETags of bodies by a rule.
  private func service(_ tag: @escaping @Sendable (HTTPRequest) -> String) -> ScriptedTransport {
    ScriptedTransport([
      .computed { request in
        switch request.method {
        case .post:
          HTTPResponse(200, "<InitiateMultipartUploadResult><UploadId>p</UploadId></InitiateMultipartUploadResult>")
        case .delete: HTTPResponse(204)
        default: HTTPResponse(200, "", ["ETag": "\"\(tag(request))\""])
        }
      }
    ])
  }

  private func send(_ store: S3Store, _ number: Int = 1) async throws -> UploadedPart {
    try await store.uploadPart(Self.upload, number: number, from: PartSource(Self.body))
  }

  @Test func theBodyGoesOutAsItIs() async throws {
    let transport = service { Self.md5($0.body) }
    let part = try await send(try scriptedStore(transport), 7)
    #expect(part == UploadedPart(number: 7, etag: ETag("\"\(Self.md5(Self.body))\""), size: Int64(Self.body.count)))
    let request = try #require(transport.requests.first)
    #expect(transport.requests.count == 1 && request.body == Self.body)
    #expect(request.stream?.size == Int64(Self.body.count) && request.url.hasSuffix("?partNumber=7&uploadId=u"))
    #expect(request.header("x-amz-content-sha256") == "UNSIGNED-PAYLOAD")
    #expect(!request.headers.contains { $0.name.hasPrefix("x-amz-checksum") })
  }

  @Test func anUploadForStreamsAsksForNoChecksums() async throws {
    for streaming in [false, true] {
      let transport = service { _ in "e" }
      let upload = try await scriptedStore(transport).beginUpload("k", streaming: streaming)
      #expect(upload.isStreaming == streaming)
      let asked = transport.requests.first?.header("x-amz-checksum-algorithm")
      #expect(asked == (streaming ? nil : "CRC32C"))
    }
  }

  @Test func aWholePartOfAnUploadForStreamsBringsNoChecksumAndIsVerified() async throws {
    let transport = service { $0.body == [1] ? Self.md5([1]) : Self.md5([9]) }
    let store = try scriptedStore(transport)
    #expect(try await store.uploadPart(Self.upload, number: 1, [1]).checksum == nil)
    #expect(await storeError { try await store.uploadPart(Self.upload, number: 1, [2]) }?.code == .corrupted)
    #expect(transport.requests.allSatisfy { $0.header("x-amz-checksum-crc32c") == nil })
    #expect(transport.requests.count == 2)
  }

  @Test func anotherMD5IsDamage() async throws {
    let damaged = Mutex(false)
    let transport = service { Self.md5($0.body.count > 100 && damaged.withLock { $0 } ? [0] : $0.body) }
    let store = try scriptedStore(transport)
    _ = try await send(store)
    damaged.withLock { $0 = true }
    let error = await storeError { try await send(store) }
    #expect(error?.code == .corrupted && error?.isTransient == true && error?.key == "k")
    // That its ETags are MD5s was seen before.
    #expect(transport.requests.count == 2)
  }

  @Test func whetherETagsAreMD5sIsTriedWithASmallPart() async throws {
    let transport = service { Self.md5($0.body.count > 100 ? [0] : $0.body) }
    let store = try scriptedStore(transport)
    for _ in 0..<2 { #expect(await storeError { try await send(store) }?.code == .corrupted) }
    // The part; the upload, part and abort of the trial; the part.
    #expect(transport.requests.map(\.method) == [.put, .post, .put, .delete, .put])
    #expect(transport.requests[1].header("x-amz-checksum-algorithm") == "CRC32C")
    #expect(transport.requests[2].header("x-amz-checksum-crc32c") != nil)
    #expect(transport.requests[2].url.hasSuffix("uploadId=p") && transport.requests[3].url.hasSuffix("uploadId=p"))
  }

  @Test func aServiceWithItsOwnETagsIsBelieved() async throws {
    let transport = service { _ in "0123456789abcdef0123456789abcdef" }
    let store = try scriptedStore(transport)
    for number in 1...2 { #expect(try await send(store, number).number == number) }
    #expect(transport.requests.map(\.method) == [.put, .post, .put, .delete, .put])
  }

  @Test func aTrialThatFailsLeavesThePartInDoubt() async throws {
    let fails = Mutex(true)
    let transport = ScriptedTransport([
      .computed { request in
        switch request.method {
        case .post:
          HTTPResponse(200, "<InitiateMultipartUploadResult><UploadId>p</UploadId></InitiateMultipartUploadResult>")
        case .delete: HTTPResponse(204)
        default:
          request.body.count < 100 && fails.withLock { $0 }
            ? .error(400, "BadDigest") : HTTPResponse(200, "", ["ETag": "\"opaque\""])
        }
      }
    ])
    let store = try scriptedStore(transport)
    let error = await storeError { try await send(store) }
    #expect(error?.code == .corrupted && error?.isTransient == true)
    #expect(transport.requests.map(\.method) == [.put, .post, .put, .delete])
    fails.withLock { $0 = false }
    _ = try await send(store)
  }

  @Test func aPartThatIsSignedAgainIsReadAgain() async throws {
    let refusal = HTTPResponse.error(
      403, "RequestTimeTooSkewed", headers: ["Date": "Mon, 23 Nov 2026 13:00:00 GMT"])
    let transport = ScriptedTransport(refusal, HTTPResponse(200, "", ["ETag": "\"\(Self.md5(Self.body))\""]))
    _ = try await send(try scriptedStore(transport))
    #expect(transport.requests.map(\.body) == [Self.body, Self.body])
  }

  @Test func aSourcesErrorIsThatOfThePart() async throws {
    struct Unforeseen: Error {}
    let place = StoreLocation(provider: "p", endpoint: "e", bucket: "b")
    let changed = StoreError(.changed, operation: "GetObject", key: "s", location: place, reason: "r")
    for (thrown, expected) in [
      (changed, .changed), (CancellationError(), .cancelled), (Unforeseen(), .connectionLost),
    ] as [(any Error, StoreError.Code)] {
      let store = try scriptedStore(service { Self.md5($0.body) })
      let error = await storeError {
        try await store.uploadPart(
          Self.upload, number: 1,
          from: PartSource(size: Int64(Self.body.count)) { range in
            if range.lowerBound > 0 { throw thrown }
            return Array(Self.body[Int(range.lowerBound)..<Int(range.upperBound)])
          })
      }
      #expect(error?.code == expected)
      #expect(error?.location == (expected == .changed ? place : store.location))
    }
  }
}
