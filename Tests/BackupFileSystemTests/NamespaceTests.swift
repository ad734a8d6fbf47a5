import BackupFileSystem
import ObjectStore
import Synchronization
import SystemPackage
import Testing

@Suite struct NamespaceTests {
  private static func filled(_ keys: [String]) async throws -> MemoryStore {
    let store = MemoryStore()
    for key in keys { try await store.put(ObjectKey("backup/" + key), [1, 2, 3], condition: .none) }
    return store
  }

  @Test func storesThenBackupsThenObjects() async throws {
    let store = try await Self.filled(["b1/meta/full_meta.json", "b1/binlogs/insert_log/1/2/3/3/0/9", "b2/meta/x"])
    try await store.put("elsewhere/b3/meta/x", [1], condition: .none)
    let mount = TestMount([("A", store), ("B", MemoryStore())])
    #expect(try await mount.list("") == ["A", "B"])
    #expect(try await mount.list("A") == ["b1", "b2"])
    #expect(try await mount.list("B") == [])
    #expect(try await mount.list("A/b1/binlogs/insert_log/1/2/3/3/0") == ["9"])
    #expect(try await mount.attributes("A/b1/meta/full_meta.json").size == 3)
    #expect(try await mount.attributes("A/b1").kind == .directory)
    #expect(await errno { _ = try await mount.inode("A/b1/none") } == .noSuchFileOrDirectory)
    #expect(await errno { _ = try await mount.inode("A/b1/meta/full_meta.json/x") } == .notDirectory)
  }

  @Test func metadataIsNumberedAfterDataWhateverIsSeenFirst() async throws {
    let mount = TestMount([("A", MemoryStore())])
    try await mount.mkdir("A/b")
    try await mount.mkdir("A/b/meta")
    try await mount.save("A/b/meta/full_meta.json", [1])
    try await mount.save("A/b/meta/segment_meta.json", [1])
    try await mount.mkdir("A/b/binlogs")
    #expect(try await mount.list("A/b") == ["binlogs", "meta"])
    #expect(try await mount.list("A/b/meta") == ["segment_meta.json", "full_meta.json"])
  }

  @Test func keysThatNoPathCanCarryAreHiddenAndBreakNothing() async throws {
    let long = String(repeating: "x", count: 256)
    let store = try await Self.filled([
      "b/ok", "b//empty", "b/./dot", "b/../up", "b/\(long)", "b/nul\u{0}", "b/a", "b/a/below", "b/dir/",
    ])
    let mount = TestMount([("A", store)])
    #expect(try await mount.list("A/b").sorted() == ["a", "dir", "ok"])
    #expect(try await mount.list("A/b/a") == ["below"])
    #expect(try await mount.list("A/b/dir") == [])
  }

  @Test func namesAreBytesNotCharacters() async throws {
    let store = try await Self.filled(["b/caf\u{e9}", "b/cafe\u{301}"])
    let mount = TestMount([("A", store)])
    #expect(try await mount.list("A/b").count == 2)
  }

  @Test func whatOthersChangeShowsWhenTheListingHasAged() async throws {
    let store = try await Self.filled(["b/one"])
    let mount = TestMount([("A", store)], lifetime: 0)
    #expect(try await mount.list("A/b") == ["one"])
    try await store.put("backup/b/two", [1], condition: .none)
    try await store.delete("backup/b/one")
    // A listing is believed for five times as long as it took.
    var seen: [String] = []
    let deadline = ContinuousClock.now + .seconds(30)
    while seen != ["two"], ContinuousClock.now < deadline { seen = try await mount.list("A/b") }
    #expect(seen == ["two"])
  }

  /// Entries that the kernel is told it may keep, by path.
  private func lifetimes(_ mount: TestMount, _ paths: [String]) async throws -> [String: Double] {
    var found: [String: Double] = [:]
    for path in paths {
      let inode = try await mount.inode(path)
      found[path] = try await mount.system.attributes(inode).value().timeToLive
    }
    return found
  }

