import BackupFormat
import ObjectStore
import Synchronization
import Testing

@testable import BackupEngine
@testable import MilvusClient

@Suite struct RestoreJobTests {
  @discardableResult
  private func restore(
    _ bed: Bed, _ request: RestoreRequest, _ progress: JobProgress = JobProgress()
  ) async throws(EngineError) -> RestoreReport {
    try await RestoreJob.run(try await RestoreJob.prepare(bed.context, request), progress)
  }

  /// A bed with the backup `bk` of `coll`, copied from another bed, and an empty Milvus.
  private func bedWithBackup(
    shared: Bool, version: String = "v2.3.5", limits: EngineLimits? = nil, dynamic: Bool = true
  ) async throws -> Bed {
    let source = Bed(name: "source")
    try await source.fill(dynamic: dynamic)
    _ = try await CreateJob.run(
      try await CreateJob.prepare(source.context, CreateRequest(name: "bk")), JobProgress())
    let target =
      limits.map { Bed(shared: shared, version: version, name: "target", limits: $0) }
      ?? Bed(shared: shared, version: version, name: "target")
    try await source.transfer("bk", to: target)
    return target
  }

  private func rows(_ bed: Bed, _ name: CollectionName = .restored) -> Int64? {
    bed.milvus[name]?.segments.reduce(0) { $0 + $1.numOfRows }
  }

  private func imports(_ bed: Bed) -> [FakeMilvus.Import] {
    bed.milvus.state.withLock { state in state.imports.sorted { $0.key < $1.key }.map(\.value) }
  }

  // MARK: Success

  @Test func importsEachPartitionInOneTaskWhereItLies() async throws {
    let bed = try await bedWithBackup(shared: true)
    let progress = JobProgress()
    let report = try await restore(bed, RestoreRequest(backup: "bk", newName: "coll_bak"), progress)
    #expect(rows(bed) == 297)
    let restored = try #require(report.collections.first)
    #expect(restored.source == .coll && restored.target == .restored && restored.hasDeletes)
    #expect(restored.rowsRestored == 297 && restored.rowsInBackup == 300)
    #expect(
      report.summary
        == "default.coll was restored as default.coll_bak: 297 rows, the backup holds 300 rows, of which 3 are deleted."
    )
    let imports = imports(bed)
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
    let bed = try await bedWithBackup(shared: true)
    try await restore(bed, RestoreRequest(backup: "bk", newName: "coll_bak"))
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
    let bed = try await bedWithBackup(shared: false)
    let report = try await restore(bed, RestoreRequest(backup: "bk", newName: "coll_bak"))
    #expect(report.collections.map(\.rowsRestored) == [297] && rows(bed) == 297)
    let imports = imports(bed)
    #expect(imports.count == 2)
    for task in imports { #expect(task.files[0].hasPrefix("files/restore-temp-")) }
    #expect(Set(imports.map { $0.files[0].split(separator: "/")[2] }).count == 2)
    #expect(try await bed.milvusKeys("files/restore-temp-").isEmpty)
    #expect(report.warnings.isEmpty)
  }

