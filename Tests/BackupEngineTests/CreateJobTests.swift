// Backups that succeed, and what they consist of; requests that are refused before anything is written.

import BackupFormat
import ObjectStore
import Synchronization
import Testing

@testable import BackupEngine
@testable import MilvusClient

@Suite struct CreateJobTests {
  @Test(arguments: [false, true])
  func savesEveryLogObjectUnderItsGroup(shared: Bool) async throws {
    let bed = Bed(shared: shared)
    try await bed.fill()
    let progress = JobProgress()
    let report = try await bed.create(CreateRequest(name: "bk"), progress)

    let source = try await bed.milvusKeys("files/")
    let data = try await bed.backupKeys("backup/bk/binlogs/")
    // Six fields (with row id, timestamp, dynamic field) of one, one and two files each; one delta log.
    #expect(source.count == 25)
    let expected = source.map { key -> String in
      var parts = key.split(separator: "/").dropFirst().map(String.init)
      parts.insert(parts[3], at: 3)
      return "backup/bk/binlogs/" + parts.joined(separator: "/")
    }
    #expect(data.sorted() == expected.sorted())
    #expect(report.segments == 3 && report.objects == 25 && report.rows == 300 && report.warnings.isEmpty)
    #expect(bed.milvus.state.withLock { $0.flushes } == [.coll])
    #expect(bed.milvus.state.withLock { $0.openConnections } == 0)
    let snapshot = progress.snapshot
    #expect(snapshot.percent == 100 && snapshot.phase == "done")
    #expect(snapshot.bytesDone == report.bytes && snapshot.bytesTotal == report.bytes)
    #expect(snapshot.objectsDone == 25 && snapshot.rowsDone == 300 && snapshot.rowsTotal == 300)
  }

  @Test func writesTheMetadataLastAndFullMetadataVeryLast() async throws {
    let bed = Bed()
    try await bed.fill()
    try await bed.create()
    let written = bed.backups.written
    let names = ["backup_meta", "collection_meta", "partition_meta", "segment_meta", "full_meta"]
    #expect(Array(written.suffix(5)) == names.map { "backup/bk/meta/\($0).json" })
    #expect(written.dropLast(5).allSatisfy { $0.hasPrefix("backup/bk/binlogs/") })
  }

  @Test func describesTheCollectionAsTheOfficialToolDoes() async throws {
    let bed = Bed()
    try await bed.fill()
    let report = try await bed.create()
    let info = try await bed.info("bk")
    let source = try #require(bed.milvus[.coll])

    #expect(info.name == "bk" && info.milvusVersion == "v2.3.5" && !info.id.isEmpty && info.stateCode == .initial)
    #expect(info.databaseBackups == [.with { $0.dbName = "default" }])
    #expect(info.size == report.bytes && info.backupTimestamp == 0)
    let collection = try #require(info.collectionBackups.first)
    #expect(info.collectionBackups.count == 1 && collection.id == info.id)
    #expect(collection.collectionID == source.id && collection.dbName == "default")
    #expect(collection.collectionName == "coll" && collection.shardsNum == 2)
    #expect(collection.consistencyLevel == .eventually && collection.size == report.bytes)
    #expect(collection.hasIndex && collection.loadState == "Loaded" && collection.aliases == ["other"])
    #expect(collection.indexInfos.map(\.indexType) == ["IVF_FLAT"])
    #expect(collection.indexInfos.first?.params["metric_type"] == "L2")
    #expect(collection.createdTimestamp == 449 && collection.backupPhysicalTimestamp == 1_700_000_000)
    // Old readers take a time here for a limit.
    #expect(collection.backupTimestamp == 0 && collection.channelCheckpoints.isEmpty)
    #expect(collection.virtualChannelNames == ["dml_0_\(source.id)v0"] && collection.physicalChannelNames == ["dml_0"])
    let properties = [KeyValuePair(key: "collection.ttl.seconds", value: "3600")]
    let schema = try #require(collection.schema)
    #expect(collection.properties == properties && schema.properties == properties)
    #expect(schema.enableDynamicField && schema.fields.map(\.fieldID) == [100, 101, 102])
    #expect(schema.fields[1].defaultValueBase64 == "MgFh" && schema.fields[1].defaultValueProto == "2\u{1}a")
    #expect(schema.fields[2].typeParams == [KeyValuePair(key: "dim", value: "8")])

    #expect(collection.partitionBackups.map(\.partitionName) == ["_default", "p1"])
    let segments = collection.partitionBackups.flatMap(\.segmentBackups)
    #expect(segments.map(\.numOfRows) == [100, 50, 150])
    #expect(segments.allSatisfy { $0.groupID == $0.segmentID && !$0.isL0 && $0.storageVersion == 0 })
    #expect(segments.allSatisfy { $0.binlogs.map(\.fieldID) == [0, 1, 100, 101, 102, 103] })
    #expect(segments.map { $0.deltalogs.map(\.binlogs.count) } == [[0], [1], [0]])
    #expect(segments[2].binlogs.allSatisfy { $0.binlogs.count == 2 })
    let log = try #require(segments[0].binlogs.first?.binlogs.first)
    #expect(log.logPath.hasPrefix("files/insert_log/\(source.id)/") && log.logSize == 9)
    #expect(log.logPath.hasSuffix("/\(log.logID)"))
    #expect(collection.partitionBackups.reduce(0) { $0 + $1.size } == report.bytes)
  }

