import CurlHTTP
import ObjectStore
import Testing

@testable import S3Store

/// Buckets as host names, against a real service that answers at BUCKET.localhost, which libcurl takes to this machine.
@Suite(.enabled(if: Service.isNamed), .timeLimit(.minutes(2))) struct VirtualHostTests {
  @Test func bucketAnswersAtItsOwnHost() async throws {
    try await Service.use {
      $0.addressing = .virtualHost
      $0.host = "localhost"
    } _: { service in
      let store = service.store
      #expect(store.location.endpoint.contains("//localhost:"))
      let keys = ["a b+c%d", "é/日本", "plain"].map { service.key($0) }
      for key in keys { try await store.put(key, Array(key.string.utf8), condition: .none) }
      #expect(try await store.listAll(service.key("")).map(\.key) == keys.sorted())
      for key in keys {
        #expect(try await store.get(key, range: nil, version: nil).bytes == Array(key.string.utf8))
        #expect(try await store.head(key).size == Int64(key.byteCount))
      }
      let copy = try await store.copy(
        from: keys[0], inBucket: store.location.bucket, version: nil, to: service.key("copy"))
      #expect(copy.size == Int64(keys[0].byteCount))
      let upload = try await store.beginUpload(service.key("parts"))
      let part = try await store.uploadPart(upload, number: 1, [1, 2, 3])
      #expect(try await store.listAllUploads(service.key("")).map(\.upload) == [upload])
      try await store.completeUpload(upload, parts: [part], condition: .none)
      try await store.delete(keys + [service.key("copy"), service.key("parts")])
      #expect(try await store.listAll(service.key("")).isEmpty)
      let error = await storeError { try await store.head(service.key("absent")) }
      #expect(error?.code == .notFound)
    }
  }
}
