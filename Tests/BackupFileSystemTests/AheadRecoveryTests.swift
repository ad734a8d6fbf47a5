import Foundation
import ObjectStore
import Synchronization
import SystemPackage
import Testing

@testable import BackupFileSystem

/// What is noted of what was moved ahead, and what the next mount does about it when the daemon died.
@Suite struct AheadRecoveryTests {
  private let target = MemoryStore(name: "target")
  private let directory = FileManager.default.temporaryDirectory.appending(path: "ahead-\(UUID().uuidString)").path

  init() throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  }

  private func mount(_ wrapped: (any ObjectStore)? = nil) -> TestMount {
    TestMount([("B", wrapped ?? target)], journalDirectory: FilePath(directory))
  }

  private var journals: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).filter { $0.hasSuffix(".journal") }
  }

  @Test(arguments: [true, false]) func theNextMountRemovesWhatACrashLeft(isMovedNoted: Bool) async throws {
    let journal = try AheadJournal(
      directory: FilePath(directory), name: "1-1", target: target.location, prefix: "backup/bk/")
    let asked = try await target.put("backup/bk/asked for", pattern(10), condition: .none)
    let left = try await target.put("backup/bk/left", pattern(20), condition: .none)
    try await target.put("backup/bk/replaced", pattern(31), condition: .none)
    for (key, size) in [
      ("backup/bk/asked for", 10), ("backup/bk/left", 20), ("backup/bk/replaced", 30), ("backup/bk/never", 5),
    ] {
      try journal.intend(ObjectKey(key), size: Int64(size))
    }
    journal.moved("backup/bk/asked for", asked.etag)
    journal.settled("backup/bk/asked for")
    if isMovedNoted { journal.moved("backup/bk/left", left.etag) }
    // As long as its writer lives, a journal is nobody else's.
    #expect(await mount().system.recoverCopies() == [])
    #expect(try await target.listAll("").count == 3)
    try FileManager.default.copyItem(atPath: "\(directory)/ahead-1-1.journal", toPath: "\(directory)/ahead-2-1.journal")
    try FileManager.default.removeItem(atPath: "\(directory)/ahead-1-1.journal")
    let report = await mount().system.recoverCopies()
    #expect(report.count == 1 && report[0].contains("removed 1 objects"), "\(report)")
    #expect(try await target.listAll("").map(\.key.string) == ["backup/bk/asked for", "backup/bk/replaced"])
    #expect(journals.isEmpty)
    withExtendedLifetime(journal) {}
  }

  /// A store may carry out a request after the daemon that sent it has died; long afterwards it will not.
  @Test(arguments: [true, false]) func whatArrivesAfterTheCrashIsRemovedToo(isRecent: Bool) async throws {
    do {
      let journal = try AheadJournal(
        directory: FilePath(directory), name: "1-1", target: target.location, prefix: "backup/bk/")
      try journal.intend("backup/bk/late", size: 20)
    }
    if !isRecent {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -600)], ofItemAtPath: "\(directory)/ahead-1-1.journal")
    }
    let heads = Mutex(0)
    let slow = FaultInjectingStore(
      target,
      before: { [target] operation, key in
        guard operation == .head, key == "backup/bk/late" else { return }
        // It arrives between the second look and the third.
        if heads.withLock({
          $0 += 1; return $0
        }) == 3 {
          try await target.put(key, pattern(20), condition: .none)
        }
      })
    let report = await mount(slow).system.recoverCopies()
    #expect(heads.withLock { $0 } == (isRecent ? 3 : 1))
    #expect(report.count == (isRecent ? 1 : 0), "\(report)")
    #expect(try await target.listAll("").isEmpty)
    #expect(journals.isEmpty)
  }

  @Test func aBackupThatWasCompletedSinceIsKept() async throws {
    do {
      let journal = try AheadJournal(
        directory: FilePath(directory), name: "1-1", target: target.location, prefix: "backup/bk/")
      try journal.intend("backup/bk/left", size: 20)
    }
    try await target.put("backup/bk/left", pattern(20), condition: .none)
    try await target.put("backup/bk/meta/backup_meta.json", pattern(1), condition: .none)
    #expect(await mount().system.recoverCopies() == [])
    #expect(try await target.listAll("").count == 2)
    #expect(journals.isEmpty)
  }

  @Test func oddKeysSurviveTheJournal() throws {
    let keys = ["a b", "a\\b", "a\nb", "ä\\n ", " ", "\\s"]
    let text = FilePath(directory)
    let journal = try AheadJournal(directory: text, name: "k", target: target.location, prefix: "p q/")
    for key in keys { try journal.intend(ObjectKey(key), size: 1) }
    let contents = try String(contentsOfFile: "\(directory)/ahead-k.journal", encoding: .utf8)
    let read = try #require(AheadLeftovers(contents + "+ 5 cut o"))
    #expect(Set(read.objects.map(\.key.string)) == Set(keys))
    #expect(read.prefix == "p q/" && read.target == target.location)
    #expect(AheadLeftovers("") == nil && AheadLeftovers("hello\n") == nil)
  }

  /// A store that does not answer keeps its journal, and whatever is in it.
  @Test(arguments: [StoreOperation.head, .deleteMany])
  func whatCannotBeRemovedIsRemovedByTheMountAfterNext(failing: StoreOperation) async throws {
    do {
      let journal = try AheadJournal(
        directory: FilePath(directory), name: "1-1", target: target.location, prefix: "backup/bk/")
      try journal.intend("backup/bk/left", size: 20)
    }
    try await target.put("backup/bk/left", pattern(20), condition: .none)
    let faulty = FaultInjectingStore(
      target,
      before: { [target] operation, key in
        guard operation == failing else { return }
        throw StoreError(.serverError, operation: "made up", key: key, location: target.location, reason: "made up")
      })
    let report = await mount(faulty).system.recoverCopies()
    #expect(report.count == 1 && report[0].contains("the next mount tries again"), "\(report)")
    #expect(journals.count == 1)
    #expect(try await target.listAll("").count == 1)
    #expect(await mount().system.recoverCopies().count == 1)
    #expect(try await target.listAll("").isEmpty)
    #expect(journals.isEmpty)
  }

  /// On a full disk a line may be missing, or cut short: nothing that the copier has may be removed because of that.
  @Test(arguments: [0, 5]) func aJournalThatLacksALineIsNone(written: Int) async throws {
    let isFull = Mutex(false)
    do {
      let journal = try AheadJournal(
        directory: FilePath(directory), name: "1-1", target: target.location, prefix: "backup/bk/",
        append: { file, bytes in
          guard isFull.withLock({ $0 }) else { return try file.write(bytes) }
          guard written > 0 else { throw Errno.noSpace }
          return try file.write(UnsafeRawBufferPointer(rebasing: bytes[..<written]))
        })
      try journal.intend("backup/bk/asked for", size: 20)
      try await target.put("backup/bk/asked for", pattern(20), condition: .none)
      isFull.withLock { $0 = true }
      journal.settled("backup/bk/asked for")
      // There is room again, but what is missing stays missing.
      isFull.withLock { $0 = false }
      #expect(throws: Errno.noSpace) { try journal.intend("backup/bk/next", size: 1) }
    }
    #expect(journals.isEmpty)
    #expect(await mount().system.recoverCopies() == [])
    #expect(try await target.listAll("").count == 1)
  }
}
