// Verification: sound backups, and each way in which one can be unsound.

import BackupFormat
import ObjectStore
import Synchronization
import Testing

@testable import BackupEngine
@testable import MilvusClient

@Suite struct VerifyTests {
  /// The backup `bk` of `coll`: three segments, 300 rows, one delta log with 3 deletes.
  private func bed(_ change: (Bed) async throws -> Void = { _ in }) async throws -> Bed {
    let bed = Bed()
    bed.milvus.state.withLock { $0.writesLogs = true }
    try await bed.fill()
    try await bed.create()
    try await change(bed)
    return bed
  }

  private func verify(_ bed: Bed, deep: Bool = false) async throws -> VerifyReport {
    let plan = try await VerifyJob.prepare(bed.context, VerifyRequest(backup: "bk", deep: deep))
    return try await VerifyJob.run(plan, JobProgress())
  }

  private func key(_ bed: Bed, _ test: (LogKey) -> Bool = { _ in true }) async throws -> (ObjectKey, LogKey) {
    for key in try await bed.backupKeys("backup/bk/binlogs/") {
      let log = try #require(LogKey(backupPath: String(key.dropFirst("backup/bk/".count))))
      if test(log) { return (ObjectKey(key), log) }
    }
    throw Missing()
  }

  private struct Missing: Error {}

  private func bytes(_ bed: Bed, _ key: ObjectKey) async throws -> [UInt8] {
    try await bed.bucket.get(key, range: nil, version: nil).bytes
  }

  @Test(arguments: [false, true])
  func aSoundBackupIsSound(deep: Bool) async throws {
    let bed = try await bed()
    let report = try await verify(bed, deep: deep)
    #expect(report.sound && report.problems.isEmpty && report.warnings.isEmpty)
    #expect(report.collections == 1 && report.segments == 3 && report.rows == 300 && report.objects == 25)
    #expect(report.rowsCounted == (deep ? 300 : nil))
    #expect(report.summary.contains("is sound") && report.milvusVersion == "v2.3.5")
    #expect(bed.backups.written.count == 30, "it writes nothing")
  }

  @Test func onlyTheBeginningsOfInsertLogsAreReadUnlessItIsDeep() async throws {
    let bed = try await bed { bed in
      // Behind its first KiB the log is not looked at.
      let (key, log) = try await self.key(bed) { $0.kind == .insert && $0.fieldID == 102 }
      let sound = LogBuilder.log(log, rows: Array(repeating: 1, count: 100))
      try await bed.bucket.put(key, Array(sound.dropLast(1)) + [0], condition: .none)
    }
    let shallow = try await verify(bed)
    #expect(shallow.problems.map(\.kind) == [.size])
    let deep = try await verify(bed, deep: true)
    #expect(deep.problems.map(\.kind) == [.size, .damaged])
    #expect(deep.bytesRead > shallow.bytesRead)
  }

  @Test func missingObjectsAreNamed() async throws {
    let bed = try await bed()
    let (key, _) = try await key(bed) { $0.kind == .insert }
    try await bed.bucket.delete(key)
    let report = try await verify(bed, deep: true)
    #expect(report.problems.map(\.line) == ["missing \(key)"] && report.problemCounts == ["missing": 1])
    #expect(report.summary.contains("not sound") && report.remedy.contains("Copy the backup again"))
  }

  @Test func anObjectOfAnotherSizeIsNamed() async throws {
    let bed = try await bed()
    let (key, _) = try await key(bed) { $0.kind == .delta }
    let old = try await bytes(bed, key)
    try await bed.bucket.put(key, Array(old.dropLast(10)), condition: .none)
    let problems = try await verify(bed).problems
    #expect(problems.map(\.kind) == [.size, .damaged] && problems.allSatisfy { $0.key == key.string })
    #expect(problems[0].detail.contains("\(old.count - 10)") && problems[0].detail.contains("instead of \(old.count)"))
  }

  @Test(arguments: ["9", "x.json", "100/.9.swp"])
  func whatLiesAmongTheLogsIsNamed(name: String) async throws {
    let bed = try await bed()
    let (key, log) = try await key(bed) { $0.kind == .insert }
    let extra = "backup/bk/\(log.segmentDirectory)/\(name)"
    try await bed.bucket.put(ObjectKey(extra), [1], condition: .none)
    let report = try await verify(bed)
    #expect(report.problems.map(\.line) == ["extra \(extra)"], "\(key)")
    #expect(report.remedy.contains("Remove"))
  }

  @Test func whatLiesElsewhereInTheBackupIsNoProblem() async throws {
    let bed = try await bed()
    try await bed.bucket.put("backup/bk/README.txt", [1], condition: .none)
    #expect(try await verify(bed).sound)
  }

