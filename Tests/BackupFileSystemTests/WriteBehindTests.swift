import ObjectStore
import Synchronization
import SystemPackage
import Testing

@testable import BackupFileSystem

@Suite struct WriteBehindTests {
  /// Lets puts wait, or fail.
  private final class Steering: Sendable {
    let isOpen = Mutex(true)
    let fails = Mutex<Set<String>>([])
    let puts = Mutex(0)

    func pass(_ operation: StoreOperation, _ key: ObjectKey) async throws {
      guard operation == .put else { return }
      puts.withLock { $0 += 1 }
      while !isOpen.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(2)) }
      if fails.withLock({ $0.contains(key.string) }) {
        throw StoreError(
          .accessDenied, operation: "put", key: key, location: MemoryStore().location, reason: "told to")
      }
    }
    func close() { isOpen.withLock { $0 = false } }
    func open() { isOpen.withLock { $0 = true } }
  }

  private func mount(_ store: MemoryStore, _ steering: Steering) -> (TestMount, told: Told) {
    let told = Told()
    var settings = FileSystemSettings(owner: 1000, group: 1000)
    settings.listingLifetime = 3600
    settings.writesBehind = true
    settings.report = { told.note($0) }
    let steered = FaultInjectingStore(store, before: { try await steering.pass($0, $1) })
    return (TestMount(stores: [MountedStore(name: "A", objects: steered, root: "backup")], settings: settings), told)
  }

  private final class Told: Sendable {
    private let lines = Mutex<[String]>([])
    func note(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
  }

  private func sync(_ mount: TestMount, _ path: String) async throws {
    try await mount.system.synchronizeDirectory(try await mount.inode(path)).value()
  }

  @Test func aCloseDoesNotWaitAndReadersDo() async throws {
    let (store, steering) = (MemoryStore(), Steering())
    let (mount, told) = mount(store, steering)
    try await mount.mkdir("A/b")
    steering.close()
    for number in 0..<40 { try await mount.saveLater("A/b/f\(number)", pattern(1000 + number)) }
    #expect(try await store.listAll("").isEmpty)
    #expect(try await mount.attributes("A/b/f7").size == 1007, "what was written is seen at once")
    #expect(try await mount.list("A/b").count == 40)
    let reading = Task { try await mount.read("A/b/f39") }
    let syncing = Task { try await sync(mount, "A") }
    try await Task.sleep(for: .milliseconds(20))
    steering.open()
    #expect(try await reading.value == pattern(1039))
    try await syncing.value
    #expect(try await store.listAll("").count == 40 && told.all.isEmpty)
    #expect(steering.puts.withLock { $0 } == 40, "each is published once")
    #expect(mount.system.memoryBudget.used == 0 && mount.system.behind?.counts.pending == 0)
  }

  @Test func whatCouldNotBePublishedIsToldOnceAndGone() async throws {
    let (store, steering) = (MemoryStore(), Steering())
    let (mount, told) = mount(store, steering)
    try await mount.mkdir("A/b")
    try await mount.mkdir("A/c")
    steering.fails.withLock { $0 = ["backup/b/bad"] }
    try await mount.saveLater("A/b/bad", pattern(10))
    try await mount.saveLater("A/b/good", pattern(11))
    try await sync(mount, "A/c")
    #expect(mount.system.behind?.counts.failures == 1, "it is no concern of the other directory")
    let error = await #expect(throws: FileSystemError.self) { try await sync(mount, "A/b") }
    #expect(error?.errno == .permissionDenied && error?.message.contains("/A/b/bad") == true, "\(error as Any)")
    try await sync(mount, "A/b")
    for _ in 0..<500 where (try? await mount.inode("A/b/bad")) != nil { try await Task.sleep(for: .milliseconds(2)) }
    #expect(try await mount.list("A/b") == ["good"])
    #expect(told.all.count == 1 && told.all.first?.contains("/A/b/bad") == true)
  }

  @Test func laterChangesComeBehindEarlierCloses() async throws {
    let (store, steering) = (MemoryStore(), Steering())
    let (mount, _) = mount(store, steering)
    try await mount.mkdir("A/b")
    steering.close()
    // One descriptor, closed by several processes in turn.
    let handle = try await mount.create("A/b/log")
    try await mount.write(handle, pattern(100))
    try await mount.flush(handle)
    // A writer waits for a publication that has begun.
    let more = Task {
      try await mount.write(handle, pattern(50), at: 100)
      try await mount.flush(handle)
    }
    try await mount.saveLater("A/b/gone", pattern(10))
    try await mount.saveLater("A/b/old", pattern(20))
    try await mount.saveLater("A/b/replaced", pattern(30))
    let rest = Task {
      try await mount.unlink("A/b/gone")
      try await mount.rename("A/b/old", "A/b/new")
      try await mount.replace("A/b/replaced", pattern(31))
    }
    try await Task.sleep(for: .milliseconds(20))
    steering.open()
    try await more.value
    try await rest.value
    await mount.release(handle)
    try await sync(mount, "A/b")
    let keys = try await store.listAll("").map(\.key.string).sorted()
    #expect(keys == ["backup/b/log", "backup/b/new", "backup/b/replaced"])
    #expect(try await store.get("backup/b/log", range: nil, version: nil).bytes == pattern(100) + pattern(50))
    #expect(try await store.get("backup/b/replaced", range: nil, version: nil).bytes == pattern(31))
  }

  @Test func theEndOfTheMountWaits() async throws {
    let (store, steering) = (MemoryStore(), Steering())
    let (mount, _) = mount(store, steering)
    try await mount.mkdir("A/b")
    steering.close()
    try await mount.saveLater("A/b/f", pattern(10))
    let ending = Task { await mount.system.endWriting() }
    try await Task.sleep(for: .milliseconds(20))
    steering.open()
    await ending.value
    #expect(try await store.listAll("").count == 1)
  }
}

extension TestMount {
  /// open, write, close of a new file. As with a kernel nobody waits for the release.
  fileprivate func saveLater(_ path: String, _ bytes: [UInt8]) async throws(FileSystemError) {
    try await finish(try await create(path), bytes)
  }

  /// The same with a file that is there, which is cut first.
  fileprivate func replace(_ path: String, _ bytes: [UInt8]) async throws(FileSystemError) {
    try await finish(try await open(path, [.write, .truncate]), bytes)
  }

  private func finish(_ handle: FileHandle, _ bytes: [UInt8]) async throws(FileSystemError) {
    try await write(handle, bytes)
    try await flush(handle)
    Task { await release(handle) }
  }
}
