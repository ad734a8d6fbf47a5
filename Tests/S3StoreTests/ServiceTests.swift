import CurlHTTP
import Glibc
import ObjectStore
import Testing

@testable import S3Store

/// A real service, named by S3_TEST_ENDPOINT (such as `http://127.0.0.1:9000`), S3_TEST_ACCESS_KEY, S3_TEST_SECRET_KEY
/// and S3_TEST_BUCKET. Without the first one the suite is not run; with it, a service that is out of reach is a failure.
struct Service: Sendable {
  static let endpoint = variable("S3_TEST_ENDPOINT")
  static let isNamed = endpoint != nil

  struct Incomplete: Error {}

  let store: S3Store
  /// Each test has a prefix of its own, and leaves nothing below it.
  let prefix: String

  static func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  static func configuration() throws -> S3Configuration {
    guard let endpoint, let accessKey = variable("S3_TEST_ACCESS_KEY"), let secret = variable("S3_TEST_SECRET_KEY"),
      let bucket = variable("S3_TEST_BUCKET")
    else { throw Incomplete() }
    let parts = endpoint.split(separator: "/", omittingEmptySubsequences: true)
    guard parts.count == 2, parts[0] == "http:" || parts[0] == "https:" else { throw Incomplete() }
    let address = parts[1].split(separator: ":")
    return S3Configuration(
      usesTLS: parts[0] == "https:", host: String(address[0]), port: address.count > 1 ? Int(address[1]) : nil,
      bucket: bucket, credentials: S3Credentials(accessKeyID: accessKey, secretAccessKey: secret), addressing: .path)
  }

  /// Runs a test against the bucket, which is created if need be, and removes its objects.
  static func use(
    change: (inout S3Configuration) -> Void = { _ in }, _ body: (Service) async throws -> Void
  ) async throws {
    let engine = try HTTPEngine()
    var configuration = try configuration()
    let cleaner = try S3Store(configuration, transport: engine)
    try await cleaner.createBucketIfMissing()
    change(&configuration)
    let name = "test-\(UInt64.random(in: 0 ... .max))/"
    let service = Service(store: try S3Store(configuration, transport: engine), prefix: name)
    let result = await Result { try await body(service) }
    for object in try await cleaner.listAll(ObjectKey(name)) { try await cleaner.delete(object.key) }
    try result.get()
  }

  func key(_ name: String) -> ObjectKey { ObjectKey(prefix + name) }
}

