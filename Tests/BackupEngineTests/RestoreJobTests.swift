// Restores that succeed, and what Milvus is asked to do for them.

import BackupFormat
import ObjectStore
import Synchronization
import Testing

@testable import BackupEngine
@testable import MilvusClient

@Suite struct RestoreJobTests {
  @Test func importsEachPartitionInOneTaskWhereItLies() async throws {
    let bed = try await Bed.withBackup(shared: true)
    let progress = JobProgress()
    let report = try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"), progress)
    #expect(bed.rows() == 297)
    let restored = try #require(report.collections.first)
    #expect(restored.source == .coll && restored.target == .restored && restored.hasDeletes)
    #expect(restored.rowsRestored == 297 && restored.rowsInBackup == 300)
    #expect(
      report.summary
        == "default.coll was restored as default.coll_bak: 297 rows, the backup holds 300 rows, of which 3 are deleted."
    )
    let imports = bed.imports
    #expect(Set(imports.map(\.partition)) == ["_default", "p1"] && imports.count == 2)
    for task in imports {
      #expect(task.files.count == 2 && task.options.backup && task.options.endTimestamp == nil)
      #expect(task.files[0].hasPrefix("backup/bk/binlogs/insert_log/"))
      #expect(task.files[1].isEmpty == (task.partition == "p1"))
    }
    let snapshot = progress.snapshot
    #expect(snapshot.percent == 100 && snapshot.rowsDone == 297 && snapshot.rowsTotal == 300)
    #expect(snapshot.bytesDone == snapshot.bytesTotal && snapshot.bytesTotal > 0)
    #expect(snapshot.objectsDone == 25 && snapshot.objectsTotal == 25)
    #expect(bed.milvus.state.withLock { $0.openConnections } == 0)
  }

  @Test func createsTheCollectionAsItWas() async throws {
    let bed = try await Bed.withBackup(shared: true)
    try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    let collection = try #require(bed.milvus[.restored])
    let schema = collection.spec.schema
    #expect(schema.name == "coll_bak" && schema.description == "test" && schema.enableDynamicField)
    #expect(schema.fields.map(\.name) == ["pk", "name", "v"] && schema.fields[0].isPrimaryKey)
    #expect(schema.fields[1].defaultValue == [0x32, 0x01, 0x61])
    #expect(schema.fields[2].typeParams == [MilvusKeyValue(key: "dim", value: "8")])
    #expect(collection.spec.shardsNum == 2 && collection.spec.consistencyLevel == .eventually)
    #expect(collection.spec.properties == [MilvusKeyValue(key: "collection.ttl.seconds", value: "3600")])
    #expect(collection.partitions.map(\.partitionName) == ["_default", "p1"])
    #expect(collection.indexes.isEmpty)
  }

  @Test func importsByWayOfMilvusBucketWhenTheBackupLiesElsewhere() async throws {
    let bed = try await Bed.withBackup(shared: false)
    let report = try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    #expect(report.collections.map(\.rowsRestored) == [297] && bed.rows() == 297)
    let imports = bed.imports
    #expect(imports.count == 2)
    for task in imports { #expect(task.files[0].hasPrefix("files/restore-temp-")) }
    #expect(Set(imports.map { $0.files[0].split(separator: "/")[2] }).count == 2)
    #expect(try await bed.milvusKeys("files/restore-temp-").isEmpty)
    #expect(report.warnings.isEmpty)
  }

  @Test(arguments: [true, false])
  func namesFilesToAMilvusThatWorksInADirectory(shared: Bool) async throws {
    var bed = try await Bed.withBackup(shared: shared)
    bed.context.milvusImportPrefix = "/var/lib/milvus/"
    bed.milvus.state.withLock { $0.importPrefix = "/var/lib/milvus/" }
    try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    #expect(bed.rows() == 297)
    let inserts = bed.imports.map { $0.files[0] }
    let base = shared ? "/var/lib/milvus/backup/bk/" : "/var/lib/milvus/files/restore-temp-"
    #expect(inserts.count == 2 && inserts.allSatisfy { $0.hasPrefix(base) })
    #expect(bed.imports.contains { $0.files[1].isEmpty }, "a partition without deletes has no second path")
  }

  @Test(arguments: [true, false])
  func keepsUnitsWithinTheBoundOfBytes(shared: Bool) async throws {
    // Each segment is about 60 bytes, so that no two of a partition fit.
    let bed = try await Bed.withBackup(
      shared: shared, limits: EngineLimits(importUnitBytes: 64))
    try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    let imports = bed.imports
    #expect(imports.count == 3 && bed.rows() == 297)
    // The group directory, with the segment's own id.
    #expect(imports.allSatisfy { $0.files[0].split(separator: "/").suffix(1) != ["_default"] })
    #expect(imports.filter { !$0.files[1].isEmpty }.count == 1)
  }

  @Test func givesNewerServersOneSegmentPerTaskAndDeletesLast() async throws {
    let source = Bed(version: "v2.4.5", name: "source")
    try await source.fill()
    let id = try #require(source.milvus[.coll]?.id)
    try await source.milvus.store.put(
      ObjectKey("files/delta_log/\(id)/-1/77/1"), Array("deletes 4".utf8), condition: .none)
    source.milvus.state.withLock {
      $0.collections["default"]?["coll"]?.segments.append(
        SegmentInfo(
          segmentID: 77, collectionID: id, partitionID: -1, numOfRows: 4, state: .flushed, level: .l0, isSorted: false,
          storageVersion: 0))
    }
    try await source.create()
    let bed = Bed(shared: true, version: "v2.4.5", name: "target")
    try await source.transfer("bk", to: bed)
    try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    let imports = bed.imports
    #expect(imports.count == 4 && imports.dropLast().allSatisfy { $0.options.backup && !$0.options.l0Import })
    let last = try #require(imports.last)
    #expect(last.options.l0Import && !last.options.backup && last.partition.isEmpty)
    #expect(last.files == ["backup/bk/binlogs/delta_log/\(id)/-1/77/"])

    let old = Bed(shared: true, name: "old")
    try await source.transfer("bk", to: old)
    let error = try await #require(throws: EngineError.self) {
      try await RestoreJob.prepare(old.context, RestoreRequest(backup: "bk"))
    }
    #expect(error.code == .unsupported && error.message.contains("delete-only segments"))
  }

  @Test func buildsIndexesOnlyWhenAskedTo() async throws {
    let bed = try await Bed.withBackup(shared: true)
    try await bed.restore(RestoreRequest(backup: "bk", newName: "one", rebuildIndex: true))
    let one = try #require(bed.milvus[CollectionName(collection: "one")]?.indexes)
    #expect(one.map(\.fieldName) == ["v"] && one[0].params.value(forKey: "index_type") == "IVF_FLAT")
    try await bed.restore(RestoreRequest(backup: "bk", newName: "two", rebuildIndex: true, useAutoIndex: true))
    let two = try #require(bed.milvus[CollectionName(collection: "two")]?.indexes)
    #expect(
      two[0].params.value(forKey: "index_type") == "AUTOINDEX" && two[0].params.value(forKey: "metric_type") == "L2")
  }

  @Test func createsDatabasesThatAreMissing() async throws {
    let bed = try await Bed.withBackup(shared: true)
    let report = try await bed.restore(RestoreRequest(backup: "bk", newName: "db9.coll"))
    #expect(report.collections.map(\.target.description) == ["db9.coll"])
    #expect(bed.milvus[CollectionName(database: "db9", collection: "coll")] != nil)
    #expect(bed.rows(CollectionName(database: "db9", collection: "coll")) == 297)
  }

  @Test func restoresPartitionsOfAPartitionKey() async throws {
    let source = Bed(name: "source")
    try await source.milvus.createCollection(.coll(named: "coll", partitionKey: true), in: "default")
    for number in 0..<3 { try await source.milvus.addSegment(to: .coll, partition: "_default_\(number)", rows: 10) }
    try await source.create()
    let bed = Bed(name: "target")
    try await source.transfer("bk", to: bed)
    try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    #expect(bed.rows() == 30 && bed.milvus[.restored]?.spec.numPartitions == 3)
    #expect(bed.milvus.count("CreatePartition") == 0)
  }

  @Test func restoresOnlyTheStructureWhenAskedTo() async throws {
    let bed = try await Bed.withBackup(shared: true)
    // Not even looked at.
    for key in try await bed.backupKeys("backup/bk/binlogs/") { try await bed.bucket.delete(ObjectKey(key)) }
    let report = try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak", metaOnly: true))
    #expect(bed.milvus[.restored]?.partitions.count == 2 && bed.rows() == 0)
    #expect(report.summary.contains("without rows"))
  }

  @Test func dropsAnExistingCollectionOnlyWhenAskedTo() async throws {
    let bed = try await Bed.withBackup(shared: true)
    try await bed.milvus.createCollection(.coll(named: "coll"), in: "default")
    let old = try #require(bed.milvus[.coll]?.id)
    try await bed.restore(RestoreRequest(backup: "bk", dropExistingCollection: true))
    #expect(bed.milvus[.coll]?.id != old && bed.rows(.coll) == 297)
  }

  @Test func addsToAnExistingCollectionWhenAskedTo() async throws {
    let bed = try await Bed.withBackup(shared: true)
    try await bed.milvus.createCollection(.coll(named: "coll"), in: "default")
    try await bed.milvus.addSegment(to: .coll, rows: 1000)
    let old = try #require(bed.milvus[.coll]?.id)
    let report = try await bed.restore(RestoreRequest(backup: "bk", skipCreateCollection: true))
    #expect(bed.milvus[.coll]?.id == old && bed.rows(.coll) == 1297)
    #expect(report.collections.map(\.rowsRestored) == [297])
    #expect(bed.milvus[.coll]?.partitions.map(\.partitionName) == ["_default", "p1"])
  }

  @Test func waitsForAMilvusThatComesBack() async throws {
    let bed = try await Bed.withBackup(
      shared: true, limits: EngineLimits(milvusPatience: 3600))
    let left = Mutex(5)
    bed.milvus.faults.withLock {
      $0.before = { call throws(MilvusError) in
        guard call == "GetImportState" else { return }
        let isAway = left.withLock { left in
          left -= 1
          return left > 0
        }
        if isAway { throw MilvusError(code: .unreachable, call: call, server: "milvus:19530", reason: "refused") }
      }
    }
    let report = try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    #expect(report.collections.map(\.rowsRestored) == [297])
  }
}