  @Test func directoriesAreKeptAsLongAsTheirListingIsBelievedAndFilesNot() async throws {
    let store = try await Self.filled(["b/d/file", "b/e/file"])
    let slow = FaultInjectingStore(
      store,
      before: { operation, _ in
        if operation == .list { try await Task.sleep(for: .seconds(1)) }
      })
    let mount = TestMount([("A", slow)], lifetime: 0.5)
    let first = try await lifetimes(mount, ["A/b", "A/b/d", "A/b/e", "A/b/d/file"])
    #expect(first["A/b/d"].map { $0 > 3 && $0 < 60 } == true, "five times a second, less what has passed")
    #expect(first["A/b/d/file"] == 0.5)
    try await mount.save("A/b/d/new", [1])
    let changed = try await lifetimes(mount, ["A/b/d", "A/b/e"])
    #expect(changed["A/b/d"] == 0.5, "changed here: its parent in the kernel changes as well")
    #expect(changed["A/b/e"].map { $0 > 1 } == true)
  }

  @Test func aLargeListingThatFailsInItsMiddleIsAnErrorAndTakesNothingAway() async throws {
    let store = try await Self.filled((0..<1_300).map { "b/s\($0 / 10)/\($0)" })
    let failing = Atomic<Bool>(false)
    let lists = Atomic<Int>(0)
    let steered = FaultInjectingStore(
      store,
      before: { operation, key in
        guard operation == .list, failing.load(ordering: .relaxed) else { return }
        // The store's own listing and the backup's first page are answered.
        guard lists.add(1, ordering: .relaxed).newValue > 2 else { return }
        throw StoreError(
          .serverError, operation: "ListObjects", key: key, location: store.location, reason: "made to fail", remedy: ""
        )
      })
    let mount = TestMount([("A", steered)])
    #expect(try await mount.list("A/b").count == 130)
    mount.refresh()
    failing.store(true, ordering: .relaxed)
    #expect(await errno { _ = try await mount.list("A/b") } == .ioError)
    failing.store(false, ordering: .relaxed)
    #expect(try await mount.list("A/b").count == 130)
    #expect(try await mount.list("A/b/s129").count == 10)
  }

  @Test func whoFillsADirectoryThatItHasMadeWaitsForNoListing() async throws {
    let lists = Atomic<Int>(0)
    let counted = FaultInjectingStore(
      MemoryStore(), before: { operation, _ in if operation == .list { lists.add(1, ordering: .relaxed) } })
    let mount = TestMount([("A", counted)], lifetime: 1)
    try await mount.mkdir("A/b")
    try await mount.mkdir("A/b/d")
    let directory = try await mount.inode("A/b/d")
    try await Task.sleep(for: .seconds(1.5))
    lists.store(0, ordering: .relaxed)
    _ = try await mount.system.create(
      directory, "f", permissions: 0o644, options: [.write], caller: mount.caller
    ).value()
    #expect(lists.load(ordering: .relaxed) == 0)
    let other = Caller(thread: 101, user: 0, group: 0)
    _ = try await mount.system.lookup(directory, "f", caller: other).value()
    #expect(lists.load(ordering: .relaxed) == 1, "others are told what is there now")
  }

  @Test func aDirectoryThatOthersRemovedIsRefusedToWhoStillKnowsIt() async throws {
    let store = try await Self.filled(["b/d/file", "b/kept"])
    let mount = TestMount([("A", store)])
    let inode = try await mount.inode("A/b/d")
    try await store.delete("backup/b/d/file")
    mount.refresh()
    #expect(try await mount.list("A/b") == ["kept"])
    let gone = await errno { _ = try await mount.system.openDirectory(inode, caller: mount.caller).value() }
    #expect(gone == .staleNFSFileHandle)
  }

