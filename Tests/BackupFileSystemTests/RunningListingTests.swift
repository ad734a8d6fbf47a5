// Looking at a backup while it is listed. Its flat listing takes several pages; all but the first are held up.

import Foundation
import ObjectStore
import Synchronization
import SystemPackage
import Testing

@testable import BackupFileSystem

@Suite("A backup is shown while it is listed")
struct RunningListingTests {
  private final class Gate: Sendable {
    private let result = Mutex(SharedResult<Void>())
    func open() { result.withLock { $0 }.finish(.success(())) }
    func close() { result.withLock { $0 = SharedResult() } }
    func wait() async throws { try await result.withLock { $0 }.value() }
  }

  /// 1,300 objects in 130 directories `b/s/100` to `b/s/229`: two pages.
  private static func filled() async throws -> MemoryStore {
    let store = MemoryStore()
    for number in 0..<1_300 { try await store.put("backup/b/s/\(100 + number / 10)/\(number)", [1], condition: .none) }
    try await store.put("backup/b/meta/x", [1], condition: .none)
    return store
  }

  private static let refusal = StoreError(
    .accessDenied, operation: "ListObjects", location: MemoryStore().location, reason: "made to fail", remedy: "")

  private final class Log: Sendable {
    private let kept = Mutex<[String]>([])
    var all: [String] { kept.withLock { $0 } }
    func add(_ line: String) { kept.withLock { $0.append(line) } }
  }

  private struct Steered {
    let mount: TestMount
    let store: MemoryStore
    let target: MemoryStore
    /// Lets the pages behind the first one pass.
    let gate: Gate
    /// Prefixes of directories that were listed by themselves.
    let levels: Log
    /// Keys of objects that were read.
    let gets: Log

    /// Lets all pages pass and waits until they are taken over.
    func finish() async throws {
      gate.open()
      let scope = try await mount.inode("A/b")
      let running = mount.system.state.withLock { $0.scopes[scope]?.running?.all }
      try await running?.value()
    }
  }

  /// - Parameters:
  ///   - ghost: the backup's own listing shows a directory with nothing in it.
  ///   - pages: may fail when a page behind the first one has passed the gate.
  ///   - level: waits, or fails, when a directory is listed by itself.
  private func steered(
    lifetime: Double = 3600, journals: FilePath? = nil, ghost: Bool = true,
    pages: @escaping @Sendable () throws -> Void = {},
    level: @escaping @Sendable (ObjectKey, Gate) async throws -> Void = { _, _ in }
  ) async throws -> Steered {
    let (store, target) = (try await Self.filled(), MemoryStore(name: "b"))
    let (gate, levels, gets) = (Gate(), Log(), Log())
    let held = StoreWithListings(base: store, gets: { gets.add($0.string) }) { request, page in
      if request.groupedByDirectory, request.prefix != "backup/", request.limit > 1 {
        levels.add(request.prefix.string)
        // Once: services remove such directories some time.
        page.directories += ghost && levels.all == ["backup/b/"] ? ["backup/b/ghost/"] : []
        try await level(request.prefix, gate)
      } else if request.continuation != nil {
        try await gate.wait()
        try pages()
      }
    }
    return Steered(
      mount: TestMount([("A", held), ("B", target)], lifetime: lifetime, journalDirectory: journals), store: store,
      target: target, gate: gate, levels: levels, gets: gets)
  }

