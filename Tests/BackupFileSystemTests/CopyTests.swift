import BackupFileSystem
import ObjectStore
import Synchronization
import SystemPackage
import Testing

@Suite struct CopyTests {
  @Test(arguments: [0, 1, 8 << 20, (8 << 20) + 1, 40 << 20])
  func betweenStoresEverySizeArrivesWhole(size: Int) async throws {
    let service = MemoryService(name: "target")
    let a = MemoryStore(name: "source")
    let b = MemoryStore(service: service, bucket: "b")
    try await a.put("backup/x/f", pattern(size), condition: .none)
    let mount = TestMount([("A", a), ("B", b)])
    try await mount.mkdir("B/x")
    try await mount.copy("A/x/f", "B/x/f")
    #expect(try await b.get("backup/x/f", range: nil, version: nil).bytes == pattern(size))
    #expect(service.unfinishedUploads == 0)
  }

  @Test func withinOneServiceNoByteIsRead() async throws {
    let service = MemoryService(name: "one")
    let a = MemoryStore(service: service, bucket: "a")
    let b = MemoryStore(service: service, bucket: "b")
    try await a.put("backup/x/f", pattern(20 << 20), condition: .none)
    let watched = FaultInjectingStore(a, before: { operation, _ in #expect(operation != .get) })
    let mount = TestMount([("A", watched), ("B", b)])
    try await mount.mkdir("B/x")
    try await mount.copy("A/x/f", "B/x/f")
    #expect(try await b.get("backup/x/f", range: nil, version: nil).bytes == pattern(20 << 20))
  }

  @Test(arguments: [1000, 40 << 20])
  func aSourceThatChangesIsStaleAndPublishesNothing(size: Int) async throws {
    let service = MemoryService(name: "target")
    let a = MemoryStore(name: "source")
    let b = MemoryStore(service: service, bucket: "b")
    try await a.put("backup/x/f", pattern(size), condition: .none)
    let mount = TestMount([("A", a), ("B", b)])
    try await mount.mkdir("B/x")
    _ = try await mount.inode("A/x/f")
    try await a.put("backup/x/f", pattern(size), condition: .none)
    #expect(await errno { try await mount.copy("A/x/f", "B/x/f") } == .staleNFSFileHandle)
    #expect(try await b.listAll("").isEmpty)
    #expect(try await mount.list("B/x") == [])
    #expect(service.unfinishedUploads == 0)
  }

  @Test(arguments: [1000, 40 << 20])
  func anInterruptedCopyPublishesNothingAndLeavesNoUpload(size: Int) async throws {
    let service = MemoryService(name: "target")
    let a = MemoryStore(name: "source")
    let b = MemoryStore(service: service, bucket: "b")
    try await a.put("backup/x/f", pattern(size), condition: .none)
    let arrived = AsyncStream<Void>.makeStream()
    let hanging = FaultInjectingStore(
      a,
      before: { operation, _ in
        guard operation == .get else { return }
        arrived.continuation.yield()
        try await Task.sleep(for: .seconds(3600))
      })
    let mount = TestMount([("A", hanging), ("B", b)])
    try await mount.mkdir("B/x")
    let copying = Task { await errno { try await mount.copy("A/x/f", "B/x/f") } }
    for await _ in arrived.stream { break }
    copying.cancel()
    #expect(await copying.value == .interrupted)
    #expect(try await b.listAll("").isEmpty)
    #expect(service.unfinishedUploads == 0)
  }

  @Test func partsTooLargeForMemoryAreStreamed() async throws {
    let service = MemoryService(name: "target")
    let a = MeteredStore(MemoryStore(name: "source"))
    let b = MeteredStore(MemoryStore(service: service, bucket: "b", limits: UploadLimits(maximumParts: 3)))
    try await a.put("backup/x/f", pattern(40 << 20), condition: .none)
    let mount = TestMount([("A", a), ("B", b)])
    try await mount.mkdir("B/x")
    try await mount.copy("A/x/f", "B/x/f")
    #expect(try await b.get("backup/x/f", range: nil, version: nil).bytes == pattern(40 << 20))
    #expect(service.unfinishedUploads == 0)
    // Parts of 14, 14 and 12 MiB, two pieces each.
    #expect(b.metrics.snapshot[.uploadPart]?.requests == 3)
    #expect(a.metrics.snapshot[.get]?.requests == 6)
  }

  @Test func anUploadThatWasBegunForWholePartsTakesNoStreamedOnes() async throws {
    let service = MemoryService(name: "target")
    let a = MemoryStore(name: "source")
    let b = MemoryStore(service: service, bucket: "b", limits: UploadLimits(maximumParts: 10))
    let source = pattern(81 << 20)
    try await a.put("backup/x/f", source, condition: .none)
    let mount = TestMount([("A", a), ("B", b)])
    try await mount.mkdir("B/x")
    let from = try await mount.open("A/x/f")
    let to = try await mount.create("B/x/f")
    let begin = pattern(16 << 20)
    try await mount.write(to, begin)
    let (start, end) = (Int64(begin.count), Int64(20 << 20))
    var offset: Int64 = 0
    while offset < end {
      offset += Int64(
        try await mount.system.copyRange(
          from: from, offset: offset, to: to, offset: start + offset, count: end - offset, caller: mount.caller
        ).value())
    }
    try await mount.flush(to)
    await mount.release(to)
    await mount.release(from)
    #expect(try await b.get("backup/x/f", range: nil, version: nil).bytes == begin + source[..<Int(end)])
    #expect(service.unfinishedUploads == 0)
  }

  @Test func rangesCanBePutTogether() async throws {
    let a = MemoryStore(name: "source")
    let b = MemoryStore(name: "target")
    try await a.put("backup/x/f", pattern(30 << 20), condition: .none)
    let mount = TestMount([("A", a), ("B", b)])
    try await mount.mkdir("B/x")
    let source = try await mount.open("A/x/f")
    let target = try await mount.create("B/x/f")
    try await mount.write(target, [1, 2, 3])
    var offset: Int64 = 5
    while offset < 25 << 20 {
      offset += Int64(
        try await mount.system.copyRange(
          from: source, offset: offset, to: target, offset: offset - 5 + 3, count: (25 << 20) - offset,
          caller: mount.caller
        ).value())
      if offset == 5 { break }
    }
    try await mount.write(target, [4, 5], at: offset - 5 + 3)
    try await mount.flush(target)
    await mount.release(target)
    await mount.release(source)
    let expected = [1, 2, 3] + pattern(30 << 20)[5..<Int(offset)] + [4, 5]
    #expect(try await b.get("backup/x/f", range: nil, version: nil).bytes == expected)
    #expect(offset > 5)
  }
}
