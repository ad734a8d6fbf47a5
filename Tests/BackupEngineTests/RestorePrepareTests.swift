// What refuses a restore before anything is touched.

import BackupFormat
import ObjectStore
import Synchronization
import Testing

@testable import BackupEngine
@testable import MilvusClient

@Suite struct RestorePrepareTests {
  private func bedWithBackup(_ collections: [String] = ["coll"]) async throws -> Bed {
    let bed = Bed(shared: true)
    for name in collections { try await bed.fill(CollectionName(collection: name)) }
    try await bed.create()
    return bed
  }

  /// The refusal of a request, which must not have changed anything.
  private func refusal(
    _ bed: Bed, _ request: RestoreRequest, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> EngineError {
    let before = bed.milvus.state.withLock { $0.collections.mapValues { $0.mapValues(\.id) } }
    let keys = try await bed.backupKeys()
    let error = try await #require(throws: EngineError.self, sourceLocation: sourceLocation) {
      try await RestoreJob.prepare(bed.context, request)
    }
    let after = bed.milvus.state.withLock { $0.collections.mapValues { $0.mapValues(\.id) } }
    #expect(before == after && bed.milvus.count("Import") == 0, sourceLocation: sourceLocation)
    #expect(try await bed.backupKeys() == keys, sourceLocation: sourceLocation)
    return error
  }

  @Test func aBackupThatDoesNotExist() async throws {
    let bed = try await bedWithBackup()
    let error = try await refusal(bed, RestoreRequest(backup: "nope"))
    #expect(error.code == .notFound && error.message.contains("no backup nope"))
    #expect(error.message.contains("backup/nope/") && error.message.contains("milvus-a"))
    #expect(try await refusal(bed, RestoreRequest(backup: "../x")).code == .invalidRequest)
  }

  @Test func aBackupWithoutMetadata() async throws {
    let bed = try await bedWithBackup()
    for key in try await bed.backupKeys("backup/bk/meta/") { try await bed.bucket.delete(ObjectKey(key)) }
    let error = try await refusal(bed, RestoreRequest(backup: "bk", newName: "x"))
    #expect(error.code == .incomplete && error.message.contains("meta/full_meta.json"))
  }

  @Test func aBackupOfLevelledMetadataIsRead() async throws {
    let bed = try await bedWithBackup()
    try await bed.bucket.delete("backup/bk/meta/full_meta.json")
    let plan = try await RestoreJob.prepare(bed.context, RestoreRequest(backup: "bk", newName: "x"))
    #expect(plan.targets.map(\.description) == ["default.x"])
    try await bed.bucket.delete("backup/bk/meta/segment_meta.json")
    let error = try await refusal(bed, RestoreRequest(backup: "bk", newName: "x"))
    #expect(error.code == .incomplete && error.message.contains("segment_meta.json"))
  }

