// Backups by other ways than the ordinary one: in part, resumed, with everything flushed at once, with access control, with
// log ids by REST, with garbage collection paused.

import BackupFormat
import ObjectStore
import Synchronization
import Testing

@testable import BackupEngine
@testable import MilvusClient

@Suite struct CreateOptionTests {
  private static let second = CollectionName(collection: "second")

  private func twoCollections(version: String = "v2.3.5") async throws -> Bed {
    let bed = Bed(version: version)
    try await bed.fill()
    try await bed.fill(Self.second)
    return bed
  }

  // MARK: In part

  @Test func aCollectionThatFailsDoesNotKeepTheOthersFromBeingSaved() async throws {
    let bed = try await twoCollections()
    let id = try #require(bed.milvus[Self.second]?.id)
    let objects = bed.objects
    objects.add { operation, key in
      if operation == .get, key.string.contains("/delta_log/\(id)/") {
        throw objects.error(.accessDenied, "GetObject", key)
      }
    }
    let jobs = JobCenter()
    let job = try await jobs.startCreate(CreateRequest(name: "bk"), in: bed.context)
    let ended = try #require(await jobs.finished(job.id))
    #expect(ended.state == .partial && ended.error == nil)
    #expect(ended.result?.contains("is partial") == true && ended.result?.contains("default.second") == true)
    #expect(ended.text.contains("problem: collection default.second: ") && ended.text.contains("state: partial"))
    #expect(ended.progress.bytesDone == ended.progress.bytesTotal && ended.progress.objectsDone == 25)
    let info = try await bed.info("bk")
    #expect(info.collectionBackups.map(\.collectionName) == ["coll"])
    // Nothing of the failed one is left: a restore would stumble over it.
    #expect(try await bed.backupKeys("backup/bk/binlogs/").allSatisfy { !$0.contains("/\(id)/") })
    #expect(try await BackupCatalog(store: bed.bucket, root: "backup").summary(of: "bk").state == .complete)
  }

  @Test func aCollectionThatIsDroppedMeanwhileIsReported() async throws {
    let bed = try await twoCollections()
    let milvus = bed.milvus
    milvus.faults.withLock {
      $0.before = { call throws(MilvusError) in
        if call == "DescribeCollection" { milvus.state.withLock { $0.collections["default"]?["second"] = nil } }
      }
    }
    let report = try await bed.create()
    #expect(report.collections == [.coll] && report.failures.map(\.collection) == [Self.second])
    #expect(report.failures.first?.reason.contains("second") == true)
  }

  @Test func whenNoCollectionCanBeSavedThereIsNoBackup() async throws {
    let bed = try await twoCollections()
    let backups = bed.backups
    backups.add { operation, key in
      if operation == .put, key.string.contains("/binlogs/") { throw backups.error(.accessDenied, "PutObject", key) }
    }
    let error = try await #require(throws: EngineError.self) { try await bed.create() }
    #expect(error.code == .accessDenied && error.aftermath.contains("None of the 2 collections"))
    #expect(try await bed.backupKeys().isEmpty)
  }

