// Backups that fail or begin anew while they run: what is reported, and what is left.

import BackupFormat
import ObjectStore
import Synchronization
import Testing

@testable import BackupEngine
@testable import MilvusClient

@Suite struct CreateFailureTests {
  @Test func tellsBothSettingsWhenTheBucketIsNotMilvusOwn() async throws {
    var bed = Bed()
    try await bed.fill()
    bed.context.milvusRoot = "elsewhere"
    let error = try await #require(throws: EngineError.self) { try await bed.create() }
    #expect(error.code == .notFound)
    #expect(error.message.contains("minio.bucketName") && error.message.contains("minio.rootPath"))
    #expect(error.message.contains("default.coll") && error.message.contains("elsewhere/insert_log/"))
    #expect(try await bed.backupKeys().isEmpty)
  }

  @Test func givesUpOnFieldsWithDifferentNumbersOfFiles() async throws {
    let bed = Bed()
    try await bed.fill()
    let source = try await bed.milvusKeys("files/insert_log/")
    try await bed.milvus.store.delete(ObjectKey(try #require(source.last)))
    let error = try await #require(throws: EngineError.self) { try await bed.create() }
    #expect(error.code == .changed && error.message.contains("different numbers of files"))
    #expect(bed.milvus.count("GetPersistentSegmentInfo") == bed.context.limits.attempts)
    #expect(try await bed.backupKeys().isEmpty)
  }

  @Test func givesUpOnAFieldWithoutFiles() async throws {
    let bed = Bed()
    try await bed.fill()
    for key in try await bed.milvusKeys("files/insert_log/") where key.split(separator: "/").dropLast().last == "101" {
      try await bed.milvus.store.delete(ObjectKey(key))
    }
    let error = try await #require(throws: EngineError.self) { try await bed.create() }
    #expect(error.code == .changed && error.message.contains("no files for field 101"))
  }

  @Test func beginsAnewWhenASegmentIsCompactedWhileItIsCopied() async throws {
    // One copy after the other, so that it is certain what was copied when the last one fails.
    let bed = Bed(limits: EngineLimits(copiesInFlight: 1))
    try await bed.fill()
    let victims = try #require(bed.milvus[.coll]).segments.suffix(2).map(\.segmentID)
    let last = try #require(try await bed.milvusKeys("files/insert_log/").last { $0.contains("/\(victims[1])/") })
    let milvus = bed.milvus
    bed.objects.add { operation, key in
      guard operation == .get, key.string == last else { return }
      for victim in victims { try await milvus.removeSegment(victim, of: .coll) }
      try await milvus.addSegment(to: .coll, rows: 197)
    }
    let progress = JobProgress()
    let report = try await bed.create(CreateRequest(name: "bk"), progress)
    // What had been copied of the segment that stays was not copied again.
    #expect(Set(bed.backups.written).count == bed.backups.written.count)
    #expect(bed.backups.written.contains { $0.contains("/\(victims[0])/") })
    #expect(report.segments == 2 && report.rows == 297)
    let keys = try await bed.backupKeys("backup/bk/binlogs/")
    #expect(keys.count == report.objects && keys.count == 12)
    #expect(keys.allSatisfy { key in !victims.contains { key.contains("/\($0)/") } })
    #expect(progress.snapshot.bytesDone == report.bytes && progress.snapshot.bytesTotal == report.bytes)
    #expect(progress.snapshot.objectsDone == 12)
  }

  @Test func refusesACollectionThatWasDroppedAndCreatedAnew() async throws {
    let bed = Bed()
    try await bed.fill()
    bed.milvus.state.withLock { $0.collections["default"]?["coll"]?.segments[0].collectionID = 1 }
    let error = try await #require(throws: EngineError.self) { try await bed.create() }
    #expect(error.code == .changed && error.message.contains("created anew"))
  }

  @Test func waitsForAFlushOnlySoLong() async throws {
    let bed = Bed(limits: EngineLimits(flushPatience: 0.05))
    try await bed.fill()
    bed.milvus.faults.withLock { $0.flushesHang = true }
    let error = try await #require(throws: EngineError.self) { try await bed.create() }
    #expect(error.code == .timedOut && error.message.contains("default.coll"))
    #expect(error.aftermath == "Nothing had been written.")
  }

  @Test func waitsForFlushedSegmentsOnlySoLong() async throws {
    let bed = Bed(limits: EngineLimits(flushPatience: 0.05))
    try await bed.fill()
    let stuck = try await bed.milvus.addSegment(to: .coll, rows: 9, state: .flushing)
    let error = try await #require(throws: EngineError.self) { try await bed.create() }
    #expect(error.code == .timedOut && error.message.contains("\(stuck)"))
  }

  @Test(arguments: [
    (StoreError.Code.accessDenied, EngineError.Code.accessDenied), (.serverError, .store), (.noSpace, .noSpace),
    (.unreachable, .unreachable),
  ])
  func takesBackWhatItWroteWhenTheStoreFails(code: StoreError.Code, expected: EngineError.Code) async throws {
    let bed = Bed()
    try await bed.fill()
    let backups = bed.backups
    backups.add { operation, key in
      if operation == .put, key.string.hasSuffix("segment_meta.json") { throw backups.error(code, "PutObject", key) }
    }
    let error = try await #require(throws: EngineError.self) { try await bed.create() }
    #expect(error.code == expected)
    #expect(error.message.contains("segment_meta.json") && error.message.contains("bucket backups at elsewhere-a"))
    #expect(error.aftermath.contains("29 objects") && error.aftermath.contains("was removed again"))
    #expect(try await bed.backupKeys().isEmpty)
  }

  @Test func tellsWhatIsLeftWhenItCannotCleanUp() async throws {
    let bed = Bed()
    try await bed.fill()
    let backups = bed.backups
    backups.add { operation, key in
      if operation == .put, key.string.hasSuffix("full_meta.json") {
        throw backups.error(.accessDenied, "PutObject", key)
      }
      if operation == .delete { throw backups.error(.accessDenied, "DeleteObject", key) }
    }
    let error = try await #require(throws: EngineError.self) { try await bed.create() }
    #expect(error.aftermath.contains("could not be removed") && error.aftermath.contains("backup/bk/"))
    #expect(error.aftermath.contains("DeleteObject"))
    #expect(!(try await bed.backupKeys().isEmpty))
  }

  @Test func removesMetadataBeforeDataWhenItCleansUp() async throws {
    let bed = Bed()
    try await bed.fill()
    let backups = bed.backups
    backups.add { operation, key in
      if operation == .put, key.string.hasSuffix("full_meta.json") {
        throw backups.error(.serverError, "PutObject", key)
      }
      // Data goes only when no metadata is left.
      if operation == .delete, key.string.contains("/binlogs/"),
        try await !bed.backupKeys("backup/bk/meta/").isEmpty
      {
        throw backups.error(.protocolViolation, "DeleteObject", key)
      }
    }
    let error = try await #require(throws: EngineError.self) { try await bed.create() }
    #expect(error.aftermath.contains("was removed again"))
    #expect(try await bed.backupKeys().isEmpty)
  }

  @Test func leavesNothingWhenItIsCancelledInMidCopy() async throws {
    let bed = Bed()
    try await bed.fill()
    let plan = try await CreateJob.prepare(bed.context, CreateRequest(name: "bk"))
    let (reached, signal) = AsyncStream.makeStream(of: Void.self)
    bed.backups.add { operation, key in
      guard operation == .put, key.string.contains("/delta_log/") else { return }
      signal.yield()
      try await Task.sleep(for: .seconds(3600))
    }
    let task = Task { () -> EngineError? in
      do throws(EngineError) {
        _ = try await CreateJob.run(plan, JobProgress())
        return nil
      } catch {
        return error
      }
    }
    for await _ in reached { break }
    task.cancel()
    let error = try #require(await task.value)
    #expect(error.code == .cancelled && error.aftermath.contains("was removed again"))
    #expect(try await bed.backupKeys().isEmpty)
    #expect(bed.milvus.state.withLock { $0.openConnections } == 0)
  }

  @Test func findsObjectsThatTheStoreLost() async throws {
    let bed = Bed()
    try await bed.fill()
    let bucket = bed.bucket
    bed.backups.add { operation, key in
      guard operation == .list, key == "backup/bk/" else { return }
      for object in try await bucket.listAll("backup/bk/binlogs/delta_log/") { try await bucket.delete(object.key) }
    }
    let error = try await #require(throws: EngineError.self) { try await bed.create() }
    #expect(error.code == .store && error.message.contains("binlogs/delta_log/"))
    #expect(try await bed.backupKeys().isEmpty)
  }

  @Test func touchesNothingOfAnotherProgramsBackupOfTheSameName() async throws {
    let bed = Bed()
    try await bed.fill()
    let bucket = bed.bucket
    bed.backups.add { operation, key in
      guard operation == .put, key.string.hasSuffix("backup_meta.json") else { return }
      try await bucket.put(key, Array("theirs".utf8), condition: .none)
    }
    let error = try await #require(throws: EngineError.self) { try await bed.create() }
    #expect(error.code == .alreadyExists && error.aftermath.contains("Nothing below backup/bk/"))
    #expect(try await bed.backupKeys("backup/bk/binlogs/").count == 25)
  }

  @Test func stopsAtObjectsThatAnotherProgramWroteThere() async throws {
    let bed = Bed()
    try await bed.fill()
    let bucket = bed.bucket
    bed.backups.add { operation, _ in
      if operation == .put { try await bucket.put("backup/bk/binlogs/insert_log/1/2/3/3/100/9", [1], condition: .none) }
    }
    let error = try await #require(throws: EngineError.self) { try await bed.create() }
    #expect(error.code == .alreadyExists && error.message.contains("insert_log/1/2/3/3/100/9"))
    #expect(try await bed.backupKeys().contains("backup/bk/binlogs/insert_log/1/2/3/3/100/9"))
  }

  @Test func writesMetadataToStoresWithoutConditionalWrites() async throws {
    let bed = Bed()
    try await bed.fill()
    let backups = bed.backups
    backups.rejectConditions()
    try await bed.create()
    #expect(try await bed.info("bk").name == "bk")
  }

  @Test func tellsWhereMilvusIsWhenItIsAway() async throws {
    let bed = Bed()
    bed.milvus.faults.withLock {
      $0.before = { call throws(MilvusError) in
        throw MilvusError(code: .unreachable, call: call, server: "milvus:19530", reason: "connection refused")
      }
    }
    let error = try await #require(throws: EngineError.self) {
      try await CreateJob.prepare(bed.context, CreateRequest(name: "bk"))
    }
    #expect(error.code == .unreachable && error.message.contains("milvus:19530"))
    #expect(error.cause is MilvusError)
  }

  @Test func refusesToWriteOverMilvusOwnObjects() async throws {
    var bed = Bed(shared: true)
    bed.context.milvusRoot = "backup/bk/binlogs"
    let error = try await #require(throws: EngineError.self) {
      try await CreateJob.prepare(bed.context, CreateRequest(name: "bk"))
    }
    #expect(error.code == .invalidRequest && error.message.contains("minio.backupRootPath"))
  }
}
