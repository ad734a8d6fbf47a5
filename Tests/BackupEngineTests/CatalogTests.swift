// What a store holds, and the removal of backups.

import BackupFormat
import ObjectStore
import Synchronization
import Testing

@testable import BackupEngine

@Suite struct CatalogTests {
  private func bed(shared: Bool = false) async throws -> Bed {
    let bed = Bed(shared: shared)
    try await bed.fill()
    try await bed.create()
    return bed
  }

  private func summaries(_ bed: Bed) async throws -> [BackupSummary] {
    try await BackupCatalog(store: bed.context.backups, root: bed.context.backupRoot).summaries()
  }

  @Test func eachStateIsTold() async throws {
    let bed = try await bed()
    for name in ["cut", "half", "odd", "torn"] {
      for object in try await bed.bucket.listAll("backup/bk/") {
        let bytes = try await bed.bucket.get(object.key, range: nil, version: nil).bytes
        let key = "backup/\(name)/" + object.key.string.dropFirst("backup/bk/".count)
        try await bed.bucket.put(ObjectKey(key), bytes, condition: .none)
      }
    }
    let log = try #require(try await bed.backupKeys("backup/half/binlogs/").first)
    try await bed.bucket.delete(ObjectKey(log))
    for file in MetaFile.writeOrder { try await bed.bucket.delete(ObjectKey("backup/cut/\(file.path)")) }
    try await bed.bucket.put("backup/torn/meta/full_meta.json", [1, 2], condition: .none)
    var snapshot = try await bed.info("odd")
    snapshot.format = "snapshot"
    try await bed.bucket.put("backup/odd/meta/full_meta.json", MetaFiles.encode(.full, of: snapshot), condition: .none)

    let found = try await summaries(bed)
    #expect(found.map(\.name) == ["bk", "cut", "half", "odd", "torn"])
    #expect(found.map(\.state) == [.complete, .unfinished, .incomplete, .unsupported, .unreadable])
    #expect(found[0].rows == 300 && found[0].collections == 1 && found[0].segments == 3 && found[0].objects == 30)
    #expect(found[0].milvusVersion == "v2.3.5" && found[0].metaBytes > 0 && found[0].bytes > found[0].metaBytes)
    #expect(found[0].modified.hasSuffix("Z") && found[0].detail.isEmpty)
    #expect(
      found[2].detail.contains("1 object missing") && found[2].detail.contains(log.dropFirst("backup/half/".count)))
    #expect(found[4].detail.contains("full_meta.json") && found[1].objects == 25)
  }

  @Test func aBackupIsRemovedWholeAndNothingElse() async throws {
    let bed = try await bed()
    try await bed.create(CreateRequest(name: "bk2"))
    try await bed.bucket.put("backup/bk", [1], condition: .none)
    _ = try await bed.bucket.beginUpload("backup/bk/binlogs/insert_log/1/2/3/3/4/5")
    _ = try await bed.bucket.beginUpload("backup/bk2/binlogs/insert_log/1/2/3/3/4/5")
    let report = try await BackupRemoval.run("bk", in: bed.context)
    #expect(report.objects == 30 && report.uploads == 1 && report.warnings.isEmpty && report.bytes > 0)
    #expect(try await bed.backupKeys("backup/bk/").isEmpty)
    #expect(try await bed.backupKeys("backup/bk2/").count == 30)
    #expect(try await bed.backupKeys("backup/bk").contains("backup/bk"))
    #expect(try await bed.bucket.listAllUploads("backup/").count == 1)
    let again = try await #require(throws: EngineError.self) { try await BackupRemoval.run("bk", in: bed.context) }
    #expect(again.code == .notFound && again.message.contains("backup/bk/"))
    // The name is free again.
    try await bed.create()
  }

  @Test(arguments: ["full_meta.json", "backup_meta.json", nil])
  func unreadableAndUnfinishedBackupsAreRemovedToo(broken: String?) async throws {
    let bed = try await bed()
    if let broken {
      try await bed.bucket.put(ObjectKey("backup/bk/meta/\(broken)"), [0xff], condition: .none)
    } else {
      for key in try await bed.backupKeys("backup/bk/meta/") { try await bed.bucket.delete(ObjectKey(key)) }
    }
    _ = try await BackupRemoval.run("bk", in: bed.context)
    #expect(try await bed.backupKeys().isEmpty)
  }

  @Test(arguments: ["", ".", "..", "a/b", "/", "bk/"])
  func namesThatAreNoneRemoveNothing(name: String) async throws {
    let bed = try await bed()
    let error = try await #require(throws: EngineError.self) { try await BackupRemoval.run(name, in: bed.context) }
    #expect(error.code == .invalidRequest)
    #expect(try await bed.backupKeys().count == 30)
  }

  @Test func milvusOwnObjectsAreNoBackup() async throws {
    var bed = try await bed(shared: true)
    bed.context.backupRoot = ""
    let count = try await bed.backupKeys().count
    let own = try await #require(throws: EngineError.self) { try await BackupRemoval.run("files", in: bed.context) }
    #expect(own.code == .invalidRequest && own.message.contains("minio.rootPath"))
    // A root that Milvus' root lies below.
    bed.context.milvusRoot = "backup/files"
    let above = try await #require(throws: EngineError.self) { try await BackupRemoval.run("backup", in: bed.context) }
    #expect(above.code == .invalidRequest)
    bed.context.milvusRoot = "elsewhere"
    let other = try await #require(throws: EngineError.self) { try await BackupRemoval.run("files", in: bed.context) }
    #expect(other.code == .invalidRequest && other.message.contains("neither meta nor binlogs"))
    #expect(try await bed.backupKeys().count == count)
  }

  @Test func aRemovalThatFailsLeavesNoBackupAndCanBeRepeated() async throws {
    let bed = try await bed()
    let backups = bed.backups
    backups.add { operation, key in
      if operation == .delete, key.string.contains("/delta_log/") { throw backups.error(.accessDenied, "Delete", key) }
    }
    let error = try await #require(throws: EngineError.self) { try await BackupRemoval.run("bk", in: bed.context) }
    #expect(error.code == .accessDenied && error.aftermath.contains("delete the backup again"))
    #expect(try await bed.backupKeys("backup/bk/meta/full").isEmpty)
    #expect(!(try await bed.backupKeys("backup/bk/binlogs/").isEmpty))
    backups.removeRules()
    _ = try await BackupRemoval.run("bk", in: bed.context)
    #expect(try await bed.backupKeys().isEmpty)
  }

  @Test func metadataGoesFirst() async throws {
    let bed = try await bed()
    let deleted = Mutex<[String]>([])
    bed.backups.add { operation, key in
      if operation == .delete { deleted.withLock { $0.append(key.string) } }
    }
    _ = try await BackupRemoval.run("bk", in: bed.context)
    #expect(
      deleted.withLock { Array($0.prefix(2)) } == ["backup/bk/meta/full_meta.json", "backup/bk/meta/backup_meta.json"])
  }

  @Test func whoeverKeepsWritingIsTold() async throws {
    let bed = try await bed()
    let bucket = bed.bucket
    let number = Mutex(0)
    bed.backups.add { operation, key in
      guard operation == .list, key == "backup/bk/" else { return }
      let next = number.withLock { number in
        number += 1
        return number
      }
      try await bucket.put(ObjectKey("backup/bk/binlogs/late\(next)"), [1], condition: .none)
    }
    let error = try await #require(throws: EngineError.self) { try await BackupRemoval.run("bk", in: bed.context) }
    #expect(error.code == .changed && error.message.contains("keep appearing"))
  }
}
