import Foundation
import ObjectStore
import Synchronization
import SystemPackage
import Testing

@testable import BackupFileSystem

/// Drives the file system as `cp -r` does, and looks at the stores meanwhile.
@Suite struct CopyAheadTests {
  private static let files = 60
  private let service = MemoryService(name: "target")
  private let source = MemoryStore(name: "source")
  private let target: MemoryStore
  private let directory = FileManager.default.temporaryDirectory.appending(path: "ahead-\(UUID().uuidString)").path

  init() async throws {
    target = MemoryStore(service: service, bucket: "b")
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for number in 0..<Self.files {
      try await source.put(Self.key(number), pattern(1000 + number), condition: .none)
    }
    try await source.put("backup/bk/meta/full_meta.json", pattern(50), condition: .none)
  }

  private static func key(_ number: Int) -> ObjectKey {
    ObjectKey("backup/bk/binlogs/\(100 + number / 3)/\(1000 + number)")
  }

  private func mount(
    _ wrapped: (any ObjectStore)? = nil, isRunning: @escaping @Sendable (Int32) -> Bool = { _ in true }
  )
    -> TestMount
  {
    TestMount(
      [("A", source), ("B", wrapped ?? target)], journalDirectory: FilePath(directory), isRunning: isRunning)
  }

  private var journals: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).filter { $0.hasSuffix(".journal") }
  }

  /// Whether the target comes to hold so many objects.
  private func arrives(_ count: Int) async -> Bool {
    for _ in 0..<500 {
      if (try? await target.listAll("").count) == count { return true }
      try? await Task.sleep(for: .milliseconds(20))
    }
    return false
  }

  private func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<500 {
      if try await condition() { return true }
      try await Task.sleep(for: .milliseconds(20))
    }
    return false
  }

  @Test func aTreeArrivesWholeAndNothingIsLeftInTheJournal() async throws {
    let mount = mount()
    try await mount.copyTree("A/bk", "B/bk")
    for number in 0..<Self.files {
      #expect(
        try await target.get(Self.key(number), range: nil, version: nil).bytes == pattern(1000 + number), "\(number)")
    }
    #expect(try await target.listAll("").count == Self.files + 1)
    #expect(try await eventually { journals.isEmpty })
    #expect(try await mount.list("B/bk/binlogs").count == Self.files / 3)
  }

  @Test func whatFollowsIsMovedBeforeItIsAskedForAndNotShown() async throws {
    let mount = mount()
    try await mount.copyTree("A/bk", "B/bk") { count in
      guard count == 1 else { return false }
      #expect(await arrives(Self.files))
      mount.refresh()
      let shown = try await mount.list("B/bk/binlogs/100")
      #expect(shown == ["1000"], "\(shown)")
      #expect(await errno { _ = try await mount.inode("B/bk/binlogs/101") } == .noSuchFileOrDirectory)
      return false
    }
    #expect(try await target.listAll("").count == Self.files + 1)
  }

  @Test func aCloseEndsAtOnceWhereItsObjectIsThere() async throws {
    let mount = mount()
    try await mount.copyTree("A/bk", "B/bk") { count in
      guard count == 1 else { return false }
      #expect(await arrives(Self.files))
      return true
    }
    /// Copies the second, third or fourth file, up to its close; says how that is answered.
    func close(_ number: Int, by thread: Int32 = 100, count: Int64? = nil) async throws -> (
      UInt64, Answer<Void>
    ) {
      let size = Int64(1000 + number)
      let path = "bk/binlogs/\(100 + number / 3)/\(1000 + number)"
      let from = try await mount.open("A/\(path)")
      let to = try await mount.create("B/\(path)", options: [.write, .exclusive])
      let caller = Caller(thread: 100, user: 0, group: 0)
      _ = try await mount.system.copyRange(
        from: from, offset: 0, to: to, offset: 0, count: count ?? size, caller: caller
      ).value()
      let closer = Caller(thread: thread, user: 0, group: 0)
      return (to, try mount.system.flush(to, caller: closer, writerWasKilled: false))
    }
    let (second, atOnce) = try await close(1)
    guard case .ready = atOnce else { return #expect(Bool(false), "what was there already was waited for") }
    #expect(try await mount.attributes("B/bk/binlogs/100/1001").size == 1001)
    let journal = try String(contentsOfFile: "\(directory)/\(try #require(journals.first))", encoding: .utf8)
    #expect(journal.contains("- \(Self.key(1))\n"), "asked for: the next mount must not remove it")
    // Closed once more nothing is left to do, and releasing it takes nothing away.
    try await mount.flush(second)
    await mount.release(second)
    // Somebody else who closes the file, and a copy that is not whole, have their close looked into.
    let (third, ofAnother) = try await close(2, by: 77)
    guard case .pending(let work) = ofAnother else { return #expect(Bool(false), "who closed it was not asked") }
    try await work()
    try await mount.flush(third)
    try await mount.mkdir("B/bk/binlogs/101")
    let (fourth, ofAPart) = try await close(3, count: 500)
    guard case .pending(let work) = ofAPart else { return #expect(Bool(false), "a part was taken for the whole") }
    try await work()
    for handle in [third, fourth] { await mount.release(handle) }
    await mount.system.endCopies()
    for (number, size) in [(0, 1000), (1, 1001), (2, 1002), (3, 500)] {
      #expect(try await target.head(Self.key(number)).size == Int64(size), "\(number)")
    }
    #expect(try await target.listAll("").count == 4)
  }

  @Test func aHelpedCopierWaitsForNoListingAndOthersDo() async throws {
    let lists = Mutex(0)
    let counting: FaultInjectingStore<MemoryStore>.Hook = { operation, _ in
      if operation == .list { lists.withLock { $0 += 1 } }
    }
    // Listings are old at once.
    let mount = TestMount(
      [
        ("A", FaultInjectingStore(source, before: counting)), ("B", FaultInjectingStore(target, before: counting)),
      ], lifetime: 0, journalDirectory: FilePath(directory))
    let other = Caller(thread: 99, user: 0, group: 0)
    var before = 0
    try await mount.copyTree("A/bk", "B/bk") { count in
      if count == 10 {
        #expect(await arrives(Self.files))
        before = lists.withLock { $0 }
      } else if count == 40 {
        #expect(lists.withLock { $0 } == before)
        try await source.put("backup/bk/new", [1], condition: .none)
        let handle = try await mount.system.openDirectory(try await mount.inode("A/bk"), caller: other).value()
        #expect(try mount.system.readDirectory(handle).entries.map(\.name).contains("new"))
        mount.system.releaseDirectory(handle)
        #expect(lists.withLock { $0 } > before)
      }
      return false
    }
    // The copy has ended: its thread is one like any other again.
    let after = lists.withLock { $0 }
    #expect(
      try await eventually {
        _ = try await mount.list("A/bk")
        return lists.withLock { $0 } > after
      })
  }

  @Test func metadataIsNeverMovedAhead() async throws {
    let order = Mutex<[String]>([])
    let watched = FaultInjectingStore(
      target,
      before: { operation, key in
        if operation == .put { order.withLock { $0.append(key.string) } }
      })
    try await mount(watched).copyTree("A/bk", "B/bk")
    #expect(order.withLock { $0.last } == "backup/bk/meta/full_meta.json")
    #expect(order.withLock { $0.count } == Self.files + 1, "nothing is moved twice")
  }

  @Test func whenTheCopierIsGoneWhatItDidNotAskForIsRemoved() async throws {
    let isAlive = Mutex(true)
    let mount = mount(isRunning: { _ in isAlive.withLock { $0 } })
    try await mount.copyTree("A/bk", "B/bk") { count in
      guard count == 7 else { return false }
      #expect(await arrives(Self.files))
      return true
    }
    isAlive.withLock { $0 = false }
    #expect(await arrives(7))
    #expect(try await target.listAll("").map(\.key) == (0..<7).map { Self.key($0) })
    #expect(try await eventually { journals.isEmpty })
    #expect(service.unfinishedUploads == 0)
  }

  @Test func unmountingRemovesWhatNobodyAskedFor() async throws {
    let mount = mount()
    try await mount.copyTree("A/bk", "B/bk") { $0 == 3 }
    await mount.system.endCopies()
    #expect(try await target.listAll("").count == 3)
    #expect(journals.isEmpty)
  }

  @Test func aMoveThatFailsIsMadeUpForAndAnErrorIsExact() async throws {
    // Each object fails once; one fails always.
    let failed = Mutex<Set<ObjectKey>>([])
    let broken = Self.key(30)
    let faulty = FaultInjectingStore(
      target,
      before: { [target] operation, key in
        guard operation == .put, key == broken || failed.withLock({ $0.insert(key).inserted }) else { return }
        throw StoreError(.serverError, operation: "PutObject", key: key, location: target.location, reason: "made up")
      })
    let mount = mount(faulty)
    try await mount.mkdir("B/bk")
    try await mount.mkdir("B/bk/binlogs")
    _ = try await mount.list("A/bk")
    _ = try await mount.list("A/bk/binlogs")
    var errors: [ObjectKey: Errno] = [:]
    for group in 0..<Self.files / 3 {
      try await mount.mkdir("B/bk/binlogs/\(100 + group)")
      for name in try await mount.list("A/bk/binlogs/\(100 + group)") {
        let path = "bk/binlogs/\(100 + group)/\(name)"
        let result = await errno { try await mount.copy("A/\(path)", "B/\(path)") }
        // Let each be tried ahead first.
        #expect(try await eventually { failed.withLock { $0.count } == Self.files - 1 })
        if let result { errors[ObjectKey("backup/\(path)")] = result }
      }
    }
    #expect(errors[broken] == .ioError)
    // The first file is copied before anything is moved ahead: its failure is the copier's own.
    #expect(Set(errors.keys).subtracting([Self.key(0)]) == [broken])
    await mount.system.endCopies()
    let present = Set(try await target.listAll("").map(\.key))
    #expect(!present.contains(broken) && present.count == Self.files - errors.count)
  }

  @Test func aSourceThatChangesOnTheWayIsStale() async throws {
    let mount = mount()
    try await mount.copyTree("A/bk", "B/bk") { count in
      guard count == 1 else { return false }
      #expect(await arrives(Self.files))
      return true
    }
    try await source.put(Self.key(1), pattern(5), condition: .none)
    mount.refresh()
    // Listed anew, the file is another version than the one that was moved: the new one arrives.
    try await mount.copy("A/bk/binlogs/100/1001", "B/bk/binlogs/100/1001")
    #expect(try await target.get(Self.key(1), range: nil, version: nil).bytes == pattern(5))
    await mount.system.endCopies()
    #expect(try await target.listAll("").count == 2)
  }

  @Test func aDirectoryThatHoldsSomethingInTheStoreIsLeftAlone() async throws {
    let mount = mount()
    _ = try await mount.list("B")
    // Put there by somebody else after the mount has looked.
    try await target.put("backup/bk/binlogs/105/1016", [1, 2, 3], condition: .none)
    try await mount.copyTree("A/bk", "B/bk") { count in
      guard count == 2 else { return false }
      try await Task.sleep(for: .milliseconds(300))
      return true
    }
    #expect(try await target.listAll("").count == 3)
    #expect(try await target.get("backup/bk/binlogs/105/1016", range: nil, version: nil).bytes == [1, 2, 3])
    await mount.system.endCopies()
  }

  @Test func aCopierIsLookedAtOnce() async throws {
    let lists = Mutex(0)
    let watched = FaultInjectingStore(
      target, before: { operation, _ in if operation == .list { lists.withLock { $0 += 1 } } })
    // Nothing can be moved ahead where something lies already.
    try await target.put("backup/bk/binlogs/other", [1], condition: .none)
    let mount = mount(watched)
    _ = try await mount.list("B/bk/binlogs")
    try await mount.mkdir("B/copy")
    try await target.put("backup/copy/other", [1], condition: .none)
    _ = try await mount.list("A/bk/binlogs/100")
    let before = lists.withLock { $0 }
    for name in ["1000", "1001", "1002"] {
      try await mount.copy("A/bk/binlogs/100/\(name)", "B/copy/\(name)")
      try await Task.sleep(for: .milliseconds(100))
    }
    #expect(lists.withLock { $0 } - before == 1)
    await mount.system.endCopies()
  }

  @Test func copyingSingleFilesMovesNothingAhead() async throws {
    let mount = mount()
    try await mount.mkdir("B/bk")
    try await mount.copy("A/bk/binlogs/100/1000", "B/bk/1000")
    try await Task.sleep(for: .milliseconds(300))
    #expect(try await target.listAll("").count == 1)
  }
}

@Suite struct CopyAheadOtherBytesTests {
  /// A copier may write a file in another way than the others, such as an empty one: what was moved ahead gives way.
  @Test(arguments: [0, 700, 9 << 20]) func otherBytesReplaceWhatWasMovedAhead(size: Int) async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "ahead-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let (source, target) = (MemoryStore(name: "source"), MemoryStore(name: "target"))
    for name in ["a", "b", "c", "empty"] {
      try await source.put(ObjectKey("backup/bk/\(name)"), pattern(name == "empty" ? 0 : 1000), condition: .none)
    }
    let mount = TestMount([("A", source), ("B", target)], journalDirectory: FilePath(directory))
    try await mount.mkdir("B/bk")
    _ = try await mount.list("A/bk")
    try await mount.copy("A/bk/a", "B/bk/a", options: [.write, .exclusive])
    for _ in 0..<200 where try await target.listAll("").count < 3 { try await Task.sleep(for: .milliseconds(20)) }
    #expect(try await target.listAll("").map(\.key.string) == ["backup/bk/a", "backup/bk/b", "backup/bk/c"])
    let handle = try await mount.create("B/bk/b", options: [.write, .exclusive])
    try await mount.write(handle, pattern(size))
    try await mount.flush(handle)
    await mount.release(handle)
    try await mount.copy("A/bk/empty", "B/bk/empty", options: [.write, .exclusive])
    await mount.system.endCopies()
    #expect(try await target.get("backup/bk/b", range: nil, version: nil).bytes == pattern(size))
    #expect(try await target.listAll("").map(\.key.string) == ["backup/bk/a", "backup/bk/b", "backup/bk/empty"])
    try FileManager.default.removeItem(atPath: directory)
  }
}
