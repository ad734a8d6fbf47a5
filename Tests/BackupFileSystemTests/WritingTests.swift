import BackupFileSystem
import ObjectStore
import Synchronization
import SystemPackage
import Testing

@Suite struct WritingTests {
  /// A program with several threads that starts another one: that has what is being written open for a moment.
  @Test func aProcessThatOnlyInheritedAFileSaysNothingByClosingIt() async throws {
    let store = MemoryStore()
    let mount = TestMount([("A", store)])
    try await mount.mkdir("A/b")
    let handle = try await mount.create("A/b/f")
    try await mount.flush(handle, thread: 555)
    #expect(try await store.listAll("").isEmpty, "not even an empty file")
    try await mount.write(handle, pattern(1000))
    try await mount.flush(handle, thread: 555)
    #expect(try await store.listAll("").isEmpty, "not a part of it")
    try await mount.write(handle, pattern(500), at: 1000)
    // One that wrote hears of its own failure, and so publishes.
    try await mount.write(handle, pattern(10), at: 1500, thread: 556)
    try await mount.flush(handle, thread: 556)
    #expect(try await store.listAll("").map(\.size) == [1510])
    try await mount.write(handle, pattern(500), at: 1510)
    try await mount.flush(handle)
    await mount.release(handle)
    #expect(try await store.listAll("").map(\.size) == [2010])
  }

  /// Found by a mount on a store that fails at random: the write failed, the close went well, and 8 MiB were there.
  @Test(arguments: [StoreOperation.beginUpload, .uploadPart], [StoreError.Code.accessDenied, .tooLarge, .unsupported])
  func aWriteThatFailedOnceIsNotPublishedByTheClose(operation: StoreOperation, code: StoreError.Code) async throws {
    let store = MemoryStore()
    let left = Mutex(1)
    let faulty = FaultInjectingStore(
      store,
      before: { now, key in
        let fails =
          now == operation
          && left.withLock { left in
            left -= 1
            return left >= 0
          }
        guard fails else { return }
        throw StoreError(code, operation: "put", key: key, location: store.location, reason: "told to")
      })
    let mount = TestMount([("A", faulty)])
    try await mount.mkdir("A/b")
    let handle = try await mount.create("A/b/f")
    _ = await errno { try await mount.write(handle, pattern(9_500_000)) }
    #expect(await errno { try await mount.flush(handle) } != nil)
    await mount.release(handle)
    #expect(try await store.listAll("").isEmpty)
  }

  private let service = MemoryService(name: "target")
  private var store: MemoryStore { MemoryStore(service: service, bucket: "b") }

  private func object(_ key: ObjectKey) async throws -> [UInt8]? {
    do {
      return try await store.get(key, range: nil, version: nil).bytes
    } catch let error as StoreError where error.code == .notFound {
      return nil
    }
  }

  private func newBackup(openElsewhere: Bool = false, objects: (any ObjectStore)? = nil) async throws -> TestMount {
    let mount = TestMount([("A", objects ?? store)], openElsewhere: openElsewhere)
    try await mount.mkdir("A/n")
    return mount
  }

  @Test(arguments: [1, 1 << 20, 8 << 20, (8 << 20) + 1, 30 << 20])
  func aClosedFileIsInTheStoreWhole(size: Int) async throws {
    let mount = try await newBackup()
    let handle = try await mount.create("A/n/f")
    try await mount.write(handle, pattern(size))
    #expect(try await object("backup/n/f") == nil, "nothing before the close")
    #expect(try await mount.attributes("A/n/f").size == Int64(size))
    try await mount.flush(handle)
    #expect(try await object("backup/n/f") == pattern(size))
    await mount.release(handle)
    #expect(try await mount.read("A/n/f") == pattern(size))
    #expect(service.unfinishedUploads == 0)
  }