  @Test func logsThatBelongElsewhereAreFoundByTheirHeaders() async throws {
    let bed = try await bed()
    let (one, log) = try await key(bed) { $0.kind == .insert && $0.fieldID == 100 }
    let (other, _) = try await key(bed) { $0.kind == .insert && $0.fieldID == 101 && $0.segmentID == log.segmentID }
    let (first, second) = (try await bytes(bed, one), try await bytes(bed, other))
    try await bed.bucket.put(one, second, condition: .none)
    try await bed.bucket.put(other, first, condition: .none)
    let problems = try await verify(bed).problems
    #expect(problems.map(\.kind) == [.header, .header])
    #expect(problems.map(\.detail).contains("its header names field 101 instead of 100"))
    let wrong = LogKey.insert(collectionID: 1, partitionID: 2, groupID: 0, segmentID: 3, fieldID: 100, logID: 1)
    let padded = LogBuilder.log(wrong, rows: [log.segmentID == 0 ? 0 : 100])
    try await bed.bucket.put(one, padded, condition: .none)
    let detail = try await verify(bed).problems.first { $0.key == one.string && $0.kind == .header }?.detail
    #expect(detail?.contains("collection 1 instead of") == true && detail?.contains("segment 3 instead of") == true)
  }

  @Test func rowsAreCountedWhenItIsDeep() async throws {
    let bed = try await bed()
    let segment = try #require(bed.milvus[.coll]?.segments.first { $0.numOfRows == 100 })
    let (key, log) = try await key(bed) { $0.segmentID == segment.segmentID && $0.fieldID == 101 }
    try await bed.bucket.put(key, LogBuilder.log(log, rows: [99]), condition: .none)
    #expect(try await verify(bed).sound, "sizes and headers are right")
    let report = try await verify(bed, deep: true)
    #expect(report.problems.map(\.kind) == [.rows])
    #expect(report.problems.first?.key == "backup/bk/\(log.segmentDirectory)/101/")
    #expect(report.problems.first?.detail == "99 rows instead of 100" && report.rowsCounted == 300)
  }

  @Test func deltaLogsAreReadInAnyCase() async throws {
    let bed = try await bed()
    let (key, _) = try await key(bed) { $0.kind == .delta }
    var broken = try await bytes(bed, key)
    broken[broken.count - 1] = 0
    try await bed.bucket.put(key, broken, condition: .none)
    let problems = try await verify(bed).problems
    #expect(problems.map(\.kind) == [.damaged] && problems.first?.detail.contains("Parquet") == true)
  }

