import ObjectStore
import Synchronization
import Testing

@Suite struct ObjectCopierTests {
  private static func bytes(_ count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      for index in 0..<count { buffer[index] = UInt8(truncatingIfNeeded: index &* 31 &+ index >> 13) }
      initialized = count
    }
  }

  @Test(arguments: [0, 1, ObjectCopier.partSize, ObjectCopier.partSize + 1, 3 * ObjectCopier.partSize + 12_345])
  func everySizeArrivesWhole(size: Int) async throws {
    let source = MemoryStore(name: "source")
    let target = MemoryStore(name: "target")
    let info = try await source.put("a/b", Self.bytes(size), condition: .none)
    let moved = Mutex<Int64>(0)
    let copier = ObjectCopier(budget: ByteBudget(capacity: 20 << 20))
    try await copier.copy(info, from: source, to: target, as: "c") { count in moved.withLock { $0 += count } }
    #expect(try await target.get("c", range: nil, version: nil).bytes == Self.bytes(size))
    #expect(moved.withLock { $0 } == Int64(size))
  }

  @Test func withinOneServiceNoByteIsRead() async throws {
    let service = MemoryService(name: "one")
    let source = MemoryStore(service: service, bucket: "a")
    let info = try await source.put("k", Self.bytes(1000), condition: .none)
    let watched = FaultInjectingStore(source, before: { operation, key in #expect(operation != .get, "\(key)") })
    let target = MemoryStore(service: service, bucket: "b")
    try await ObjectCopier(budget: ByteBudget(capacity: 1)).copy(info, from: watched, to: target, as: "k")
    #expect(try await target.get("k", range: nil, version: nil).bytes == Self.bytes(1000))
  }

  @Test func credentialsThatCannotReadTheSourceFallBackToStreaming() async throws {
    let service = MemoryService(name: "one")
    let source = MemoryStore(service: service, bucket: "a")
    let info = try await source.put("k", [1, 2], condition: .none)
    let target = MemoryStore(service: service, bucket: "b")
    let forbidden = FaultInjectingStore(
      target,
      before: { operation, key in
        guard operation == .copy else { return }
        throw StoreError(
          .accessDenied, operation: "CopyObject", key: key, location: target.location, reason: "no right")
      })
    try await ObjectCopier(budget: ByteBudget(capacity: 100)).copy(info, from: source, to: forbidden, as: "k")
    #expect(try await target.get("k", range: nil, version: nil).bytes == [1, 2])
  }

  @Test(arguments: [100, 2 * ObjectCopier.partSize + 5])
  func aSourceThatChangedIsNotPublished(size: Int) async throws {
    let source = MemoryStore(name: "source")
    let service = MemoryService(name: "target")
    let target = MemoryStore(service: service, bucket: "t")
    let info = try await source.put("k", Self.bytes(size), condition: .none)
    try await source.put("k", Self.bytes(size), condition: .none)
    let error = await #expect(throws: StoreError.self) {
      try await ObjectCopier(budget: ByteBudget(capacity: 64 << 20)).copy(info, from: source, to: target, as: "k")
    }
    #expect(error?.code == .changed)
    #expect(try await target.listAll("").isEmpty)
    #expect(service.unfinishedUploads == 0)
  }

  @Test func aFailedPartLeavesNoUploadAndNoObject() async throws {
    let source = MemoryStore(name: "source")
    let info = try await source.put("k", Self.bytes(4 * ObjectCopier.partSize), condition: .none)
    let service = MemoryService(name: "target")
    let target = MemoryStore(service: service, bucket: "t")
    let parts = Mutex(0)
    let faulty = FaultInjectingStore(
      target,
      before: { operation, key in
        guard operation == .uploadPart,
          parts.withLock({
            $0 += 1; return $0
          }) == 3
        else { return }
        throw StoreError(.serverError, operation: "UploadPart", key: key, location: target.location, reason: "broken")
      })
    await #expect(throws: StoreError.self) {
      try await ObjectCopier(budget: ByteBudget(capacity: 64 << 20)).copy(info, from: source, to: faulty, as: "k")
    }
    #expect(try await target.listAll("").isEmpty)
    #expect(service.unfinishedUploads == 0)
  }

  /// Stores in which an object above 16 MiB has parts that are not held in memory.
  private static func few(_ name: String, _ service: MemoryService? = nil) -> MemoryStore {
    MemoryStore(
      service: service ?? MemoryService(name: name), bucket: name, limits: UploadLimits(maximumParts: 2))
  }

  @Test(.timeLimit(.minutes(1))) func partsAboveOnePieceAreStreamedWithinTheBudget() async throws {
    let source = MeteredStore(Self.few("source"))
    let target = Self.few("target")
    let body = Self.bytes(40 << 20 + 5)
    let info = try await source.put("k", body, condition: .none)
    // Two pieces at a time, for three copies of two parts each.
    let budget = ByteBudget(capacity: 2 * PartSource.pieceSize)
    let streams = Mutex((now: 0, most: 0))
    let watched = FaultInjectingStore(
      target,
      before: { operation, _ in
        guard operation == .uploadPart else { return }
        streams.withLock {
          $0.now += 1
          $0.most = max($0.most, $0.now)
        }
      },
      after: { operation, _ in if operation == .uploadPart { streams.withLock { $0.now -= 1 } } })
    let copier = ObjectCopier(budget: budget)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for name in ["a", "b", "c"] {
        group.addTask {
          let moved = Mutex<Int64>(0)
          try await copier.copy(info, from: source, to: watched, as: ObjectKey(name)) { count in
            moved.withLock { $0 += count }
          }
          #expect(moved.withLock { $0 } == info.size)
        }
      }
      try await group.waitForAll()
    }
    for name in ["a", "b", "c"] {
      #expect(try await target.get(ObjectKey(name), range: nil, version: nil).bytes == body)
    }
    // Parts of 21 MiB and of 19 MiB and 5 bytes: three pieces each.
    let reads = try #require(source.metrics.snapshot[.get])
    #expect(reads.requests == 3 * 6 && reads.received == 3 * info.size)
    // On a busy machine they may take turns.
    #expect((1...2).contains(streams.withLock { $0.most }))
    #expect(budget.used == 0)
  }

  @Test func aStreamedPartIsSentAgainFromItsBeginning() async throws {
    let source = MeteredStore(Self.few("source"))
    let target = Self.few("target")
    let body = Self.bytes(20 << 20)
    let info = try await source.put("k", body, condition: .none)
    let failures = Mutex(1)
    let faulty = FaultInjectingStore(
      target,
      after: { operation, key in
        guard operation == .uploadPart,
          failures.withLock({ left in
            defer { left = max(0, left - 1) }
            return left > 0
          })
        else { return }
        throw StoreError(
          .connectionLost, operation: "UploadPart", key: key, location: target.location, reason: "lost",
          isTransient: true)
      })
    let retrying = RetryingStore(faulty, policy: RetryPolicy(maximumAttempts: 3, firstDelay: 0, longestDelay: 0))
    try await ObjectCopier(budget: ByteBudget(capacity: 64 << 20)).copy(info, from: source, to: retrying, as: "k")
    #expect(try await target.get("k", range: nil, version: nil).bytes == body)
    // Each part of 10 MiB is two pieces, and one part was read twice.
    #expect(source.metrics.snapshot[.get]?.requests == 6)
  }

  @Test(arguments: [false, true]) func aStreamedCopyThatFailsLeavesNothing(isCancelled: Bool) async throws {
    let base = Self.few("source")
    let service = MemoryService(name: "target")
    let target = Self.few("target", service)
    let info = try await base.put("k", Self.bytes(40 << 20), condition: .none)
    let reads = Mutex(0)
    let third = AsyncStream<Void>.makeStream()
    let source = FaultInjectingStore(
      base,
      before: { operation, key in
        guard operation == .get,
          reads.withLock({ count in
            count += 1
            return count
          }) == 3
        else { return }
        third.continuation.yield()
        if isCancelled { try await Task.sleep(for: .seconds(3600)) }
        throw StoreError(.changed, operation: "GetObject", key: key, location: base.location, reason: "as wanted")
      })
    let budget = ByteBudget(capacity: 64 << 20)
    let task = Task { try await ObjectCopier(budget: budget).copy(info, from: source, to: target, as: "k") }
    for await _ in third.stream { break }
    if isCancelled { task.cancel() }
    let error = await #expect(throws: StoreError.self) { try await task.value }
    #expect(error?.code == (isCancelled ? .cancelled : .changed))
    #expect(try await target.listAll("").isEmpty)
    #expect(service.unfinishedUploads == 0 && budget.used == 0)
  }

  @Test func partsGrowWhenTheUsualSizeWouldNeedTooMany() {
    let limits = UploadLimits()
    #expect(ObjectCopier.partSize(for: 1, limits: limits) == 8 << 20)
    let largest: Int64 = 5 << 40
    let size = ObjectCopier.partSize(for: largest, limits: limits)
    #expect((largest + size - 1) / size <= 10_000)
    #expect(size <= 5 << 30)
    #expect(ObjectCopier.streamsParts(of: largest, limits: limits))
    #expect(!ObjectCopier.streamsParts(of: 10_000 * Int64(ObjectCopier.partSize), limits: limits))
  }
}

