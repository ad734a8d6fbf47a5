// Copies of backups between stores without a mount: what is kept, what is refused, what a failure leaves.

import BackupFormat
import FoundationEssentials
import ObjectStore
import Synchronization
import Testing

@testable import BackupEngine

@Suite struct CopyJobTests {
  /// Two beds, the first with a backup named bk.
  private func beds() async throws -> (Bed, Bed) {
    let source = Bed()
    try await source.fill()
    try await source.create()
    return (source, Bed(name: "b"))
  }

  @discardableResult
  private func copy(
    _ source: Bed, _ target: Bed, newName: String? = nil, shard: String = "1/1", overwrites: Bool = false,
    verifies: Bool = false, journal: String? = nil, throttles: @escaping @Sendable () -> Int = { 0 },
    progress: JobProgress = JobProgress()
  ) async throws -> CopyReport {
    let request = CopyRequest(
      backup: "bk", newName: newName, shard: try #require(CopyShard(shard)), overwrites: overwrites, verifies: verifies)
    return try await CopyJob(
      request, from: source.context, to: target.context, journalDirectory: journal, throttles: throttles,
      progress: progress
    ).run()
  }

  private func contents(_ bed: Bed, _ name: String = "bk") async throws -> [String: [UInt8]] {
    var contents: [String: [UInt8]] = [:]
    for key in try await bed.backupKeys("backup/\(name)/") {
      contents[String(key.dropFirst("backup/\(name)/".count))] =
        try await bed.bucket.get(ObjectKey(key), range: nil, version: nil).bytes
    }
    return contents
  }

  @Test func copiesEverythingAndMetadataLast() async throws {
    let (source, target) = try await beds()
    let progress = JobProgress()
    let report = try await copy(source, target, verifies: true, progress: progress)
    #expect(try await contents(source) == contents(target))
    #expect(report.moved == 30 && report.kept == 0 && report.verified == 30 && report.waiting == 0)
    let written = target.backups.written.map { String($0.dropFirst("backup/bk/".count)) }
    #expect(written.suffix(5).allSatisfy { $0.hasPrefix("meta/") })
    #expect(written.suffix(2) == ["meta/backup_meta.json", "meta/full_meta.json"])
    #expect(progress.snapshot.percent == 100 && progress.snapshot.bytesDone == progress.snapshot.bytesTotal)
  }

  @Test func aFailureLeavesNoMetadataAndTheNextRunGoesOn() async throws {
    let (source, target) = try await beds()
    let folder = "/tmp/copy-journal-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let failing = try #require(try await source.backupKeys("backup/bk/binlogs/delta_log/").first)
    target.backups.add { [backups = target.backups] operation, key in
      if operation == .put, key.string == failing { throw backups.error(.serverError, "PutObject", key) }
    }
    let error = try await #require(throws: EngineError.self) { try await copy(source, target, journal: folder) }
    #expect(error.message.contains(failing) && error.aftermath.contains("run the same command again"))
    #expect(try await target.backupKeys("backup/bk/meta/").isEmpty)
    #expect(try await target.backupKeys("backup/bk/").count == 24)

    target.backups.removeRules()
    let report = try await copy(source, target, journal: folder)
    // 24 of 25 log objects are known to have arrived; the store in memory has no sums to compare.
    #expect(report.kept == 24 && report.moved == 6)
    #expect(try await contents(source) == contents(target))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
  }

  @Test func anObjectOfTheSameSizeIsNotTakenForEqual() async throws {
    let (source, target) = try await beds()
    let key = try #require(try await source.backupKeys("backup/bk/binlogs/").first)
    let size = try await source.bucket.head(ObjectKey(key)).size
    try await target.bucket.put(ObjectKey(key), [UInt8](repeating: 0, count: Int(size)), condition: .none)
    try await copy(source, target)
    #expect(try await contents(source) == contents(target))
  }

  @Test func shardsShareTheObjectsAndTheLastOneWritesTheMetadata() async throws {
    let (source, target) = try await beds()
    var moved = 0
    for shard in ["2/3", "3/3", "1/3"] {
      #expect(try await target.backupKeys("backup/bk/meta/").isEmpty)
      let report = try await copy(source, target, shard: shard)
      moved += report.moved
      #expect((report.waiting == 0) == (shard == "1/3"))
    }
    #expect(moved == 30)
    #expect(try await contents(source) == contents(target))
  }

  @Test func anotherBackupIsNotReplacedUnasked() async throws {
    let (source, target) = try await beds()
    let meta = ObjectKey("backup/bk/meta/full_meta.json")
    try await target.bucket.put(meta, Array("{}".utf8), condition: .none)
    let error = try await #require(throws: EngineError.self) { try await copy(source, target) }
    #expect(error.code == .alreadyExists && error.message.contains("--overwrite") && error.aftermath.isEmpty)
    #expect(try await target.backupKeys() == [meta.string])
    try await copy(source, target, overwrites: true)
    #expect(try await contents(source) == contents(target))
  }

  @Test func metadataGoesBeforeDataIsMended() async throws {
    let (source, target) = try await beds()
    let folder = "/tmp/copy-journal-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await copy(source, target)
    let lost = try #require(try await target.backupKeys("backup/bk/binlogs/").first)
    try await target.bucket.delete(ObjectKey(lost))
    let hadMetadata = Mutex(false)
    target.backups.add { [bucket = target.bucket] operation, key in
      guard operation == .put, key.string == lost else { return }
      let meta = try await bucket.listAll("backup/bk/meta/")
      hadMetadata.withLock { $0 = !meta.isEmpty }
    }
    try await copy(source, target)
    #expect(hadMetadata.withLock { !$0 })
    #expect(try await contents(source) == contents(target))
  }

  @Test func anIncompleteSourceIsRefused() async throws {
    let (source, target) = try await beds()
    let lost = try #require(try await source.backupKeys("backup/bk/binlogs/").first)
    try await source.bucket.delete(ObjectKey(lost))
    let error = try await #require(throws: EngineError.self) { try await copy(source, target) }
    #expect(error.code == .incomplete && error.message.contains(lost.dropFirst("backup/bk/".count)))
    #expect(try await target.backupKeys().isEmpty)
  }

  @Test func verifyingFindsWhatDiffers() async throws {
    let (source, target) = try await beds()
    try await copy(source, target)
    let key = try #require(try await target.backupKeys("backup/bk/binlogs/").first)
    target.backups.add { [bucket = target.bucket] operation, written in
      // Somebody damages an object after it was checked.
      guard operation == .put, written.string.hasSuffix("full_meta.json") else { return }
      let size = try await bucket.head(ObjectKey(key)).size
      try await bucket.put(ObjectKey(key), [UInt8](repeating: 0, count: Int(size)), condition: .none)
    }
    let error = try await #require(throws: EngineError.self) { try await copy(source, target, verifies: true) }
    #expect(error.code == .corrupted && error.message.contains(key.dropFirst("backup/bk/".count)))
  }

  @Test(arguments: ["", "0/3", "4/3", "1", "a/b", "1/2/3", "-1/2"])
  func noShard(text: String) { #expect(CopyShard(text) == nil) }
}