  @Test(arguments: [(StoreError.Code.noSpace, EngineError.Code.noSpace), (.unreachable, .unreachable)])
  func whatWouldFailForAllEndsTheBackup(code: StoreError.Code, expected: EngineError.Code) async throws {
    let bed = try await twoCollections()
    let (backups, id) = (bed.backups, try #require(bed.milvus[Self.second]?.id))
    backups.add { operation, key in
      if operation == .put, key.string.contains("/\(id)/") { throw backups.error(code, "PutObject", key) }
    }
    let error = try await #require(throws: EngineError.self) { try await bed.create() }
    #expect(error.code == expected && error.aftermath.contains("was removed again"))
    #expect(try await bed.backupKeys().isEmpty)
  }

  @Test func theKeyOfAnEncryptedDatabaseIsSaved() async throws {
    var bed = Bed(version: "v2.5.8")
    try await bed.fill()
    bed.milvus.state.withLock { $0.databaseProperties["default"] = [MilvusKeyValue(key: "cipher.ezID", value: "1")] }
    let rest = FakeREST(bed.milvus)
    bed.context.rest = rest.rest
    let error = try await #require(throws: EngineError.self) { try await bed.create() }
    #expect(error.code == .unsupported && error.message.contains("cipher.ezID") && error.message.contains(":9091"))
    rest.state.withLock { $0.encryptionKey = "wrapped" }
    try await bed.create()
    #expect(try await bed.info("bk").databaseBackups.first?.ezk == "wrapped")
  }

  // MARK: Resumed

  /// A bed in which a backup was killed in mid-copy: some objects, no metadata.
  private func killed() async throws -> Bed {
    let bed = Bed()
    try await bed.fill()
    try await bed.create()
    for key in try await bed.backupKeys("backup/bk/meta/") { try await bed.bucket.delete(ObjectKey(key)) }
    for key in try await bed.backupKeys("backup/bk/binlogs/").suffix(10) { try await bed.bucket.delete(ObjectKey(key)) }
    return bed
  }

  @Test func aResumedBackupCopiesOnlyWhatIsNotThere() async throws {
    let bed = try await killed()
    let before = bed.backups.written.count
    let progress = JobProgress()
    let report = try await bed.create(CreateRequest(name: "bk", resume: true), progress)
    #expect(bed.backups.written.count - before == 10 + 5)
    #expect(report.objects == 25 && report.rows == 300)
    #expect(progress.snapshot.objectsDone == 25 && progress.snapshot.bytesDone == report.bytes)
    #expect(try await BackupCatalog(store: bed.bucket, root: "backup").summary(of: "bk").state == .complete)
    let again = try await #require(throws: EngineError.self) {
      try await CreateJob.prepare(bed.context, CreateRequest(name: "bk", resume: true))
    }
    #expect(again.code == .alreadyExists && again.message.contains("is finished"))
  }

  @Test func whatHasAnotherSizeIsCopiedAgainAndWhatMilvusNoLongerHasIsRemoved() async throws {
    let bed = try await killed()
    let key = try #require(try await bed.backupKeys("backup/bk/binlogs/").first)
    try await bed.bucket.put(ObjectKey(key), [1], condition: .none)
    try await bed.bucket.put("backup/bk/binlogs/insert_log/7/8/9/9/100/10", [1], condition: .none)
    try await bed.bucket.put("backup/bk/meta/backup_meta.json", [1], condition: .none)
    let report = try await bed.create(CreateRequest(name: "bk", resume: true))
    #expect(report.objects == 25)
    let summary = try await BackupCatalog(store: bed.bucket, root: "backup").summary(of: "bk")
    #expect(summary.state == .complete && summary.objects == 30, "\(summary)")
  }

  @Test func aBackupToBeResumedKeepsWhatItCopied() async throws {
    let bed = Bed()
    try await bed.fill()
    let backups = bed.backups
    backups.add { operation, key in
      if operation == .put, key.string.hasSuffix("full_meta.json") { throw backups.error(.serverError, "Put", key) }
    }
    let request = CreateRequest(name: "bk", resume: true)
    let error = try await #require(throws: EngineError.self) { try await bed.create(request) }
    #expect(error.aftermath.contains("stays below backup/bk/") && error.aftermath.contains("--resume"))
    #expect(try await bed.backupKeys("backup/bk/meta/").isEmpty)
    #expect(try await bed.backupKeys("backup/bk/binlogs/").count == 25)
    backups.removeRules()
    let before = backups.written.count
    try await bed.create(request)
    #expect(backups.written.count - before == 5)
  }