@Suite struct ObjectKeyTests {
  @Test func keysCompareByBytesNotByCharacters() {
    let composed = ObjectKey("caf\u{e9}")
    let decomposed = ObjectKey("cafe\u{301}")
    #expect(composed.string == decomposed.string)
    #expect(composed != decomposed)
    #expect(Set([composed, decomposed]).count == 2)
    #expect(ObjectKey("a-") < ObjectKey("a/") && ObjectKey("a/") < ObjectKey("a0"))
    #expect(ObjectKey("ab").hasPrefix("a") && !ObjectKey("a").hasPrefix("ab") && ObjectKey("a").hasPrefix(""))
  }
}

@Suite struct MemoryStoreTests {
  @Test(arguments: [1, 2, 3, 1000])
  func pagesTogetherAreTheWholeListing(limit: Int) async throws {
    let store = MemoryStore()
    for key in ["a/1", "a/2", "a/b/3", "a0", "b"] { try await store.put(ObjectKey(key), [0], condition: .none) }
    var request = ListRequest(prefix: "a", groupedByDirectory: true, limit: limit)
    var keys: [ObjectKey] = []
    repeat {
      let page = try await store.list(request)
      keys += page.directories + page.objects.map(\.key)
      request.continuation = page.continuation
    } while request.continuation != nil
    #expect(keys.sorted() == ["a/", "a0"])
  }

  @Test func anUploadIsInvisibleUntilItIsCompleted() async throws {
    let store = MemoryStore(service: MemoryService(name: "m"), bucket: "b", limits: UploadLimits(minimumPartSize: 2))
    let upload = try await store.beginUpload("k")
    let second = try await store.uploadPart(upload, number: 2, [3])
    let first = try await store.uploadPart(upload, number: 1, [1, 2])
    #expect(try await store.listAll("").isEmpty)
    await #expect(throws: StoreError.self) {
      try await store.completeUpload(upload, parts: [second, first], condition: .none)
    }
    try await store.completeUpload(upload, parts: [first, second], condition: .none)
    #expect(try await store.get("k", range: 1..<9, version: nil).bytes == [2, 3])
  }
}