extension Result where Failure == any Error {
  fileprivate init(_ body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}

@Suite(.enabled(if: Service.isNamed), .timeLimit(.minutes(5))) struct ServiceTests {
  private func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 56)
    }
  }

  @Test func aDirectoryThatTheServiceKeepsIsNotInTheWay() async throws {
    try await Service.use { service in
      for name in ["put/below", "put/deep/er/below", "put/other/below", "upload/below", "upload/deep/below"] {
        try await service.store.put(service.key(name), [1], condition: .none)
        try await service.store.delete(service.key(name))
      }
      try await service.store.put(service.key("put"), [2], condition: .absent)
      #expect(try await service.store.get(service.key("put"), range: nil, version: nil).bytes == [2])
      let upload = try await service.store.beginUpload(service.key("upload"))
      let part = try await service.store.uploadPart(upload, number: 1, [3])
      try await service.store.completeUpload(upload, parts: [part], condition: .absent)
      #expect(try await service.store.get(service.key("upload"), range: nil, version: nil).bytes == [3])
      // What is really there is still in the way.
      await #expect(throws: StoreError.self) {
        try await service.store.put(service.key("put"), [4], condition: .absent)
      }
    }
  }

  @Test(arguments: [0, 1, 4096, 300_000, 5_000_001]) func objectComesBackAsItWent(size: Int) async throws {
    try await Service.use { service in
      let body = bytes(size)
      let put = try await service.store.put(service.key("object"), body, condition: .none)
      let head = try await service.store.head(service.key("object"))
      let get = try await service.store.get(service.key("object"), range: nil, version: put.etag)
      #expect(get.bytes == body)
      #expect(put.size == Int64(size) && head.size == put.size && get.info.size == put.size)
      #expect(head.etag == put.etag && get.info.etag == put.etag)
      #expect(abs(head.modified - put.modified) <= 2)
      let page = try await service.store.list(ListRequest(prefix: service.key("")))
      #expect(page.objects.map(\.etag) == [put.etag])
      #expect(page.objects.map(\.size) == [put.size])
    }
  }

  @Test func oddKeysComeBackAsTheyWent() async throws {
    let names = [
      "a b", "a+b", "a%20b", "100%", "a&b=c", "a?b#c", "é", "e\u{301}", "日本", "😀", "~t", "it's", "say \"hi\"", "<x>",
      "a;b,c:d",
      "(x)[y]{z}", "$@!*|^`", "a=b", "..a", "a..", "...", "%2F", "+", "1/2/3/4/5/6/7",
    ]
    try await Service.use { service in
      for name in names { try await service.store.put(service.key(name), Array(name.utf8), condition: .none) }
      let listed = try await service.store.listAll(service.key("")).map(\.key)
      #expect(listed == names.map { service.key($0) }.sorted())
      for name in names {
        let content = try await service.store.get(service.key(name), range: nil, version: nil)
        #expect(content.bytes == Array(name.utf8))
        try await service.store.copy(
          from: service.key(name), inBucket: service.store.location.bucket, version: content.info.etag,
          to: service.key("copy of \(name)"))
        #expect(try await service.store.head(service.key("copy of \(name)")).size == content.info.size)
        try await service.store.delete(service.key("copy of \(name)"))
      }
    }
  }

  @Test func rangesAreCutToTheObject() async throws {
    try await Service.use { service in
      let body = bytes(100_000)
      let key = service.key("ranges")
      let etag = try await service.store.put(key, body, condition: .none).etag
      for range in [0..<1, 0..<100_000, 99_999..<100_000, 99_000..<200_000, 12_345..<54_321, 0..<Int64.max]
        as [Range<Int64>]
      {
        let content = try await service.store.get(key, range: range, version: etag)
        #expect(content.bytes == Array(body[Int(range.lowerBound)..<Int(min(range.upperBound, 100_000))]))
        #expect(content.info.size == 100_000)
      }
      for range in [100_000..<100_001, 500_000..<600_000, 5..<5] as [Range<Int64>] {
        let content = try await service.store.get(key, range: range, version: etag)
        #expect(content.bytes.isEmpty)
        #expect(content.info.size == 100_000)
      }
    }
  }

  @Test func objectOfAnotherVersionIsNotRead() async throws {
    try await Service.use { service in
      let key = service.key("versions")
      let old = try await service.store.put(key, [1], condition: .none).etag
      let new = try await service.store.put(key, [2], condition: .none).etag
      #expect(old != new)
      for range in [nil, 0..<1, 5..<6, 0..<0] as [Range<Int64>?] {
        #expect(await storeError { try await service.store.get(key, range: range, version: old) }?.code == .changed)
        #expect(await storeError { try await service.store.get(key, range: range, version: new) } == nil)
      }
    }
  }

  @Test func conditionalWriteCreatesOnlyOnce() async throws {
    try await Service.use { service in
      let key = service.key("once")
      try await service.store.put(key, [1], condition: .absent)
      #expect(
        await storeError { try await service.store.put(key, [2], condition: .absent) }?.code == .preconditionFailed)
      #expect(try await service.store.get(key, range: nil, version: nil).bytes == [1])
      try await service.store.put(key, [3], condition: .none)
      #expect(try await service.store.get(key, range: nil, version: nil).bytes == [3])
    }
  }

  @Test func absentObjectIsNotFoundAndItsDeletionNoError() async throws {
    try await Service.use { service in
      let key = service.key("absent")
      #expect(await storeError { try await service.store.head(key) }?.code == .notFound)
      #expect(await storeError { try await service.store.get(key, range: nil, version: nil) }?.code == .notFound)
      #expect(await storeError { try await service.store.get(key, range: 0..<1, version: nil) }?.code == .notFound)
      try await service.store.delete(key)
      try await service.store.put(key, [1], condition: .none)
      try await service.store.delete(key)
      #expect(await storeError { try await service.store.head(key) }?.code == .notFound)
    }
  }

  @Test(arguments: [999, 1000, 1001]) func listingIsCompleteAroundThePageSize(count: Int) async throws {
    try await Service.use { service in
      let keys = (0..<count).map { service.key("k\(10_000 + $0)") }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for worker in 0..<16 {
          group.addTask {
            for index in stride(from: worker, to: count, by: 16) {
              try await service.store.put(keys[index], [], condition: .none)
            }
          }
        }
        try await group.waitForAll()
      }
      var pages: [Int] = []
      var listed: [ObjectKey] = []
      try await service.store.listAll(service.key("")) { page in
        pages.append(page.objects.count)
        listed += page.objects.map(\.key)
      }
      #expect(listed == keys)
      #expect(pages.reduce(0, +) == count)
      #expect(pages.first == min(count, 1000))
      if count == 1001 {
        let few = try await service.store.list(ListRequest(prefix: service.key(""), limit: 3))
        #expect(few.objects.map(\.key) == Array(keys[0..<3]))
        #expect(few.continuation != nil)
      }
    }
  }

  @Test func directoriesAreGrouped() async throws {
    try await Service.use { service in
      for name in ["a", "b/1", "b/2", "c d/x/y", "c+d/z", "é/1"] {
        try await service.store.put(service.key(name), [1], condition: .none)
      }
      let page = try await service.store.list(ListRequest(prefix: service.key(""), groupedByDirectory: true))
      #expect(page.objects.map(\.key) == [service.key("a")])
      #expect(page.directories == ["b/", "c d/", "c+d/", "é/"].map { service.key($0) })
      let inner = try await service.store.list(ListRequest(prefix: service.key("c d/"), groupedByDirectory: true))
      #expect(inner.objects.isEmpty)
      #expect(inner.directories == [service.key("c d/x/")])
      let none = try await service.store.list(ListRequest(prefix: service.key("nothing/")))
      #expect(none.objects.isEmpty && none.directories.isEmpty && none.continuation == nil)
    }
  }

  @Test func directoriesAreGroupedAcrossPages() async throws {
    try await Service.use { service in
      for name in ["a/1", "a/2", "b/1", "c", "d/1", "d/2", "e"] {
        try await service.store.put(service.key(name), [1], condition: .none)
      }
      var request = ListRequest(prefix: service.key(""), groupedByDirectory: true, limit: 2)
      var names: [ObjectKey] = []
      repeat {
        let page = try await service.store.list(request)
        names += page.objects.map(\.key) + page.directories
        request.continuation = page.continuation
      } while request.continuation != nil
      #expect(names.sorted() == ["a/", "b/", "c", "d/", "e"].map { service.key($0) })
    }
  }

  @Test(arguments: [true, false]) func multipartUploadBecomesOneObject(withChecksums: Bool) async throws {
    try await Service.use {
      $0.sendsChecksums = withChecksums
    } _: { service in
      let pieces = [bytes(5 << 20, seed: 1), bytes(5 << 20, seed: 2), bytes(123, seed: 3)]
      let key = service.key("multipart")
      let upload = try await service.store.beginUpload(key)
      #expect(await storeError { try await service.store.head(key) }?.code == .notFound)
      var parts: [UploadedPart] = []
      for number in [3, 1, 2, 1] {
        let part = try await service.store.uploadPart(upload, number: number, pieces[number - 1])
        #expect((part.checksum != nil) == withChecksums)
        parts.removeAll { $0.number == number }
        parts.append(part)
      }
      let info = try await service.store.completeUpload(upload, parts: parts, condition: .none)
      let content = try await service.store.get(key, range: nil, version: info.etag)
      #expect(content.bytes == pieces[0] + pieces[1] + pieces[2])
      #expect(content.info.etag == info.etag)
      #expect(info.size == Int64(content.bytes.count))
      #expect(try await service.store.listAll(key).map(\.etag) == [info.etag])
      // A repetition, as after a lost answer, finds what the first one made.
      let again = try await service.store.completeUpload(upload, parts: parts, condition: .none)
      #expect(again.size == info.size)
      #expect(again.etag == info.etag)
    }
  }

  @Test func abortedUploadLeavesNothingAndTakesNoMore() async throws {
    try await Service.use { service in
      let key = service.key("aborted")
      let upload = try await service.store.beginUpload(key)
      let part = try await service.store.uploadPart(upload, number: 1, bytes(1000))
      try await service.store.abortUpload(upload)
      try await service.store.abortUpload(upload)
      #expect(await storeError { try await service.store.head(key) }?.code == .notFound)
      let late = await storeError { try await service.store.uploadPart(upload, number: 2, [1]) }
      #expect(late?.code == .uploadNotFound)
      let completed = await storeError {
        try await service.store.completeUpload(upload, parts: [part], condition: .none)
      }
      #expect(completed?.code == .uploadNotFound)
    }
  }

  @Test func copyTakesTheVersionAskedForAndNoOther() async throws {
    try await Service.use { service in
      let bucket = service.store.location.bucket
      let body = bytes(70_000)
      let (source, target) = (service.key("source"), service.key("dir/target"))
      let old = try await service.store.put(source, [9], condition: .none).etag
      let new = try await service.store.put(source, body, condition: .none).etag
      let refused = await storeError {
        try await service.store.copy(from: source, inBucket: bucket, version: old, to: target)
      }
      #expect(refused?.code == .changed)
      #expect(await storeError { try await service.store.head(target) }?.code == .notFound)
      for version in [new, nil] {
        let info = try await service.store.copy(from: source, inBucket: bucket, version: version, to: target)
        let content = try await service.store.get(target, range: nil, version: info.etag)
        #expect(content.bytes == body)
        #expect(info.size == 70_000)
        try await service.store.delete(target)
      }
      let absent = await storeError {
        try await service.store.copy(from: service.key("no"), inBucket: bucket, version: nil, to: target)
      }
      #expect(absent?.code == .notFound)
      #expect(absent?.key == service.key("no"))
    }
  }

  @Test func copyInPartsMakesTheSameObject() async throws {
    try await Service.use { service in
      let body = bytes(17 << 20)
      let source = try await service.store.put(service.key("big source"), body, condition: .none)
      let info = try await service.store.copyInParts(
        source, inBucket: service.store.location.bucket, to: service.key("big copy"), partSize: 5 << 20, width: 2)
      let content = try await service.store.get(service.key("big copy"), range: nil, version: info.etag)
      #expect(content.bytes == body)
    }
  }

  @Test func wrongSecretUnknownKeyAndUnknownBucketAreToldApart() async throws {
    try await Service.use { service in
      let right = try Service.configuration()
      let engine = try HTTPEngine()
      func error(_ change: (inout S3Configuration) -> Void, _ call: (S3Store) async throws -> Void) async throws
        -> StoreError?
      {
        var configuration = right
        change(&configuration)
        let store = try S3Store(configuration, transport: engine)
        return await storeError { try await call(store) }
      }
      let calls: [(S3Store) async throws -> Void] = [
        { _ = try await $0.list(ListRequest(prefix: "")) }, { _ = try await $0.head("x") },
        { _ = try await $0.get("x", range: nil, version: nil) },
        { try await $0.put(service.key("x"), [1], condition: .none) },
      ]
      for call in calls {
        let wrongSecret = try await error(
          { $0.credentials = S3Credentials(accessKeyID: right.credentials.accessKeyID, secretAccessKey: "wrong") }, call
        )
        #expect(wrongSecret?.code == .accessDenied)
        #expect(wrongSecret?.reason.contains("secret does not belong") == true)
        let unknownKey = try await error(
          { $0.credentials = S3Credentials(accessKeyID: "nobody", secretAccessKey: "wrong") }, call)
        #expect(unknownKey?.code == .accessDenied)
        #expect(unknownKey?.reason.contains("does not know this access key") == true)
      }
      let noBucket = try await error({ $0.bucket = "no-such-bucket-here" }) {
        _ = try await $0.list(ListRequest(prefix: ""))
      }
      #expect(noBucket?.code == .bucketNotFound)
      #expect(noBucket?.remedy.contains("minio.bucketName") == true)
    }
  }

  @Test func clockOfThisMachineMayBeWrong() async throws {
    try await Service.use { service in
      try await service.store.put(service.key("clock"), [1, 2, 3], condition: .none)
      let engine = try HTTPEngine()
      for hours: Int64 in [-5, 5] {
        func store() throws -> S3Store {
          try S3Store(try Service.configuration(), transport: engine) { Int64(time(nil)) + hours * 3600 }
        }
        #expect(try await store().head(service.key("clock")).size == 3)
        #expect(try await store().get(service.key("clock"), range: 1..<2, version: nil).bytes == [2])
        #expect(try await store().list(ListRequest(prefix: service.key(""))).objects.count == 1)
      }
    }
  }

  @Test func cancelledCallsEndAsCancelled() async throws {
    try await Service.use { service in
      try await service.store.put(service.key("c"), bytes(1 << 20), condition: .none)
      let task = Task {
        while true { _ = try await service.store.get(service.key("c"), range: nil, version: nil) }
      }
      task.cancel()
      let error = await storeError { try await task.value }
      #expect(error?.code == .cancelled)
    }
  }
}
