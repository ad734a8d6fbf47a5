import BackupFileSystem
import ObjectStore
import SystemPackage
import Testing

@Suite struct RenameTests {
  let store = MemoryStore(name: "a")

  private func mount(_ files: [String: Int] = [:]) async throws -> TestMount {
    for (name, size) in files { try await store.put(ObjectKey("backup/x/\(name)"), pattern(size), condition: .none) }
    return TestMount([("A", store), ("B", MemoryStore(name: "b"))])
  }

  private func contents(_ name: String) async throws -> [UInt8] {
    try await store.get(ObjectKey("backup/x/\(name)"), range: nil, version: nil).bytes
  }

  private func keys() async throws -> [String] { try await store.listAll("").map(\.key.string) }

  @Test(arguments: [0, 1000, 20 << 20]) func anObjectMovesWithinItsStore(size: Int) async throws {
    let mount = try await mount(["f": size])
    try await mount.mkdir("A/x/d")
    let inode = try await mount.inode("A/x/f")
    try await mount.rename("A/x/f", "A/x/d/g")
    #expect(try await keys() == ["backup/x/d/g"])
    #expect(try await contents("d/g") == pattern(size))
    #expect(try await mount.inode("A/x/d/g") == inode)
    #expect(try await mount.list("A/x") == ["d"])
    #expect(try await mount.read("A/x/d/g") == pattern(size))
    #expect(await errno { _ = try await mount.inode("A/x/f") } == .noSuchFileOrDirectory)
  }

  @Test func whatIsThereIsReplacedUnlessForbidden() async throws {
    let mount = try await mount(["f": 100, "g": 200])
    #expect(await errno { try await mount.rename("A/x/f", "A/x/g", [.noReplace]) } == .fileExists)
    #expect(try await keys() == ["backup/x/f", "backup/x/g"])
    try await mount.rename("A/x/f", "A/x/g")
    #expect(try await keys() == ["backup/x/g"])
    #expect(try await mount.read("A/x/g") == pattern(100))
    #expect(await errno { try await mount.rename("A/x/g", "A/x/h", [.exchange]) } == .invalidArgument)
  }

  @Test func whatCannotMoveSaysSoAndStays() async throws {
    let mount = try await mount(["f": 100, "d/g": 1])
    #expect(await errno { try await mount.rename("A/x/d", "A/x/e") } == .improperLink)
    #expect(await errno { try await mount.rename("A/x/f", "B/f") } == .improperLink)
    #expect(await errno { try await mount.rename("A/x/f", "A/x/d") } == .isDirectory)
    #expect(await errno { try await mount.rename("A/x/none", "A/x/e") } == .noSuchFileOrDirectory)
    #expect(await errno { try await mount.rename("A/x/restore", "A/x/e") } == .notPermitted)
    #expect(await errno { try await mount.rename("A/x/f", "A/x/restore") } == .fileExists)
    #expect(try await keys() == ["backup/x/d/g", "backup/x/f"])
  }

  @Test func aFileThatIsBeingWrittenIsPublishedUnderItsNewName() async throws {
    let mount = try await mount(["g": 5])
    let handle = try await mount.create("A/x/f")
    try await mount.write(handle, pattern(3000))
    try await mount.rename("A/x/f", "A/x/g")
    try await mount.flush(handle)
    await mount.release(handle)
    #expect(try await keys() == ["backup/x/g"])
    #expect(try await contents("g") == pattern(3000))
    #expect(try await mount.list("A/x") == ["g"])
  }

  @Test func aStreamThatHasBegunIsBusy() async throws {
    let mount = try await mount()
    try await mount.mkdir("A/x")
    let handle = try await mount.create("A/x/f")
    try await mount.write(handle, pattern(20 << 20))
    #expect(await errno { try await mount.rename("A/x/f", "A/x/g") } == .resourceBusy)
    try await mount.flush(handle)
    await mount.release(handle)
    #expect(try await keys() == ["backup/x/f"])
  }

  @Test func whenTheOldNameCannotBeRemovedBothAreThereAndTheErrorSaysSo() async throws {
    try await store.put("backup/x/f", pattern(10), condition: .none)
    let failing = FaultInjectingStore(
      store,
      before: { [store] operation, key in
        guard operation == .delete else { return }
        throw StoreError(.accessDenied, operation: "DeleteObject", key: key, location: store.location, reason: "no")
      })
    // What was listed is believed for an hour: that both are there shows at once nevertheless.
    let mount = TestMount([("A", failing)])
    #expect(try await mount.list("A/x") == ["f"])
    do {
      try await mount.rename("A/x/f", "A/x/g")
      Issue.record("it succeeded")
    } catch {
      #expect(error.errno == .permissionDenied && error.message.contains("both are there"), "\(error)")
    }
    #expect(try await keys() == ["backup/x/f", "backup/x/g"])
    #expect(try await mount.list("A/x").sorted() == ["f", "g"])
  }

  @Test func whatACopyWithALostAnswerPutShowsAtOnceInAnotherBackup() async throws {
    try await store.put("backup/x/f", pattern(10), condition: .none)
    try await store.put("backup/y/h", pattern(20), condition: .none)
    let failing = FaultInjectingStore(
      store,
      after: { [store] operation, key in
        guard operation == .copy else { return }
        throw StoreError(.timedOut, operation: "CopyObject", key: key, location: store.location, reason: "no")
      })
    let mount = TestMount([("A", failing)])
    #expect(try await mount.list("A/x") == ["f"])
    #expect(try await mount.attributes("A/y/h").size == 20)
    #expect(await errno { try await mount.rename("A/x/f", "A/y/h") } == .timedOut)
    #expect(try await mount.attributes("A/y/h").size == 10)
    #expect(try await mount.list("A/x") == ["f"])
  }

  @Test func aListingThatBeganBeforeDoesNotBringTheOldNameBack() async throws {
    let mount = try await mount(["f": 10])
    _ = try await mount.list("A/x")
    try await mount.rename("A/x/f", "A/x/g")
    #expect(try await mount.list("A/x") == ["g"])
  }
}

@Suite struct ExclusiveTests {
  /// Two mounts do not know of each other: only the store can tell them apart.
  @Test(arguments: [0, 1000, 20 << 20]) func anExclusiveFileLosesAgainstAnotherWritersObject(size: Int) async throws {
    let store = MemoryStore(name: "a")
    try await store.put("backup/x/other", [1], condition: .none)
    let one = TestMount([("A", store)])
    let other = TestMount([("A", store)])
    _ = try await other.list("A/x")
    let handle = try await other.create("A/x/f", options: [.write, .exclusive])
    try await other.write(handle, pattern(size))
    try await one.save("A/x/f", pattern(10))
    #expect(await errno { try await other.flush(handle) } == .fileExists)
    await other.release(handle)
    #expect(try await store.get("backup/x/f", range: nil, version: nil).bytes == pattern(10))
    #expect(try await store.listAllUploads("").isEmpty)
  }

  @Test func anExclusiveFileCanBeWrittenOnByItsMaker() async throws {
    let store = MemoryStore(name: "a")
    let mount = TestMount([("A", store)])
    try await mount.mkdir("A/x")
    let handle = try await mount.create("A/x/f", options: [.write, .exclusive])
    try await mount.write(handle, pattern(10))
    try await mount.flush(handle)
    try await mount.write(handle, pattern(20))
    try await mount.flush(handle)
    await mount.release(handle)
    #expect(try await store.get("backup/x/f", range: nil, version: nil).bytes == pattern(20))
  }
}
