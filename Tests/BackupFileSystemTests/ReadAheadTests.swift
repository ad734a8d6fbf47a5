import ObjectStore
import Synchronization
import SystemPackage
import Testing

@testable import BackupFileSystem

@Suite struct ReadAheadTests {
  /// The keys that were read from a store, in order.
  private final class Gets: Sendable {
    private let keys = Mutex<[String]>([])
    func note(_ key: ObjectKey) { keys.withLock { $0.append(key.string) } }
    var all: [String] { keys.withLock { $0 } }
  }

  private func backup(files: Int) async throws -> (TestMount, MemoryStore, Gets) {
    let store = MemoryStore()
    for number in 0..<files {
      // One file a directory, as in Milvus' trees.
      try await store.put(ObjectKey(path(number)), pattern(1000 + number), condition: .none)
    }
    try await store.put("backup/b/meta/backup_meta.json", pattern(10), condition: .none)
    let gets = Gets()
    let watched = FaultInjectingStore(store, before: { operation, key in if operation == .get { gets.note(key) } })
    return (TestMount([("A", watched)]), store, gets)
  }

  private func path(_ number: Int) -> String {
    "backup/b/binlogs/insert_log/1/2/3/\(100 + number / 10)/\(100 + number % 10)/log"
  }

  private func read(_ number: Int, _ mount: TestMount) async throws -> [UInt8] {
    try await mount.read("A" + path(number).dropFirst("backup".count))
  }

  @Test func filesReadInOrderAreFetchedAheadOnceAndWhole() async throws {
    let (mount, _, gets) = try await backup(files: 120)
    for number in 0..<120 {
      #expect(try await read(number, mount) == pattern(1000 + number))
      if number == 60 {
        // The next ones come without being asked for.
        for _ in 0..<500 where gets.all.count < 61 + ReadTrail.mostFiles {
          try await Task.sleep(for: .milliseconds(10))
        }
        #expect(gets.all.count == 61 + ReadTrail.mostFiles)
      }
    }
    #expect(gets.all.count == 120 && Set(gets.all).count == 120, "each is fetched once")
    #expect(mount.system.readBudget.used == 0)
  }

  @Test func whoReadsInOrderIsKnownUntilItStops() async throws {
    let (mount, _, _) = try await backup(files: 100)
    let thread = mount.caller.thread
    let isFollowing = { (thread: Int32, time: Duration) in mount.system.readAhead.isFollowing(thread, within: time) }
    _ = try await read(0, mount)
    #expect(!isFollowing(thread, .seconds(60)))
    for number in 1..<10 { _ = try await read(number, mount) }
    #expect(isFollowing(thread, .seconds(60)) && !isFollowing(thread + 1, .seconds(60)))
    #expect(!isFollowing(thread, .zero), "it has stopped")
    _ = try await read(0, mount)
    #expect(!isFollowing(thread, .seconds(60)), "it has begun anew")
  }

  @Test func aReaderOfOneFileOrOfAnyOrderCausesNothingElse() async throws {
    let (mount, _, gets) = try await backup(files: 100)
    for number in [5, 90, 3, 44, 17, 71] { _ = try await read(number, mount) }
    #expect(gets.all.count == 6)
  }

  @Test func whatNobodyComesForIsGivenBack() async throws {
    let (mount, _, gets) = try await backup(files: 60)
    for number in 0..<10 { _ = try await read(number, mount) }
    for _ in 0..<500 where mount.system.readBudget.used == 0 { try await Task.sleep(for: .milliseconds(10)) }
    #expect(mount.system.readBudget.used > 0, "something is ahead")
    for _ in 0..<800 where mount.system.readBudget.used > 0 { try await Task.sleep(for: .milliseconds(10)) }
    #expect(mount.system.readBudget.used == 0)
    // And reading goes on.
    for number in 10..<60 { #expect(try await read(number, mount) == pattern(1000 + number)) }
    #expect(Set(gets.all).count == 60)
  }

  @Test func aFileThatChangedMeanwhileIsReadAsItIs() async throws {
    let (mount, store, gets) = try await backup(files: 40)
    for number in 0..<10 { _ = try await read(number, mount) }
    for _ in 0..<500 where !gets.all.contains(path(10)) {
      try await Task.sleep(for: .milliseconds(10))
    }
    try await store.put(ObjectKey(path(10)), pattern(77), condition: .none)
    mount.refresh()
    #expect(try await read(10, mount) == pattern(77))
    #expect(try await read(11, mount) == pattern(1011))
  }

  @Test func leavingTheTrailGivesBackAndAsksForMore() throws {
    var tree = Tree(stores: ["A"])
    let store = try #require(try tree.directory(Tree.root).children["A"])
    let backup = tree.add(store, "b", .directory(Node.Directory(scope: store)))
    let files = (0..<100).map { number in
      tree.add(
        backup, ObjectKey("f\(100 + number)"),
        .file(
          Node.File(
            object: ObjectInfo(key: ObjectKey("b/f\(100 + number)"), size: 10, etag: ETag("e"), modified: 0))))
    }
    var trail = ReadTrail()
    #expect(trail.reads(files[0], in: tree).begun.isEmpty && trail.reads(files[1], in: tree).begun.isEmpty)
    #expect(trail.reads(files[2], in: tree).begun.map(\.inode) == Array(files[3...4]))
    #expect(trail.reads(files[2], in: tree).begun.isEmpty, "the same file again is no news")
    #expect(trail.reads(files[3], in: tree).begun.map(\.inode) == Array(files[5...7]))
    // One was passed over: as `cp -n` does.
    let plan = trail.reads(files[5], in: tree)
    #expect(plan.dropped == [files[4]] && plan.begun.first?.inode == files[8])
    let left = trail.reads(files[90], in: tree)
    #expect(left.dropped == Array(files[6...13]) && left.begun.isEmpty)
    for number in 91...93 { #expect(trail.reads(files[number], in: tree).begun.isEmpty, "it has to prove itself") }
    #expect(trail.reads(files[94], in: tree).begun.map(\.inode) == Array(files[95...96]))
  }
}
