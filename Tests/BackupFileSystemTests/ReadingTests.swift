import BackupFileSystem
import ObjectStore
import SystemPackage
import Testing

@Suite struct ReadingTests {
  @Test(arguments: [0, 1, 4095, 4 << 20, (4 << 20) + 1, 13 << 20])
  func filesAreReadWhole(size: Int) async throws {
    let store = MemoryStore()
    try await store.put("backup/b/f", pattern(size), condition: .none)
    let mount = TestMount([("A", store)])
    #expect(try await mount.read("A/b/f") == pattern(size))
  }

  @Test func randomReadsBringExactlyWhatIsThere() async throws {
    let size = 20 << 20
    let bytes = pattern(size)
    let store = MemoryStore()
    try await store.put("backup/b/f", bytes, condition: .none)
    let mount = TestMount([("A", store)])
    let handle = try await mount.open("A/b/f")
    var random = SystemRandomNumberGenerator()
    for _ in 0..<200 {
      let offset = Int.random(in: 0..<size + 100, using: &random)
      let count = Int.random(in: 1...(2 << 20), using: &random)
      let read = try await mount.system.read(handle, offset: Int64(offset), count: count).value()
      let expected = offset >= size ? [] : bytes[offset..<min(offset + count, size)]
      #expect(read == expected, "offset \(offset) count \(count)")
    }
    await mount.release(handle)
  }

  @Test func manyOpenFilesDoNotStarveEachOther() async throws {
    let store = MemoryStore()
    try await store.put("backup/b/f", pattern(9 << 20), condition: .none)
    let mount = TestMount([("A", store)])
    var handles: [FileHandle] = []
    for _ in 0..<40 {
      let handle = try await mount.open("A/b/f")
      #expect(try await mount.system.read(handle, offset: 0, count: 10).value().count == 10)
      handles.append(handle)
    }
    for handle in handles { await mount.release(handle) }
    #expect(try await mount.read("A/b/f") == pattern(9 << 20))
  }

  @Test func anotherVersionIsStaleNeverAMix() async throws {
    let store = MemoryStore()
    try await store.put("backup/b/f", pattern(20 << 20), condition: .none)
    let mount = TestMount([("A", store)])
    let handle = try await mount.open("A/b/f")
    _ = try await mount.system.read(handle, offset: 0, count: 10).value()
    try await store.put("backup/b/f", pattern((20 << 20) - 1), condition: .none)
    let late: Int64 = 15 << 20
    #expect(
      await errno { _ = try await mount.system.read(handle, offset: late, count: 10).value() } == .staleNFSFileHandle)
    try await store.delete("backup/b/f")
    #expect(
      await errno { _ = try await mount.system.read(handle, offset: late, count: 10).value() } == .staleNFSFileHandle)
    await mount.release(handle)
  }

  @Test func whoMeetsAnotherVersionFindsItWhenHeOpensAgain() async throws {
    let store = MemoryStore()
    try await store.put("backup/b/f", pattern(1000), condition: .none)
    let mount = TestMount([("A", store)], lifetime: 3600)
    #expect(try await mount.list("A/b") == ["f"])
    try await store.put("backup/b/f", pattern(2000), condition: .none)
    #expect(await errno { _ = try await mount.read("A/b/f") } == .staleNFSFileHandle)
    #expect(try await mount.read("A/b/f") == pattern(2000))
    try await store.delete("backup/b/f")
    #expect(await errno { _ = try await mount.read("A/b/f") } == .staleNFSFileHandle)
    #expect(await errno { _ = try await mount.read("A/b/f") } == .noSuchFileOrDirectory)
  }

  @Test(arguments: [5, 500_000])
  func anOpenFileKeepsItsSizeWhenOthersPutAnotherVersion(size: Int) async throws {
    let store = MemoryStore()
    try await store.put("backup/b/f", pattern(100_000), condition: .none)
    let mount = TestMount([("A", store)])
    let inode = try await mount.inode("A/b/f")
    let handle = try await mount.open("A/b/f")
    try await store.put("backup/b/f", pattern(size), condition: .none)
    mount.refresh()
    #expect(try await mount.attributes("A/b/f").size == size)
    // The kernel asks for the number that it has open: the end of the file is where it was at open.
    #expect(try await mount.system.attributes(inode).value().attributes.size == 100_000)
    #expect(
      await errno { _ = try await mount.system.read(handle, offset: 0, count: 10).value() } == .staleNFSFileHandle)
    // And who opens what the name was a moment ago is sent to look it up anew.
    #expect(
      await errno {
        _ = try await mount.system.open(inode, options: [.read], caller: mount.caller).value()
      } == .staleNFSFileHandle)
    await mount.release(handle)
    #expect(try await mount.read("A/b/f") == pattern(size))
  }

  @Test(arguments: [
    (StoreError.Code.accessDenied, Errno.permissionDenied), (.notFound, .staleNFSFileHandle), (.serverError, .ioError),
    (.throttled, .ioError), (.unreachable, .noRouteToHost), (.timedOut, .timedOut), (.connectionLost, .ioError),
  ])
  func aStoresFailureBecomesItsErrno(code: StoreError.Code, expected: Errno) async throws {
    let store = MemoryStore()
    try await store.put("backup/b/f", [1], condition: .none)
    let faulty = FaultInjectingStore(
      store,
      before: { operation, key in
        guard operation == .get else { return }
        throw StoreError(code, operation: "GetObject", key: key, location: store.location, reason: "made up")
      })
    let mount = TestMount([("A", faulty)])
    #expect(await errno { _ = try await mount.read("A/b/f") } == expected)
  }

  @Test func aHangingStoreCanBeInterruptedAndBlocksNobodyElse() async throws {
    let store = MemoryStore()
    try await store.put("backup/b/f", [1], condition: .none)
    let hanging = FaultInjectingStore(
      store,
      before: { operation, _ in
        if operation == .get { try await Task.sleep(for: .seconds(3600)) }
      })
    let mount = TestMount([("A", hanging)])
    let reading = Task { await errno { _ = try await mount.read("A/b/f") } }
    #expect(try await mount.attributes("A/b/f").size == 1)
    #expect(try await mount.list("A/b") == ["f"])
    reading.cancel()
    #expect(await reading.value == .interrupted)
  }
}