  @Test(arguments: [1000, 30 << 20])
  func aKilledWriterPublishesNothing(size: Int) async throws {
    let mount = try await newBackup()
    let handle = try await mount.create("A/n/f")
    try await mount.write(handle, pattern(size))
    try await mount.flush(handle, killed: true)
    await mount.release(handle)
    #expect(try await object("backup/n/f") == nil)
    #expect(try await mount.list("A/n") == [])
    #expect(service.unfinishedUploads == 0)
  }

  @Test(arguments: [1000, 30 << 20])
  func aReleaseWithoutACloseThatEndsTheFilePublishesNothing(size: Int) async throws {
    let mount = try await newBackup()
    let handle = try await mount.create("A/n/f")
    try await mount.write(handle, pattern(size))
    await mount.release(handle)
    #expect(try await object("backup/n/f") == nil)
    #expect(service.unfinishedUploads == 0)
  }

  @Test func aKilledOverwriteLeavesTheOldObject() async throws {
    let mount = try await newBackup()
    try await mount.save("A/n/f", [1, 2, 3])
    let handle = try await mount.open("A/n/f", [.write, .truncate])
    try await mount.write(handle, [9])
    try await mount.flush(handle, killed: true)
    await mount.release(handle)
    #expect(try await object("backup/n/f") == [1, 2, 3])
    #expect(try await mount.read("A/n/f") == [1, 2, 3])
  }

  @Test func aShellsFirstCloseDoesNotPublishAnEmptyFile() async throws {
    let mount = try await newBackup(openElsewhere: true)
    let handle = try await mount.create("A/n/f")
    try await mount.flush(handle)
    #expect(try await object("backup/n/f") == nil)
    try await mount.write(handle, [1])
    try await mount.flush(handle)
    #expect(try await object("backup/n/f") == [1])
    await mount.release(handle)
  }

  @Test func anEmptyFileIsPublishedByTheCloseThatIsTheLastOfItsProcess() async throws {
    let mount = try await newBackup(openElsewhere: false)
    let handle = try await mount.create("A/n/f")
    try await mount.flush(handle)
    #expect(try await object("backup/n/f") == [])
    await mount.release(handle)
    #expect(try await mount.list("A/n") == ["f"])
  }

  @Test func severalProcessesWriteInTurnEachHearingOfItsOwnClose() async throws {
    let mount = try await newBackup()
    let handle = try await mount.create("A/n/f")
    try await mount.write(handle, [1], thread: 200)
    try await mount.flush(handle, thread: 200)
    #expect(try await object("backup/n/f") == [1])
    try await mount.write(handle, [2], at: 1)
    try await mount.flush(handle, thread: 100)
    await mount.release(handle)
    #expect(try await object("backup/n/f") == [1, 2])
  }

  @Test func aStreamClosedByAChildIsCompletedByItsOpenerOrAtRelease() async throws {
    let mount = try await newBackup()
    for last in [Int32(100), 200] {
      let handle = try await mount.create("A/n/f\(last)")
      try await mount.write(handle, pattern(20 << 20), thread: 200)
      try await mount.flush(handle, thread: 200)
      #expect(try await object("backup/n/f\(last)") == nil)
      try await mount.flush(handle, thread: last)
      await mount.release(handle)
      #expect(try await object("backup/n/f\(last)") == pattern(20 << 20))
    }
  }

  @Test func smallFilesTakeWritesAnywhereAndAnotherSize() async throws {
    let mount = try await newBackup()
    try await mount.save("A/n/f", [1, 2, 3, 4])
    let handle = try await mount.open("A/n/f", [.read, .write])
    try await mount.write(handle, [9], at: 1)
    try await mount.write(handle, [7], at: 6)
    #expect(Array(try await mount.system.read(handle, offset: 0, count: 100).value()) == [1, 9, 3, 4, 0, 0, 7])
    var changes = AttributeChanges()
    changes.size = 3
    _ = try await mount.system.setAttributes(try await mount.inode("A/n/f"), changes, handle: handle).value()
    try await mount.flush(handle)
    await mount.release(handle)
    #expect(try await object("backup/n/f") == [1, 9, 3])
    changes.size = 5
    _ = try await mount.system.setAttributes(try await mount.inode("A/n/f"), changes, handle: nil).value()
    #expect(try await object("backup/n/f") == [1, 9, 3, 0, 0])
  }