  @Test func segmentsWhoseFieldsDifferAreNamed() async throws {
    let bed = try await bed { bed in
      var info = try await bed.info("bk")
      let index = try #require(
        info.collectionBackups[0].partitionBackups[1].segmentBackups[0].binlogs.firstIndex { $0.fieldID == 101 })
      let gone = info.collectionBackups[0].partitionBackups[1].segmentBackups[0].binlogs[index].binlogs.removeLast()
      let first = info.collectionBackups[0].partitionBackups[0].segmentBackups[0].binlogs.removeFirst()
      try await bed.bucket.put("backup/bk/meta/full_meta.json", MetaFiles.encode(.full, of: info), condition: .none)
      for log in [gone] + first.binlogs {
        for key in try await bed.backupKeys("backup/bk/binlogs/") where key.hasSuffix("/\(log.logID)") {
          try await bed.bucket.delete(ObjectKey(key))
        }
      }
    }
    let problems = try await verify(bed).problems
    #expect(problems.map(\.kind) == [.fields, .fields])
    #expect(problems.contains { $0.detail.contains("field 101: 1") && $0.detail.contains("field 100: 2") })
    #expect(problems.contains { $0.detail == "no logs of field 0" })
  }

  @Test func metadataFilesMustBelongTogether() async throws {
    let bed = try await bed { bed in
      var other = try await bed.info("bk")
      other.id = "another"
      try await bed.bucket.put(
        "backup/bk/meta/backup_meta.json", MetaFiles.encode(.backup, of: other), condition: .none)
      other.collectionBackups[0].partitionBackups.removeLast()
      for file in [MetaFile.partition, .segment] {
        let bytes = MetaFiles.encode(file, of: other)
        try await bed.bucket.put(ObjectKey("backup/bk/\(file.path)"), bytes, condition: .none)
      }
      try await bed.bucket.delete("backup/bk/meta/collection_meta.json")
    }
    let problems = try await verify(bed).problems
    #expect(problems.map(\.kind) == [.metadata, .metadata, .metadata, .metadata])
    #expect(
      problems.map { $0.key.split(separator: "/").last ?? "" }.sorted() == [
        "backup_meta.json", "collection_meta.json", "partition_meta.json", "segment_meta.json",
      ])
    #expect(problems.contains { $0.detail.contains("another") } && problems.contains { $0.detail == "it is missing" })
  }

  @Test func packedSegmentsAreParquetFiles() async throws {
    let bed = try await bed { bed in
      var info = try await bed.info("bk")
      for part in info.collectionBackups[0].partitionBackups.indices {
        for index in info.collectionBackups[0].partitionBackups[part].segmentBackups.indices {
          info.collectionBackups[0].partitionBackups[part].segmentBackups[index].storageVersion = 2
        }
      }
      for key in try await bed.backupKeys("backup/bk/binlogs/insert_log/") {
        let log = try #require(LogKey(backupPath: String(key.dropFirst("backup/bk/".count))))
        let segment = bed.milvus[.coll]?.segments.first { $0.segmentID == log.segmentID }
        let files = segment?.numOfRows == 150 ? 2 : 1
        let bytes = LogBuilder.parquet(rows: (segment?.numOfRows ?? 0) / Int64(files), columns: ["a", "b", "c"])
        try await bed.bucket.put(ObjectKey(key), bytes, condition: .none)
      }
      try await bed.bucket.put("backup/bk/meta/full_meta.json", MetaFiles.encode(.full, of: info), condition: .none)
    }
    let report = try await verify(bed, deep: true)
    // The sizes are not those that the metadata tells, and that is all.
    #expect(report.problems.allSatisfy { $0.kind == .size } && report.rowsCounted == 300, "\(report.problems)")
    let (key, log) = try await key(bed) { $0.kind == .insert }
    try await bed.bucket.put(key, LogBuilder.log(log, rows: [1]), condition: .none)
    #expect(try await verify(bed).problems.contains { $0.kind == .damaged && $0.detail == "it is not a Parquet file" })
  }

  @Test(arguments: [
    (StoreError.Code.accessDenied, EngineError.Code.accessDenied), (.serverError, .store), (.timedOut, .timedOut),
  ])
  func aStoreThatCannotBeAskedIsNoProblemOfTheBackup(code: StoreError.Code, expected: EngineError.Code) async throws {
    let bed = try await bed()
    let backups = bed.backups
    backups.add { operation, key in
      if operation == .get, key.string.contains("/insert_log/") { throw backups.error(code, "GetObject", key) }
    }
    let error = try await #require(throws: EngineError.self) { try await verify(bed) }
    #expect(error.code == expected && error.message.contains("Verifying the backup bk"))
  }

  @Test func anObjectThatVanishesMeanwhileIsMissing() async throws {
    let bed = try await bed()
    let (gone, _) = try await key(bed) { $0.kind == .insert }
    let bucket = bed.bucket
    bed.backups.add { operation, key in
      if operation == .get, key == gone { try await bucket.delete(key) }
    }
    #expect(try await verify(bed).problems.map(\.kind) == [.missing])
  }

  @Test func withoutMetadataThereIsNothingToCompareWith() async throws {
    let bed = try await bed()
    let none = try await #require(throws: EngineError.self) {
      try await VerifyJob.prepare(bed.context, VerifyRequest(backup: "nope"))
    }
    #expect(none.code == .notFound)
    try await bed.bucket.put("backup/bk/meta/full_meta.json", Array("{\"id\":".utf8), condition: .none)
    let damaged = try await #require(throws: EngineError.self) {
      try await VerifyJob.prepare(bed.context, VerifyRequest(backup: "bk"))
    }
    #expect(damaged.code == .corrupted && damaged.message.contains("full_meta.json"))
  }

  @Test func theJobTellsEachProblem() async throws {
    let bed = try await bed()
    let (key, _) = try await key(bed) { $0.kind == .insert }
    try await bed.bucket.delete(key)
    let jobs = JobCenter()
    let job = try await jobs.startVerify(VerifyRequest(backup: "bk"), in: bed.context)
    let ended = try #require(await jobs.finished(job.id))
    #expect(ended.state == .failed && ended.error?.code == .incomplete)
    #expect(ended.text.contains("problem: missing \(key)\n"))
    let target = JobTarget(store: "milvus_a", backup: "bk")
    #expect(jobs.snapshot(.verify, of: target)?.id == job.id && jobs.snapshot(.restore, of: target) == nil)
  }

  @Test func cancelledItEndsSoon() async throws {
    let bed = try await bed()
    bed.backups.add { operation, key in
      if operation == .get, key.string.contains("/insert_log/") { try await Task.sleep(for: .seconds(3600)) }
    }
    let jobs = JobCenter()
    let job = try await jobs.startVerify(VerifyRequest(backup: "bk"), in: bed.context)
    jobs.cancel(job.id)
    #expect(await jobs.finished(job.id)?.state == .cancelled)
  }
}