  @Test(arguments: [true, false])
  func keepsUnitsWithinTheBoundOfBytes(shared: Bool) async throws {
    // Each segment is about 60 bytes, so that no two of a partition fit.
    let bed = try await bedWithBackup(
      shared: shared, limits: EngineLimits(importUnitBytes: 64))
    try await restore(bed, RestoreRequest(backup: "bk", newName: "coll_bak"))
    let imports = imports(bed)
    #expect(imports.count == 3 && rows(bed) == 297)
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
    _ = try await CreateJob.run(
      try await CreateJob.prepare(source.context, CreateRequest(name: "bk")), JobProgress())
    let bed = Bed(shared: true, version: "v2.4.5", name: "target")
    try await source.transfer("bk", to: bed)
    try await restore(bed, RestoreRequest(backup: "bk", newName: "coll_bak"))
    let imports = imports(bed)
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
    let bed = try await bedWithBackup(shared: true)
    try await restore(bed, RestoreRequest(backup: "bk", newName: "one", rebuildIndex: true))
    let one = try #require(bed.milvus[CollectionName(collection: "one")]?.indexes)
    #expect(one.map(\.fieldName) == ["v"] && one[0].params.value(forKey: "index_type") == "IVF_FLAT")
    try await restore(bed, RestoreRequest(backup: "bk", newName: "two", rebuildIndex: true, useAutoIndex: true))
    let two = try #require(bed.milvus[CollectionName(collection: "two")]?.indexes)
    #expect(
      two[0].params.value(forKey: "index_type") == "AUTOINDEX" && two[0].params.value(forKey: "metric_type") == "L2")
  }

  @Test func createsDatabasesThatAreMissing() async throws {
    let bed = try await bedWithBackup(shared: true)
    let report = try await restore(bed, RestoreRequest(backup: "bk", newName: "db9.coll"))
    #expect(report.collections.map(\.target.description) == ["db9.coll"])
    #expect(bed.milvus[CollectionName(database: "db9", collection: "coll")] != nil)
    #expect(rows(bed, CollectionName(database: "db9", collection: "coll")) == 297)
  }

  @Test func restoresPartitionsOfAPartitionKey() async throws {
    let source = Bed(name: "source")
    try await source.milvus.createCollection(.coll(named: "coll", partitionKey: true), in: "default")
    for number in 0..<3 { try await source.milvus.addSegment(to: .coll, partition: "_default_\(number)", rows: 10) }
    _ = try await CreateJob.run(
      try await CreateJob.prepare(source.context, CreateRequest(name: "bk")), JobProgress())
    let bed = Bed(name: "target")
    try await source.transfer("bk", to: bed)
    try await restore(bed, RestoreRequest(backup: "bk", newName: "coll_bak"))
    #expect(rows(bed) == 30 && bed.milvus[.restored]?.spec.numPartitions == 3)
    #expect(bed.milvus.count("CreatePartition") == 0)
  }

  @Test func restoresOnlyTheStructureWhenAskedTo() async throws {
    let bed = try await bedWithBackup(shared: true)
    // Not even looked at.
    for key in try await bed.backupKeys("backup/bk/binlogs/") { try await bed.bucket.delete(ObjectKey(key)) }
    let report = try await restore(bed, RestoreRequest(backup: "bk", newName: "coll_bak", metaOnly: true))
    #expect(bed.milvus[.restored]?.partitions.count == 2 && rows(bed) == 0)
    #expect(report.summary.contains("without rows"))
  }

  @Test func dropsAnExistingCollectionOnlyWhenAskedTo() async throws {
    let bed = try await bedWithBackup(shared: true)
    try await bed.milvus.createCollection(.coll(named: "coll"), in: "default")
    let old = try #require(bed.milvus[.coll]?.id)
    try await restore(bed, RestoreRequest(backup: "bk", dropExistingCollection: true))
    #expect(bed.milvus[.coll]?.id != old && rows(bed, .coll) == 297)
  }

  @Test func addsToAnExistingCollectionWhenAskedTo() async throws {
    let bed = try await bedWithBackup(shared: true)
    try await bed.milvus.createCollection(.coll(named: "coll"), in: "default")
    try await bed.milvus.addSegment(to: .coll, rows: 1000)
    let old = try #require(bed.milvus[.coll]?.id)
    let report = try await restore(bed, RestoreRequest(backup: "bk", skipCreateCollection: true))
    #expect(bed.milvus[.coll]?.id == old && rows(bed, .coll) == 1297)
    #expect(report.collections.map(\.rowsRestored) == [297])
    #expect(bed.milvus[.coll]?.partitions.map(\.partitionName) == ["_default", "p1"])
  }

  @Test func waitsForAMilvusThatComesBack() async throws {
    let bed = try await bedWithBackup(
      shared: true, limits: EngineLimits(flushPatience: 1, milvusPatience: 3600))
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
    let report = try await restore(bed, RestoreRequest(backup: "bk", newName: "coll_bak"))
    #expect(report.collections.map(\.rowsRestored) == [297])
  }

  // MARK: Failures while it runs

  @Test(arguments: [ImportState.failed, .failedAndCleaned])
  func dropsWhatItCreatedWhenAnImportFails(state: ImportState) async throws {
    let bed = try await bedWithBackup(shared: false)
    bed.milvus.faults.withLock { $0.finalState = state }
    let error = try await #require(throws: EngineError.self) {
      try await restore(bed, RestoreRequest(backup: "bk", newName: "coll_bak"))
    }
    #expect(error.code == .milvus && error.message.contains("disk is on fire"))
    #expect(error.message.contains("milvus:19530") && error.message.contains("default.coll_bak"))
    #expect(error.aftermath.contains("default.coll_bak, which this restore had created, was dropped again"))
    #expect(bed.milvus[.restored] == nil)
    #expect(try await bed.milvusKeys("files/restore-temp-").isEmpty)
  }

  @Test func keepsAnExistingCollectionWhenAnImportIntoItFails() async throws {
    let bed = try await bedWithBackup(shared: true)
    try await bed.milvus.createCollection(.coll(named: "coll"), in: "default")
    bed.milvus.faults.withLock { $0.finalState = .failed }
    let error = try await #require(throws: EngineError.self) {
      try await restore(bed, RestoreRequest(backup: "bk", skipCreateCollection: true))
    }
    #expect(bed.milvus[.coll] != nil && bed.milvus.count("DropCollection") == 0)
    #expect(error.aftermath.contains("default.coll existed before and stays"))
  }

  @Test func failsWhenMilvusForgetsATask() async throws {
    let bed = try await bedWithBackup(shared: true)
    let milvus = bed.milvus
    milvus.faults.withLock {
      $0.before = { call throws(MilvusError) in
        if call == "GetImportState" { milvus.state.withLock { $0.imports = [:] } }
      }
    }
    let error = try await #require(throws: EngineError.self) {
      try await restore(bed, RestoreRequest(backup: "bk", newName: "coll_bak"))
    }
    #expect(error.code == .milvus && error.message.contains("doesn't exist"))
    #expect(bed.milvus[.restored] == nil)
  }

  @Test func tellsWhatIsLeftWhenMilvusStaysAway() async throws {
    let bed = try await bedWithBackup(shared: false)
    let isAway = Mutex(false)
    bed.milvus.faults.withLock {
      $0.before = { call throws(MilvusError) in
        if call == "GetImportState" { isAway.withLock { $0 = true } }
        guard isAway.withLock({ $0 }) else { return }
        throw MilvusError(code: .unreachable, call: call, server: "milvus:19530", reason: "connection refused")
      }
    }
    let error = try await #require(throws: EngineError.self) {
      try await restore(bed, RestoreRequest(backup: "bk", newName: "coll_bak"))
    }
    #expect(error.code == .unreachable && error.message.contains("milvus:19530"))
    #expect(error.aftermath.contains("default.coll_bak, which this restore had created, could not be dropped"))
    #expect(error.aftermath.contains("import tasks"))
    #expect(bed.milvus[.restored] != nil)
    #expect(try await bed.milvusKeys("files/restore-temp-").isEmpty)
  }

  @Test(arguments: [Int64(-1), 1])
  func failsWhenATaskBringsOtherRowsThanTheBackupHolds(difference: Int64) async throws {
    let bed = try await bedWithBackup(shared: true)
    // The partition without deletes must come back to the row, the other with at most its rows.
    bed.milvus.faults.withLock { $0.claimedRows = { $0 == 150 ? $0 + difference : $0 } }
    let error = try await #require(throws: EngineError.self) {
      try await restore(bed, RestoreRequest(backup: "bk", newName: "coll_bak"))
    }
    #expect(error.code == .rowsMissing && error.message.contains("partition p1"))
    #expect(error.message.contains("150") && error.message.contains("\(150 + difference)"))
    #expect(bed.milvus[.restored] == nil)
  }

  @Test func failsWhenRowsAreMissingThatNoDeleteCanExplain() async throws {
    let bed = try await bedWithBackup(shared: true)
    // _default: 100 rows without deletes, 50 with.
    bed.milvus.faults.withLock { $0.claimedRows = { $0 == 147 ? 99 : $0 } }
    let error = try await #require(throws: EngineError.self) {
      try await restore(bed, RestoreRequest(backup: "bk", newName: "coll_bak"))
    }
    #expect(error.code == .rowsMissing && error.message.contains("partition _default"))
    bed.milvus.faults.withLock {
      $0.claimedRows = { $0 == 147 ? 100 : $0 }
      $0.importedRows = { $0 == 147 ? 100 : $0 }
    }
    let report = try await restore(bed, RestoreRequest(backup: "bk", newName: "coll_bak"))
    #expect(report.collections.map(\.rowsRestored) == [250])
  }

  @Test func failsWhenMilvusCountsFewerRowsThanItsTasksSaid() async throws {
    let bed = try await bedWithBackup(shared: true)
    bed.milvus.faults.withLock { $0.importedRows = { $0 - 1 } }
    let error = try await #require(throws: EngineError.self) {
      try await restore(bed, RestoreRequest(backup: "bk", newName: "coll_bak"))
    }
    #expect(error.code == .rowsMissing && error.message.contains("297") && error.message.contains("295"))
    #expect(bed.milvus[.restored] == nil)
  }

  @Test func failsWhenMilvusGivesTheFieldsOtherIDs() async throws {
    let bed = try await bedWithBackup(shared: true)
    bed.milvus.faults.withLock { $0.firstFieldID = 101 }
    let error = try await #require(throws: EngineError.self) {
      try await restore(bed, RestoreRequest(backup: "bk", newName: "coll_bak"))
    }
    #expect(error.code == .unsupported && error.message.contains("id 101 instead of 100"))
    #expect(bed.milvus[.restored] == nil && imports(bed).isEmpty)
  }

  @Test func doesNotTakeACollectionForItsOwnThatAppearedMeanwhile() async throws {
    let bed = try await bedWithBackup(shared: true)
    let plan = try await RestoreJob.prepare(bed.context, RestoreRequest(backup: "bk", newName: "coll_bak"))
    try await bed.milvus.createCollection(.coll(named: "coll_bak"), in: "default")
    try await bed.milvus.addSegment(to: .restored, rows: 5)
    let error = try await #require(throws: EngineError.self) { try await RestoreJob.run(plan, JobProgress()) }
    #expect(error.code == .alreadyExists && rows(bed) == 5)
  }

  @Test func keepsCollectionsThatAreCompleteWhenALaterOneFails() async throws {
    let source = Bed(name: "source")
    for name in ["a", "b"] { try await source.fill(CollectionName(collection: name)) }
    _ = try await CreateJob.run(
      try await CreateJob.prepare(source.context, CreateRequest(name: "bk")), JobProgress())
    let bed = Bed(
      shared: true, name: "target", limits: EngineLimits(collectionsInFlight: 1, flushPatience: 1, milvusPatience: 1))
    try await source.transfer("bk", to: bed)
    let milvus = bed.milvus
    milvus.faults.withLock {
      $0.before = { call throws(MilvusError) in
        if call == "Import", milvus.count("CreateCollection") == 2 {
          throw MilvusError(code: .server, call: call, server: "milvus:19530", reason: "no")
        }
      }
    }
    let error = try await #require(throws: EngineError.self) {
      try await restore(bed, RestoreRequest(backup: "bk", renames: try RenameRules(suffix: "_bak")))
    }
    #expect(error.aftermath.contains("Completely restored and kept: default.a_bak"))
    #expect(error.aftermath.contains("default.b_bak, which this restore had created, was dropped again"))
    #expect(rows(bed, CollectionName(collection: "a_bak")) == 297)
    #expect(bed.milvus[CollectionName(collection: "b_bak")] == nil)
  }

  @Test func leavesNothingWhenItIsCancelledInMidImport() async throws {
    let bed = try await bedWithBackup(shared: false)
    bed.milvus.faults.withLock { $0.importsHang = true }
    let plan = try await RestoreJob.prepare(bed.context, RestoreRequest(backup: "bk", newName: "coll_bak"))
    let task = Task { () -> EngineError? in
      do throws(EngineError) {
        _ = try await RestoreJob.run(plan, JobProgress())
        return nil
      } catch {
        return error
      }
    }
    while bed.milvus.count("GetImportState") < 4 { await Task.yield() }
    task.cancel()
    let error = try #require(await task.value)
    #expect(error.code == .cancelled && error.aftermath.contains("was dropped again"))
    #expect(error.aftermath.contains("import tasks"))
    #expect(bed.milvus[.restored] == nil)
    #expect(try await bed.milvusKeys("files/restore-temp-").isEmpty)
    #expect(bed.milvus.state.withLock { $0.openConnections } == 0)
  }

  @Test func tellsOfTemporaryCopiesThatCannotBeRemoved() async throws {
    let bed = try await bedWithBackup(shared: false)
    let objects = bed.objects
    objects.add { operation, key in
      if operation == .delete { throw objects.error(.accessDenied, "DeleteObject", key) }
    }
    let report = try await restore(bed, RestoreRequest(backup: "bk", newName: "coll_bak"))
    #expect(report.collections.map(\.rowsRestored) == [297])
    #expect(report.warnings.contains { $0.contains("files/restore-temp-") && $0.contains("could not be removed") })
  }

  @Test func failsWhenItMayNotWriteToMilvusBucket() async throws {
    let bed = try await bedWithBackup(shared: false)
    let objects = bed.objects
    objects.add { operation, key in
      if operation == .put { throw objects.error(.accessDenied, "PutObject", key) }
    }
    let error = try await #require(throws: EngineError.self) {
      try await restore(bed, RestoreRequest(backup: "bk", newName: "coll_bak"))
    }
    #expect(error.code == .accessDenied && error.message.contains("milvus-target"))
    #expect(bed.milvus[.restored] == nil)
  }
}