  @Test("a look costs a page, and a directory that no page has shown whole is listed by itself, once")
  func looks() async throws {
    let steered = try await steered()
    let mount = steered.mount
    #expect(Set(try await mount.list("A/b")) == ["ghost", "meta", "s"])
    #expect(try await mount.list("A/b/s/100").count == 10)
    #expect(steered.levels.all == ["backup/b/", "backup/b/s/"], "a page has shown 100")
    #expect(try await mount.list("A/b/s").count == 130)
    #expect(try await mount.list("A/b/s/199").count == 10)
    #expect(try await mount.list("A/b/s/229").count == 10)
    #expect(try await mount.attributes("A/b/s/229/1299").size == 1)
    #expect(await errno { _ = try await mount.inode("A/b/s/99") } == .noSuchFileOrDirectory)
    #expect(steered.levels.all == ["backup/b/", "backup/b/s/", "backup/b/s/199/", "backup/b/s/229/"])
    try await steered.finish()
    #expect(Set(try await mount.list("A/b")) == ["ghost", "meta", "s"], "whoever was told of it may come to it")
    for directory in 100..<230 { #expect(try await mount.list("A/b/s/\(directory)").count == 10) }
    #expect(steered.levels.all.count == 4)
    mount.refresh()
    _ = try await mount.list("A/b/s/100")
    try await steered.finish()
    #expect(Set(try await mount.list("A/b")) == ["meta", "s"], "nothing lies in the one more that the store named")
  }

  @Test("what can be kept for how long is told while the listing runs")
  func lifetimes() async throws {
    let steered = try await steered(lifetime: 0.1)
    let inode = try await steered.mount.inode("A/b/s")
    try await Task.sleep(for: .milliseconds(200))
    let time = try await steered.mount.system.attributes(inode).value().timeToLive
    #expect(time >= 1 && time < 300, "five times what it has taken so far")
    try await steered.finish()
  }

  @Test("who asks for a directory that cannot be listed by itself waits for the whole")
  func levelFails() async throws {
    let steered = try await steered(level: { _, gate in
      gate.open()
      throw Self.refusal
    })
    #expect(Set(try await steered.mount.list("A/b")) == ["meta", "s"])
    #expect(try await steered.mount.list("A/b/s").count == 130)
    #expect(steered.levels.all == ["backup/b/"])
  }

  @Test("a listing that fails in its middle is told to who waits for a directory, too")
  func listingFails() async throws {
    let (arrived, late) = (Gate(), Gate())
    let failing = Atomic<Bool>(true)
    let steered = try await steered(
      pages: { if failing.load(ordering: .relaxed) { throw Self.refusal } },
      level: { key, _ in
        guard key == "backup/b/s/199/" else { return }
        arrived.open()
        try await late.wait()
      })
    let list = Task { try await steered.mount.list("A/b/s/199") }
    try await arrived.wait()
    await #expect(throws: FileSystemError.self) { try await steered.finish() }
    late.open()
    await #expect(throws: FileSystemError.self, "a page had shown nine of ten") { try await list.value }
    failing.store(false, ordering: .relaxed)
    #expect(try await steered.mount.list("A/b/s/199").count == 10)
  }

  @Test("what is removed here while the listing runs stays away")
  func removed() async throws {
    let steered = try await steered()
    let mount = steered.mount
    #expect(try await mount.list("A/b/s/220").count == 10)
    try await mount.unlink("A/b/s/220/1200")
    try await mount.unlink("A/b/s/221/1210")
    #expect(try await mount.list("A/b/s/221").count == 9)
    try await steered.finish()
    #expect(try await mount.list("A/b/s/220").count == 9)
    #expect(try await mount.list("A/b/s/221").count == 9)
    #expect(try await steered.store.listAll("backup/b/s/22").count == 98)
  }

  @Test("a directory's own listing that ends after the listing of all is no news")
  func late() async throws {
    let (arrived, late) = (Gate(), Gate())
    let steered = try await steered(level: { key, _ in
      guard key == "backup/b/s/225/" else { return }
      arrived.open()
      try await late.wait()
    })
    let mount = steered.mount
    let list = Task { try await mount.list("A/b/s/225") }
    try await arrived.wait()
    try await steered.finish()
    try await mount.unlink("A/b/s/225/1250")
    late.open()
    #expect(try await list.value.count == 9)
    #expect(try await mount.list("A/b/s/225").count == 9)
    #expect(await errno { _ = try await mount.inode("A/b/s/225/1250") } == .noSuchFileOrDirectory)
  }

  @Test("what others changed shows in the directory that is asked for, before the listing is at its end")
  func renewal() async throws {
    let steered = try await steered()
    let (mount, store) = (steered.mount, steered.store)
    _ = try await mount.list("A/b")
    try await steered.finish()
    for number in [500, 1200] + Array(600..<610) {
      try await store.delete("backup/b/s/\(100 + number / 10)/\(number)")
    }
    for key in ["backup/b/s/150/new", "backup/b/s/300/x"] { try await store.put(ObjectKey(key), [2], condition: .none) }
    #expect(try await mount.list("A/b/s/150").contains("500"), "the old listing is believed")

    steered.gate.close()
    mount.refresh()
    let changed = Set(try await mount.list("A/b/s/150"))
    #expect(changed == Set((501..<510).map(String.init) + ["new"]), "\(changed)")
    let names = Set(try await mount.list("A/b/s"))
    #expect(names == Set((100..<230).map(String.init) + ["300"]).subtracting(["160"]), "\(names)")
    #expect(try await mount.list("A/b/s/220").count == 9)
    try await steered.finish()
    #expect(Set(try await mount.list("A/b/s")) == names)
    #expect(Set(try await mount.list("A/b/s/150")) == changed)
    #expect(try await mount.list("A/b/s/220").count == 9)
  }

  /// Waits for the target to hold so many objects, or more; says how many it holds.
  private func arrives(_ count: Int, in target: MemoryStore) async throws -> Int {
    let deadline = ContinuousClock.now + .seconds(20)
    while try await target.listAll("").count < count, ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(20))
    }
    return try await target.listAll("").count
  }

  @Test(
    "a tree that is copied while it is listed arrives whole, and is moved ahead as far as it is known",
    arguments: [false, true])
  func copied(listingFails: Bool) async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "listing-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let mayFail = Atomic(listingFails)
    let steered = try await steered(
      journals: FilePath(directory), ghost: !listingFails,
      pages: { if mayFail.exchange(false, ordering: .relaxed) { throw Self.refusal } })
    let target = steered.target
    try await steered.mount.copyTree("A/b", "B/b") { count in
      if count == 20 {
        // The first page has `meta/x`, 99 directories and nine files of another.
        #expect(try await arrives(990, in: target) == 990)
        try await Task.sleep(for: .milliseconds(300))
        #expect(try await target.listAll("").count == 990, "a directory that is not known as a whole is waited for")
        if listingFails {
          await #expect(throws: FileSystemError.self) { try await steered.finish() }
        } else {
          try await steered.finish()
          // Claimed are 20.
          #expect(try await arrives(1000, in: target) > 1000)
        }
      }
      return false
    }
    let hasFailed = !mayFail.load(ordering: .relaxed)
    #expect(hasFailed)
    if !listingFails { #expect(try await steered.mount.list("B/b/ghost") == []) }
    let keys = Set(try await target.listAll("").map(\.key))
    #expect(keys == Set(try await steered.store.listAll("backup/b/").map(\.key)))
    await steered.mount.system.endCopies()
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == [])
  }

  @Test("files are fetched ahead while their backup is listed, but none of a directory that is not known as a whole")
  func readAhead() async throws {
    let steered = try await steered()
    let mount = steered.mount
    _ = try await mount.list("A/b/s")
    for directory in 190..<199 {
      for name in try await mount.list("A/b/s/\(directory)") { _ = try await mount.read("A/b/s/\(directory)/\(name)") }
      // Read are 10; the next two directories at least are fetched, or on their way.
      if directory == 190 { while steered.gets.all.count < 30 { try await Task.sleep(for: .milliseconds(10)) } }
    }
    try await Task.sleep(for: .milliseconds(100))
    #expect(Set(steered.gets.all).count == 90)
    #expect(!steered.gets.all.contains { $0.hasPrefix("backup/b/s/199/") }, "nine of ten are known")
    try await steered.finish()
    for name in try await mount.list("A/b/s/199") { _ = try await mount.read("A/b/s/199/\(name)") }
    #expect(steered.gets.all.contains { $0.hasPrefix("backup/b/s/200/") })
  }
}