  @Test func aLargeFileRefusesWhatItCannotDoAndPublishesNothing() async throws {
    let mount = try await newBackup()
    let handle = try await mount.create("A/n/f")
    try await mount.write(handle, pattern(20 << 20))
    #expect(await errno { try await mount.write(handle, [1], at: 5) } == .fileTooLarge)
    #expect(await errno { try await mount.write(handle, [1], at: 30 << 20) } == .fileTooLarge)
    #expect(await errno { try await mount.flush(handle) } == .fileTooLarge)
    await mount.release(handle)
    #expect(try await object("backup/n/f") == nil)
    try await mount.save("A/n/g", pattern(20 << 20))
    #expect(await errno { _ = try await mount.open("A/n/g", [.write]) } == .notSupported)
    #expect(try await object("backup/n/g") == pattern(20 << 20))
  }

  @Test(arguments: [
    (StoreOperation.put, 100), (.beginUpload, 30 << 20), (.uploadPart, 30 << 20), (.completeUpload, 30 << 20),
  ])
  func aStoreThatFailsIsReportedByTheCloseAndNothingIsPublished(operation: StoreOperation, size: Int) async throws {
    let base = store
    let faulty = FaultInjectingStore(
      base,
      before: { called, key in
        guard called == operation else { return }
        throw StoreError(.accessDenied, operation: operation.rawValue, key: key, location: base.location, reason: "no")
      })
    let mount = try await newBackup(objects: faulty)
    let handle = try await mount.create("A/n/f")
    let writing = await errno { try await mount.write(handle, pattern(size)) }
    let closing = await errno { try await mount.flush(handle) }
    #expect([writing, closing].contains(.permissionDenied))
    #expect(closing == .permissionDenied, "cp, tar and dd look at the close")
    await mount.release(handle)
    #expect(try await object("backup/n/f") == nil)
    #expect(try await mount.list("A/n") == [])
    #expect(service.unfinishedUploads == 0)
  }

  @Test func aFileRemovedWhileItIsWrittenIsNotPublished() async throws {
    let mount = try await newBackup()
    let handle = try await mount.create("A/n/f")
    try await mount.write(handle, pattern(20 << 20))
    try await mount.unlink("A/n/f")
    #expect(await errno { try await mount.flush(handle) } == .staleNFSFileHandle)
    await mount.release(handle)
    #expect(try await object("backup/n/f") == nil)
    #expect(service.unfinishedUploads == 0)
  }

  @Test func aFileThatWasClosedCanBeOpenedBeforeTheKernelReleasesIt() async throws {
    let mount = try await newBackup()
    let first = try await mount.create("A/n/f")
    try await mount.write(first, [1])
    try await mount.flush(first)
    let second = try await mount.open("A/n/f", [.write, .truncate])
    await mount.release(first)
    try await mount.write(second, [2, 2])
    #expect(try await mount.attributes("A/n/f").size == 2)
    try await mount.flush(second)
    await mount.release(second)
    #expect(try await object("backup/n/f") == [2, 2])
  }

  @Test func aFileHasOneWriterAtATime() async throws {
    let mount = try await newBackup()
    let handle = try await mount.create("A/n/f")
    #expect(await errno { _ = try await mount.open("A/n/f", [.write]) } == .resourceBusy)
    #expect(await errno { _ = try await mount.open("A/n/f") } == .resourceBusy)
    #expect(await errno { _ = try await mount.create("A/n/f", options: [.write, .exclusive]) } == .fileExists)
    try await mount.flush(handle)
    await mount.release(handle)
    #expect(await errno { await mount.release(try await mount.open("A/n/f", [.write])) } == nil)
  }
}