  @Test func whatIsNoBackupIsNotResumed() async throws {
    let bed = try await killed()
    try await bed.bucket.put("backup/bk/notes.txt", [1], condition: .none)
    let error = try await #require(throws: EngineError.self) {
      try await CreateJob.prepare(bed.context, CreateRequest(name: "bk", resume: true))
    }
    #expect(error.code == .invalidRequest && error.message.contains("notes.txt"))
  }

  @Test func leftoversOfAKilledBackupAreToldHowToGetRidOf() async throws {
    let bed = try await killed()
    let error = try await #require(throws: EngineError.self) {
      try await CreateJob.prepare(bed.context, CreateRequest(name: "bk"))
    }
    #expect(error.code == .alreadyExists && error.message.contains("--resume") && error.message.contains("delete"))
    _ = try await BackupRemoval.run("bk", in: bed.context)
    try await bed.create()
  }

  // MARK: Flushed at once

  @Test func everythingIsFlushedOnce() async throws {
    let bed = try await twoCollections(version: "v2.6.11")
    try await bed.milvus.addSegment(to: .coll, rows: 7, state: .growing)
    let report = try await bed.create(CreateRequest(name: "bk", strategy: .bulkFlush))
    #expect(bed.milvus.count("FlushAll") == 1 && bed.milvus.count("Flush") == 0 && report.rows == 607)
    let info = try await bed.info("bk")
    #expect(info.flushAllMessagesBase64["dml_0"] == "CAE=" && info.controlChannelName == "dml_0_vcchan")
    #expect(info.physicalChannelNames == ["dml_0"])
    #expect(info.collectionBackups.allSatisfy { $0.channelCheckpoints.isEmpty && $0.backupTimestamp == 0 })
  }

  @Test func aServerThatCannotFlushAllIsToldSoBeforeAnythingIsDone() async throws {
    let bed = try await twoCollections(version: "v2.6.10")
    let error = try await #require(throws: EngineError.self) {
      try await CreateJob.prepare(bed.context, CreateRequest(name: "bk", strategy: .bulkFlush))
    }
    #expect(error.code == .unsupported && error.message.contains("serial_flush") && error.message.contains("v2.6.10"))
  }

  @Test func aFlushOfEverythingIsWaitedForOnlySoLong() async throws {
    let bed = Bed(version: "v2.6.11", limits: EngineLimits(flushPatience: 0.05))
    try await bed.fill()
    bed.milvus.faults.withLock { $0.flushesHang = true }
    let error = try await #require(throws: EngineError.self) {
      try await bed.create(CreateRequest(name: "bk", strategy: .bulkFlush))
    }
    #expect(error.code == .timedOut && error.message.contains("flushing everything"))
  }

  // MARK: Access control

  @Test func usersRolesAndGrantsAreSavedWhenAskedFor() async throws {
    let bed = Bed(version: "v2.4.5")
    try await bed.fill()
    bed.milvus.setUpAccessControl()
    try await bed.create(CreateRequest(name: "bk", rbac: true))
    let meta = try #require(try await bed.info("bk").rbacMeta)
    #expect(meta.users.map(\.user) == ["u"] && meta.users.first?.password == "$2a$hash")
    #expect(meta.users.first?.roles.map(\.name) == ["r"] && meta.roles.map(\.name) == ["r"])
    #expect(meta.grants.first?.role?.name == "r" && meta.grants.first?.object?.name == "Collection")
    #expect(meta.grants.first?.grantor?.privilege?.name == "Query" && meta.grants.first?.dbName == "default")
    #expect(meta.privilegeGroups.first?.groupName == "g")
    try await bed.create(CreateRequest(name: "without"))
    #expect(try await bed.info("without").rbacMeta == nil && bed.milvus.count("BackupRBAC") == 1)
  }

  @Test func aServerWithoutAccessControlIsToldSoBeforeAnythingIsDone() async throws {
    let bed = Bed()
    try await bed.fill()
    let error = try await #require(throws: EngineError.self) {
      try await CreateJob.prepare(bed.context, CreateRequest(name: "bk", rbac: true))
    }
    #expect(error.code == .unsupported && error.message.contains("--rbac"))
  }

  // MARK: Log ids by REST

  @Test func leftoversOfRepeatedUploadsAreLeftOutWhereTheServerNamesTheLogs() async throws {
    var bed = Bed(version: "v2.5.8")
    try await bed.fill()
    let rest = FakeREST(bed.milvus)
    bed.context.rest = rest.rest
    let segment = try #require(bed.milvus[.coll]?.segments.first)
    let directory = "files/insert_log/\(segment.collectionID)/\(segment.partitionID)/\(segment.segmentID)"
    try await bed.milvus.store.put(ObjectKey("\(directory)/100/424242"), [1], condition: .none)
    rest.state.withLock { $0.orphans = [424242] }
    let report = try await bed.create()
    #expect(report.objects == 25 && report.warnings.isEmpty)
    #expect(try await bed.backupKeys().allSatisfy { !$0.hasSuffix("/424242") })
    let segments = try await bed.info("bk").collectionBackups.flatMap(\.partitionBackups).flatMap(\.segmentBackups)
    #expect(segments.allSatisfy { $0.vChannel == "dml_0_\(segment.collectionID)v0" })
    // Without the ids they cannot be told apart.
    bed.context.rest = nil
    let error = try await #require(throws: EngineError.self) { try await bed.create(CreateRequest(name: "listed")) }
    #expect(error.code == .changed && error.message.contains("different numbers of files"))
  }

  @Test func aNamedLogThatIsNotThereIsLookedForAgainAndThenReported() async throws {
    var bed = Bed(version: "v2.5.8")
    try await bed.fill()
    let rest = FakeREST(bed.milvus)
    bed.context.rest = rest.rest
    let segment = try #require(bed.milvus[.coll]?.segments.first)
    rest.state.withLock {
      $0.describe = {
        let body = """
          {"code":0,"data":{"segmentInfos":[{"segmentID":"\(segment.segmentID)",
          "insertLogs":[{"fieldID":"0","logIDs":["5"]}]}]}}
          """
        return RESTAnswer(status: 200, body: Array(body.utf8))
      }
    }
    bed.milvus.state.withLock { $0.collections["default"]?["coll"]?.segments.removeLast(2) }
    let error = try await #require(throws: EngineError.self) { try await bed.create() }
    #expect(error.code == .changed && error.message.contains("1 log that Milvus names does not exist"))
    #expect(bed.milvus.count("GetPersistentSegmentInfo") == bed.context.limits.attempts)
  }

  @Test(arguments: [
    RESTAnswer(status: 404, body: []), RESTAnswer(status: 200, body: Array("{\"code\":1800,\"message\":\"no\"}".utf8)),
    RESTAnswer(status: 200, body: Array("<html>".utf8)), RESTAnswer(status: 200, body: Array("{\"code\":0}".utf8)),
  ])
  func whereTheServerDoesNotAnswerItIsListed(answer: RESTAnswer) async throws {
    var bed = Bed(version: "v2.5.8")
    try await bed.fill()
    let rest = FakeREST(bed.milvus)
    rest.state.withLock { $0.describe = { answer } }
    bed.context.rest = rest.rest
    let report = try await bed.create()
    #expect(report.objects == 25)
    #expect(report.warnings.allSatisfy { $0.contains("http://milvus:19530") && !$0.contains("secret") })
    #expect(!report.warnings.isEmpty)
  }

  @Test func olderServersAreNotAsked() async throws {
    var bed = Bed(version: "v2.5.7")
    try await bed.fill()
    let rest = FakeREST(bed.milvus)
    bed.context.rest = rest.rest
    try await bed.create()
    #expect(rest.state.withLock { $0.requests.allSatisfy { $0.contains("garbage_collection") } })
  }

  // MARK: Garbage collection

  @Test(arguments: [nil, "a b/1"])
  func garbageCollectionIsPausedAndResumed(ticket: String?) async throws {
    var bed = Bed()
    try await bed.fill()
    let rest = FakeREST(bed.milvus)
    rest.state.withLock { $0.ticket = ticket }
    bed.context.rest = rest.rest
    let paused = Mutex(false)
    bed.objects.add { operation, _ in
      if operation == .get { paused.withLock { $0 = rest.state.withLock { $0.isPaused } } }
    }
    let report = try await bed.create()
    #expect(report.warnings.isEmpty && paused.withLock { $0 })
    let calls = rest.state.withLock { $0.requests.filter { $0.contains("garbage_collection") } }
    #expect(calls.count == 2 && calls.last?.hasSuffix(ticket == nil ? "/resume" : "/resume?ticket=a%20b%2F1") == true)
  }

  @Test func itIsResumedWhenTheBackupFails() async throws {
    var bed = Bed()
    try await bed.fill()
    let rest = FakeREST(bed.milvus)
    bed.context.rest = rest.rest
    let backups = bed.backups
    backups.add { operation, key in
      if operation == .put { throw backups.error(.noSpace, "PutObject", key) }
    }
    _ = try await #require(throws: EngineError.self) { try await bed.create() }
    #expect(!rest.state.withLock { $0.isPaused } && rest.state.withLock { $0.requests.count } == 2)
  }

  @Test(arguments: [(404, 0), (500, 1)])
  func aServerWithoutThePauseIsBackedUpNevertheless(status: Int, warnings: Int) async throws {
    var bed = Bed()
    try await bed.fill()
    let rest = FakeREST(bed.milvus)
    rest.state.withLock { $0.managementStatus = status }
    bed.context.rest = rest.rest
    let report = try await bed.create()
    #expect(report.warnings.count == warnings && report.objects == 25)
    #expect(report.warnings.allSatisfy { $0.contains("backup.gcPause.address") })
    #expect(rest.state.withLock { $0.requests.count } == 1)
  }
}