  @Test func choosesWhatTheFilterNames() async throws {
    let bed = Bed()
    try await bed.fill()
    try await bed.fill(CollectionName(collection: "second"))
    try await bed.milvus.createDatabase("db1", properties: [])
    try await bed.fill(CollectionName(database: "db1", collection: "third"))
    let all = try await CreateJob.prepare(bed.context, CreateRequest(name: "bk"))
    #expect(all.collections.map(\.description) == ["db1.third", "default.coll", "default.second"])
    #expect(all.databases == ["db1", "default"])
    let one = try await CreateJob.prepare(
      bed.context, CreateRequest(name: "bk", filter: try CollectionFilter(parsing: "second,db1.*")))
    #expect(one.collections.map(\.description) == ["db1.third", "default.second"])
    let missing = try await #require(throws: EngineError.self) {
      try await CreateJob.prepare(
        bed.context, CreateRequest(name: "bk", filter: try CollectionFilter(parsing: "coll,nope,db2.*")))
    }
    #expect(missing.code == .notFound)
    #expect(missing.message.contains("default.nope") && missing.message.contains("db2.*"))
    #expect(missing.message.contains("milvus:19530") && !missing.message.contains("no default.coll"))
  }

  @Test func namesABackupByItsTimeWhenNoNameIsGiven() async throws {
    let bed = Bed()
    let plan = try await CreateJob.prepare(bed.context, CreateRequest())
    #expect(plan.name.wholeMatch(of: /backup_\d{4}(_\d\d){5}_\d{1,9}/) != nil)
  }

  @Test(arguments: ["", "1st", "my-backup", "a b", "a/b"])
  func refusesNamesThatTheFormatDoesNotAllow(name: String) async throws {
    let error = try await #require(throws: EngineError.self) {
      try await CreateJob.prepare(Bed().context, CreateRequest(name: name))
    }
    #expect(error.code == .invalidRequest)
  }

  @Test func refusesANameThatIsTakenAndTellsByWhat() async throws {
    let bed = Bed()
    try await bed.fill()
    try await bed.create()
    let complete = try await #require(throws: EngineError.self) {
      try await CreateJob.prepare(bed.context, CreateRequest(name: "bk"))
    }
    #expect(complete.code == .alreadyExists && complete.message.contains("A backup of the name bk exists"))
    try await bed.bucket.delete("backup/bk/meta/full_meta.json")
    let leftovers = try await #require(throws: EngineError.self) {
      try await CreateJob.prepare(bed.context, CreateRequest(name: "bk"))
    }
    #expect(leftovers.code == .alreadyExists && leftovers.message.contains("no complete metadata"))
    // A name that only begins alike is free.
    _ = try await CreateJob.prepare(bed.context, CreateRequest(name: "b"))
  }

  @Test func savesOnlyTheStructureWhenAskedTo() async throws {
    let bed = Bed()
    try await bed.fill()
    let report = try await bed.create(CreateRequest(name: "bk", strategy: .metaOnly))
    #expect(report.objects == 0 && report.rows == 0)
    #expect(bed.milvus.count("Flush") == 0)
    let info = try await bed.info("bk")
    #expect(info.collectionBackups.first?.partitionBackups.map(\.partitionName) == ["_default", "p1"])
    #expect(try await bed.backupKeys("backup/bk/binlogs/").isEmpty)
  }

  @Test func leavesOutWhatIsNotFlushedOnlyWhenToldNotToFlush() async throws {
    let bed = Bed()
    try await bed.fill()
    try await bed.milvus.addSegment(to: .coll, rows: 7, state: .growing)
    let skipping = try await bed.create(CreateRequest(name: "skipping", strategy: .skipFlush))
    #expect(skipping.rows == 300 && skipping.warnings.count == 1)
    #expect(skipping.warnings.first?.contains("7 rows not yet flushed") == true)
    let flushing = try await bed.create(CreateRequest(name: "flushing"))
    #expect(flushing.rows == 307 && flushing.warnings.isEmpty)
  }

  @Test func waitsForSegmentsThatTheFlushIsStillWriting() async throws {
    let bed = Bed()
    try await bed.fill()
    try await bed.milvus.addSegment(to: .coll, rows: 9, state: .flushing)
    let milvus = bed.milvus
    milvus.faults.withLock {
      $0.before = { call throws(MilvusError) in
        guard call == "GetPersistentSegmentInfo", milvus.count(call) == 3 else { return }
        milvus.state.withLock { $0.collections["default"]?["coll"]?.segments[3].state = .flushed }
      }
    }
    #expect(try await bed.create().rows == 309)
  }

  @Test func leavesOutSegmentsThatOnlyHoldLaterRows() async throws {
    let bed = Bed()
    try await bed.fill()
    let milvus = bed.milvus
    let late = try await milvus.addSegment(to: .coll, rows: 9, state: .flushing)
    // The flush does not know it: its rows were written afterwards.
    milvus.faults.withLock { $0.unknownToFlush = [late] }
    let report = try await bed.create()
    #expect(report.rows == 300 && milvus.count("GetPersistentSegmentInfo") == 1)
  }

  @Test func skipsDroppedAndOrphanedSegments() async throws {
    let bed = Bed()
    try await bed.fill()
    try await bed.milvus.addSegment(to: .coll, rows: 5, state: .dropped)
    let orphan = try await bed.milvus.addSegment(to: .coll, partition: "dropped", rows: 6)
    let report = try await bed.create()
    #expect(report.rows == 300)
    #expect(report.warnings.count == 1 && report.warnings[0].contains("\(orphan)"))
    #expect(try await bed.backupKeys().allSatisfy { !$0.contains("/\(orphan)/") })
  }

  @Test func savesDeletesOfAllPartitionsApart() async throws {
    let bed = Bed(version: "v2.4.5")
    try await bed.fill()
    let id = try #require(bed.milvus[.coll]?.id)
    try await bed.milvus.store.put(
      ObjectKey("files/delta_log/\(id)/-1/77/1"), Array("deletes 4".utf8), condition: .none)
    bed.milvus.state.withLock {
      $0.collections["default"]?["coll"]?.segments.append(
        SegmentInfo(
          segmentID: 77, collectionID: id, partitionID: -1, numOfRows: 4, state: .flushed, level: .l0, isSorted: false,
          storageVersion: 0))
    }
    let report = try await bed.create()
    let collection = try #require(try await bed.info("bk").collectionBackups.first)
    #expect(collection.l0Segments.map(\.segmentID) == [77] && collection.l0Segments[0].isL0)
    #expect(collection.l0Segments[0].groupID == 0)
    #expect(try await bed.backupKeys().contains("backup/bk/binlogs/delta_log/\(id)/-1/77/1"))
    #expect(report.rows == 300 && report.segments == 4)
    #expect(try await bed.info("bk").databaseBackups.first?.dbID == 7)
  }
}