  @Test func aDirectoryMadeHereStaysAndHoldsNoObject() async throws {
    let store = MemoryStore()
    let mount = TestMount([("A", store)], lifetime: 0)
    try await mount.mkdir("A/new")
    try await mount.mkdir("A/new/meta")
    for _ in 0..<50 { #expect(try await mount.list("A/new") == ["meta"]) }
    #expect(try await store.listAll("").isEmpty)
    #expect(await errno { try await mount.mkdir("A/new") } == .fileExists)
    #expect(await errno { try await mount.mkdir("other") } == .notPermitted)
    #expect(await errno { try await mount.rmdir("A/new") } == .directoryNotEmpty)
    try await mount.rmdir("A/new/meta")
    try await mount.rmdir("A/new")
    #expect(try await mount.list("A") == [])
  }

  @Test func removingEverythingBelowABackupRemovesTheBackup() async throws {
    let store = try await Self.filled(["b/binlogs/1", "b/meta/x", "b/meta/", "b2/meta/x"])
    let mount = TestMount([("A", store)], lifetime: 0)
    try await mount.unlink("A/b/binlogs/1")
    #expect(try await mount.list("A/b") == ["binlogs", "meta"], "emptied, not yet removed")
    try await mount.rmdir("A/b/binlogs")
    try await mount.unlink("A/b/meta/x")
    try await mount.rmdir("A/b/meta")
    try await mount.rmdir("A/b")
    #expect(try await mount.list("A") == ["b2"])
    #expect(try await store.listAll("").map(\.key) == ["backup/b2/meta/x"])
    #expect(await errno { try await mount.unlink("A/b2/meta") } == .isDirectory)
    #expect(await errno { try await mount.rmdir("A/b2/meta/x") } == .notDirectory)
  }

  @Test func aDirectoryThatTheStoreShowsWithoutAnObjectIsNotShown() async throws {
    let store = try await Self.filled(["b/meta/x"])
    let showsMore = StoreWithListings(base: store) { request, page in
      page.directories += request.groupedByDirectory ? ["backup/ghost/"] : []
    }
    let mount = TestMount([("A", showsMore)], lifetime: 0)
    #expect(try await mount.list("A") == ["b"])
    try await mount.mkdir("A/ghost")
    #expect(try await mount.list("A").sorted() == ["b", "ghost"])
    try await mount.rmdir("A/ghost")
    #expect(try await mount.list("A") == ["b"])
  }

  @Test func aListingThatBeganEarlierDoesNotUndoWhatWasDoneHere() async throws {
    let store = try await Self.filled(["b/old", "b/other"])
    let arrived = AsyncStream<Void>.makeStream()
    let go = AsyncStream<Void>.makeStream()
    let holds = Atomic<Bool>(false)
    let slow = FaultInjectingStore(
      store,
      after: { operation, _ in
        guard operation == .list, holds.exchange(false, ordering: .relaxed) else { return }
        arrived.continuation.yield()
        for await _ in go.stream { break }
      })
    let mount = TestMount([("A", slow)], lifetime: 0)
    let old = try await mount.inode("A/b/old")
    holds.store(true, ordering: .relaxed)
    // A listing is believed for five times as long as it took: only one that is read again is held.
    let listing = Task {
      var names: [String] = []
      while holds.load(ordering: .relaxed) { names = try await mount.list("A/b") }
      return names
    }
    for await _ in arrived.stream { break }
    // The held listing shows `old` with 3 bytes. Meanwhile it is published anew through the mount.
    let handle = try await mount.system.open(old, options: [.write, .truncate], caller: mount.caller).value().handle
    try await mount.write(handle, [9, 9, 9, 9, 9])
    try await mount.flush(handle)
    await mount.release(handle)
    go.continuation.yield()
    #expect(try await listing.value.sorted() == ["old", "other"])
    #expect(try await mount.attributes("A/b/old").size == 5)
  }
}

@Suite struct ReadOnlyStoreTests {
  @Test func nothingCanBeChangedInAReadOnlyStoreWhileOthersWork() async throws {
    let (a, b) = (MemoryStore(name: "a"), MemoryStore(name: "b"))
    try await a.put("backup/x/d/f", pattern(100), condition: .none)
    var shown = MountedStore(name: "A", objects: a, root: "backup")
    shown.isReadOnly = true
    let mount = TestMount(stores: [shown, MountedStore(name: "B", objects: b, root: "backup")])
    let changes: [@Sendable () async throws -> Void] = [
      { try await mount.mkdir("A/y") }, { try await mount.rmdir("A/x/d") }, { try await mount.unlink("A/x/d/f") },
      { try await mount.rename("A/x/d/f", "A/x/d/g") }, { _ = try await mount.create("A/x/g") },
      { _ = try await mount.open("A/x/d/f", [.write, .truncate]) }, { _ = try await mount.open("A/x/d/f", [.write]) },
      {
        let handle = try await mount.open("A/create", [.write])
        try await mount.write(handle, Array("-n x\n".utf8))
      },
    ]
    for (number, change) in changes.enumerated() {
      #expect(await errno(change) == .readOnlyFileSystem, "\(number)")
    }
    #expect(try await mount.read("A/x/d/f") == pattern(100))
    try await mount.mkdir("B/x")
    try await mount.copy("A/x/d/f", "B/x/f")
    #expect(try await a.listAll("").count == 1)
    #expect(try await b.listAll("").count == 1)
  }
}