  @Test func aBackupWithDamagedMetadata() async throws {
    let bed = try await bedWithBackup()
    try await bed.bucket.put("backup/bk/meta/full_meta.json", Array(#"{"name":"bk","collec"#.utf8), condition: .none)
    let error = try await refusal(bed, RestoreRequest(backup: "bk"))
    #expect(error.code == .corrupted && error.message.contains("full_meta.json"))
  }

  @Test(arguments: ["snapshot", "future"])
  func aBackupOfAnotherFormat(format: String) async throws {
    let bed = try await bedWithBackup()
    var info = try await bed.info("bk")
    info.format = format
    try await bed.bucket.put("backup/bk/meta/full_meta.json", MetaFiles.encode(.full, of: info), condition: .none)
    #expect(try await refusal(bed, RestoreRequest(backup: "bk")).code == .unsupported)
  }

  @Test func aBackupWithMissingObjects() async throws {
    let bed = try await bedWithBackup()
    let keys = try await bed.backupKeys("backup/bk/binlogs/insert_log/")
    for key in keys.prefix(7) { try await bed.bucket.delete(ObjectKey(key)) }
    let error = try await refusal(bed, RestoreRequest(backup: "bk", newName: "x"))
    #expect(error.code == .incomplete)
    #expect(error.message.contains("of 25 log objects 7 are missing") && error.message.contains("and 2 more"))
    #expect(error.message.matches(of: /insert_log\/\d+/).count == 5)
  }

  @Test func aBackupWithATruncatedObject() async throws {
    let bed = try await bedWithBackup()
    let key = try #require(try await bed.backupKeys("backup/bk/binlogs/insert_log/").first)
    try await bed.bucket.put(ObjectKey(key), Array("rows".utf8), condition: .none)
    let error = try await refusal(bed, RestoreRequest(backup: "bk", newName: "x"))
    #expect(error.code == .incomplete && error.message.contains("4 bytes instead of 9"))
    #expect(error.message.contains(key.replacing("backup/bk/", with: "")))
  }

  @Test func aBackupWithObjectsThatDoNotBelongToIt() async throws {
    let bed = try await bedWithBackup()
    let key = try #require(try await bed.backupKeys("backup/bk/binlogs/insert_log/").first)
    try await bed.bucket.put(ObjectKey(key + "0"), Array("rows 1".utf8), condition: .none)
    let error = try await refusal(bed, RestoreRequest(backup: "bk", newName: "x"))
    #expect(error.code == .corrupted && error.message.contains(key.replacing("backup/bk/", with: "") + "0"))
  }

  @Test func objectsOfCollectionsThatAreNotRestoredDoNotMatter() async throws {
    let bed = try await bedWithBackup(["coll", "second"])
    let second = try #require(bed.milvus[CollectionName(collection: "second")]?.id)
    for key in try await bed.backupKeys("backup/bk/binlogs/insert_log/\(second)/") {
      try await bed.bucket.delete(ObjectKey(key))
    }
    let filter = try CollectionFilter(parsing: "coll")
    let plan = try await RestoreJob.prepare(bed.context, RestoreRequest(backup: "bk", filter: filter, newName: "x"))
    #expect(plan.targets.map(\.description) == ["default.x"])
    let error = try await refusal(bed, RestoreRequest(backup: "bk", renames: try RenameRules(suffix: "_x")))
    #expect(error.code == .incomplete)
  }

  @Test func aTargetThatExists() async throws {
    let bed = try await bedWithBackup(["coll", "second"])
    let error = try await refusal(bed, RestoreRequest(backup: "bk"))
    #expect(error.code == .alreadyExists && error.message.contains("default.coll, default.second already"))
  }

  @Test func aTargetThatDoesNotExistWhenItShouldBeUsed() async throws {
    let bed = try await bedWithBackup()
    let error = try await refusal(
      bed, RestoreRequest(backup: "bk", newName: "x", skipCreateCollection: true))
    #expect(error.code == .notFound && error.message.contains("default.x"))
  }

  @Test func aTargetWithOtherFields() async throws {
    let bed = try await bedWithBackup()
    var spec = CollectionSpec.coll(named: "x")
    spec.schema.fields[2].typeParams = [MilvusKeyValue(key: "dim", value: "16")]
    try await bed.milvus.createCollection(spec, in: "default")
    let error = try await refusal(
      bed, RestoreRequest(backup: "bk", newName: "x", skipCreateCollection: true))
    #expect(error.code == .invalidRequest && error.message.contains("dimension 16 instead of 8"))
  }

  @Test func optionsThatExcludeEachOther() async throws {
    let bed = try await bedWithBackup()
    let both = RestoreRequest(backup: "bk", dropExistingCollection: true, skipCreateCollection: true)
    #expect(try await refusal(bed, both).code == .invalidRequest)
    let names = RestoreRequest(backup: "bk", newName: "x", renames: try RenameRules(suffix: "_x"))
    #expect(try await refusal(bed, names).code == .invalidRequest)
  }

  @Test func oneNewNameForSeveralCollections() async throws {
    let bed = try await bedWithBackup(["coll", "second"])
    let error = try await refusal(bed, RestoreRequest(backup: "bk", newName: "x"))
    #expect(error.code == .invalidRequest && error.message.contains("default.coll, default.second"))
  }

  @Test func twoCollectionsWithOneTarget() async throws {
    let bed = try await bedWithBackup(["coll", "second"])
    let renames = try RenameRules(parsing: "coll:x,second:x")
    let error = try await refusal(bed, RestoreRequest(backup: "bk", renames: renames))
    #expect(error.code == .invalidRequest && error.message.contains("default.x"))
  }

  @Test(arguments: ["1st", "a-b", "", "db.", ".x", "a.b.c"])
  func namesThatMilvusDoesNotAllow(name: String) async throws {
    let bed = try await bedWithBackup()
    #expect(try await refusal(bed, RestoreRequest(backup: "bk", newName: name)).code == .invalidRequest)
  }

  @Test func aFilterForWhatTheBackupDoesNotHold() async throws {
    let bed = try await bedWithBackup()
    let error = try await refusal(
      bed, RestoreRequest(backup: "bk", filter: try CollectionFilter(parsing: "other")))
    #expect(
      error.code == .notFound && error.message.contains("default.other") && error.message.contains("default.coll"))
  }

  @Test func fieldsWithGapsInTheirIDs() async throws {
    let bed = try await bedWithBackup()
    var info = try await bed.info("bk")
    info.collectionBackups[0].schema?.fields[2].fieldID = 104
    try await bed.bucket.put("backup/bk/meta/full_meta.json", MetaFiles.encode(.full, of: info), condition: .none)
    let error = try await refusal(bed, RestoreRequest(backup: "bk", newName: "x"))
    #expect(error.code == .unsupported && error.message.contains("100, 101, 104"))
  }

  @Test func segmentsWithoutLogsOfAField() async throws {
    let bed = try await bedWithBackup()
    var info = try await bed.info("bk")
    info.collectionBackups[0].schema?.enableDynamicField = false
    try await bed.bucket.put("backup/bk/meta/full_meta.json", MetaFiles.encode(.full, of: info), condition: .none)
    let error = try await refusal(bed, RestoreRequest(backup: "bk", newName: "x"))
    #expect(error.code == .unsupported && error.message.contains("logs of field 103"))
  }

  @Test func segmentsWhoseRowsAreNotInTheBackup() async throws {
    let bed = try await bedWithBackup()
    var info = try await bed.info("bk")
    info.collectionBackups[0].partitionBackups[0].segmentBackups[0].binlogs = []
    try await bed.bucket.put("backup/bk/meta/full_meta.json", MetaFiles.encode(.full, of: info), condition: .none)
    let error = try await refusal(bed, RestoreRequest(backup: "bk", newName: "x"))
    #expect(error.code == .incomplete && error.message.contains("not in the backup"))
  }

  @Test func aStorageFormatThatTheServerCannotRead() async throws {
    let bed = try await bedWithBackup()
    var info = try await bed.info("bk")
    info.collectionBackups[0].partitionBackups[0].segmentBackups[0].storageVersion = 2
    try await bed.bucket.put("backup/bk/meta/full_meta.json", MetaFiles.encode(.full, of: info), condition: .none)
    let error = try await refusal(bed, RestoreRequest(backup: "bk", newName: "x"))
    #expect(error.code == .unsupported && error.message.contains("storage format"))
  }

  @Test func aStoreThatRefusesAccess() async throws {
    let bed = try await bedWithBackup()
    let backups = bed.backups
    backups.add { operation, key in
      if operation == .get { throw backups.error(.accessDenied, "GetObject", key) }
    }
    let error = try await refusal(bed, RestoreRequest(backup: "bk", newName: "x"))
    #expect(error.code == .accessDenied && error.message.contains("bucket milvus-a at mem"))
    #expect(error.cause is StoreError)
  }

  @Test func aMilvusThatCannotBeReached() async throws {
    let bed = try await bedWithBackup()
    bed.milvus.faults.withLock {
      $0.before = { call throws(MilvusError) in
        throw MilvusError(code: .unreachable, call: call, server: "milvus:19530", reason: "connection refused")
      }
    }
    let error = try await refusal(bed, RestoreRequest(backup: "bk", newName: "x"))
    #expect(error.code == .unreachable && error.message.contains("milvus:19530"))
  }
}
