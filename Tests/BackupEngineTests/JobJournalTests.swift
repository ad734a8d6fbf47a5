// Jobs on disk: names, other processes, going on after a crash, cleaning up after one.

import BackupFormat
import Foundation
import ObjectStore
import Synchronization
import Testing

@testable import BackupEngine
@testable import MilvusClient

@Suite struct JobJournalTests {
  /// A directory of its own for `body`, removed afterwards.
  private func withDirectory(_ body: (String) async throws -> Void) async throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "jobs-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try await body(path)
  }

  private func journal(_ directory: String, isService: Bool = false) -> JobJournal {
    JobJournal(directory: directory, isService: isService) { Issue.record("\($0)") }
  }

  /// The mark of a process that has ended, or of the parent, which lives.
  private func mark(alive: Bool) throws -> ProcessMark {
    var mark = ProcessMark.current
    guard alive else {
      mark.start += 1
      return mark
    }
    let parent = getppid()
    let text = try String(contentsOfFile: "/proc/\(parent)/stat", encoding: .utf8)
    let end = try #require(text.lastIndex(of: ")"))
    mark.id = parent
    mark.start = try #require(UInt64(text[end...].split(separator: " ")[20]))
    #expect(mark.fate == .alive)
    return mark
  }

  /// The record of a job, as if another process had left it.
  private func leave(
    _ journal: JobJournal, id: String, alive: Bool, isService: Bool, change: (inout JobRecord) -> Void
  ) throws {
    var record = JobRecord(
      id: id, kind: .restore, store: "milvus_target", backup: "bk", process: try mark(alive: alive),
      isService: isService, started: 1_769_850_300)
    change(&record)
    try FileManager.default.createDirectory(atPath: journal.directory, withIntermediateDirectories: true)
    journal.save(record)
  }

  @Test func aJobIsWrittenDownWithWhatItCameTo() async throws {
    try await withDirectory { directory in
      let bed = try await Bed.withBackup(shared: true)
      let center = JobCenter(journal: journal(directory))
      let job = try await center.startRestore(RestoreRequest(backup: "bk", newName: "coll_bak"), in: bed.context)
      _ = await center.finished(job.id)
      let record = try #require(journal(directory).records().first)
      #expect(record.id == "restore-1" && record.state == .done && record.rowsDone == 297)
      #expect(record.restore?[.restored]?.stage == .finished && record.result?.contains("297 rows") == true)
      // Names are unique among all processes that share the directory.
      let other = JobCenter(journal: journal(directory))
      let second = try await other.startRestore(RestoreRequest(backup: "bk", newName: "second"), in: bed.context)
      #expect(second.id == "restore-2")
      _ = await other.finished(second.id)
      #expect(JobCenter.written(in: journal(directory)).map(\.id) == ["restore-1", "restore-2"])
      let mode = try FileManager.default.attributesOfItem(atPath: "\(directory)/restore-1.json")[.posixPermissions]
      #expect(mode as? Int == 0o600)
    }
  }

  @Test func aFailureKeepsItsReason() async throws {
    try await withDirectory { directory in
      let bed = Bed(name: "target")
      let center = JobCenter(journal: journal(directory))
      await #expect(throws: EngineError.self) {
        try await center.startRestore(RestoreRequest(backup: "nope"), in: bed.context)
      }
      let snapshot = try #require(JobCenter.written(in: journal(directory)).first)
      #expect(snapshot.state == .failed && snapshot.error?.code == .notFound)
      #expect(snapshot.text.contains("error: There is no backup nope"))
    }
  }

  @Test func refusesWhatARunningJobOfAnotherProcessWorksOn() async throws {
    try await withDirectory { directory in
      let bed = try await Bed.withBackup(shared: true)
      try leave(journal(directory), id: "restore-7", alive: true, isService: false) {
        $0.store = "another"
        $0.claims = ["collection default.coll_bak of the Milvus at milvus:19530"]
      }
      let center = JobCenter(journal: journal(directory))
      let error = try await #require(throws: EngineError.self) {
        try await center.startRestore(RestoreRequest(backup: "bk", newName: "coll_bak"), in: bed.context)
      }
      #expect(error.code == .busy && error.message.contains("restore-7 of another process"))
      #expect(bed.milvus[.restored] == nil)
      // Another collection is free, and so is that one when the other process is dead.
      let job = try await center.startRestore(RestoreRequest(backup: "bk", newName: "second"), in: bed.context)
      #expect(await center.finished(job.id)?.state == .done)
      try leave(journal(directory), id: "restore-7", alive: false, isService: false) {
        $0.claims = ["collection default.coll_bak of the Milvus at milvus:19530"]
      }
      let last = try await center.startRestore(RestoreRequest(backup: "bk", newName: "coll_bak"), in: bed.context)
      #expect(await center.finished(last.id)?.state == .done)
    }
  }

  /// A bed with a restore in mid-import, by a center that is gone, and its record with a dead process.
  private func crashed(_ directory: String, isService: Bool) async throws -> (Bed, JobRecord) {
    let bed = try await Bed.withBackup(shared: false)
    bed.milvus.faults.withLock { $0.importsHang = true }
    let center = JobCenter(journal: journal(directory, isService: true))
    let job = try await center.startRestore(RestoreRequest(backup: "bk", newName: "coll_bak"), in: bed.context)
    while bed.milvus.count("GetImportState") < 4 { await Task.yield() }
    // Like a process that is killed: it undoes nothing.
    await center.shutdown()
    #expect(bed.milvus[.restored] != nil)
    var record = try #require(journal(directory).records().first { $0.id == job.id })
    #expect(record.state == .running && record.restore?.temporary.count == 1)
    record.process = try mark(alive: false)
    record.isService = isService
    journal(directory).save(record)
    bed.milvus.faults.withLock { $0.importsHang = false }
    return (bed, record)
  }

  @Test func aDaemonGoesOnWithTheRestoreOfOneThatEnded() async throws {
    try await withDirectory { directory in
      let (bed, record) = try await crashed(directory, isService: true)
      let center = JobCenter(journal: journal(directory, isService: true))
      let sentences = await center.recover(in: [bed.context])
      #expect(sentences == ["The restore \(record.id) of milvus_target/bk is gone on with."])
      let ended = try #require(await center.finished(record.id))
      #expect(ended.state == .done && ended.result?.contains("297 rows") == true)
      #expect(bed.rows() == 297 && bed.imports.count == 2, "running imports are found again by their numbers")
      #expect(try await bed.milvusKeys("files/restore-temp-").isEmpty)
      #expect(center.snapshot(JobTarget(store: "milvus_target", backup: "bk"))?.id == record.id)
      // Nobody goes on with it again.
      #expect(await JobCenter(journal: journal(directory, isService: true)).recover(in: [bed.context]).isEmpty)
    }
  }

  @Test func waitsForAMilvusThatIsStillStarting() async throws {
    try await withDirectory { directory in
      let (bed, record) = try await crashed(directory, isService: true)
      let left = Mutex(3)
      bed.milvus.faults.withLock {
        $0.before = { call throws(MilvusError) in
          let isAway = left.withLock { left in
            left -= 1
            return left >= 0
          }
          if isAway { throw MilvusError(code: .unreachable, call: call, server: "milvus:19530", reason: "refused") }
        }
      }
      let center = JobCenter(journal: journal(directory, isService: true))
      await center.recover(in: [bed.context])
      #expect(await center.finished(record.id)?.state == .done)
    }
  }

  @Test func copiesOfACommandThatWasKilledAreRemoved() async throws {
    try await withDirectory { directory in
      let (bed, record) = try await crashed(directory, isService: false)
      #expect(try await !bed.milvusKeys("files/restore-temp-").isEmpty)
      let center = JobCenter(journal: journal(directory))
      let sentences = await center.recover(in: [bed.context])
      #expect(sentences.first?.contains("default.coll_bak may be incomplete: restore with --resume") == true)
      #expect(try await bed.milvusKeys("files/restore-temp-").isEmpty)
      let kept = try #require(journal(directory).records().first { $0.id == record.id })
      #expect(kept.state == .failed && kept.restore?.temporary.isEmpty == true)
      // And a request to resume goes on with it.
      let job = try await center.startRestore(
        RestoreRequest(backup: "bk", newName: "coll_bak", resume: true), in: bed.context)
      #expect(await center.finished(job.id)?.state == .done)
      #expect(bed.rows() == 297)
    }
  }

  @Test func copiesThatMilvusIsStillImportingStayUntilItIsDone() async throws {
    try await withDirectory { directory in
      let (bed, record) = try await crashed(directory, isService: false)
      bed.milvus.faults.withLock { $0.importsHang = true }
      let center = JobCenter(journal: journal(directory))
      let sentences = await center.recover(in: [bed.context])
      #expect(sentences.first?.contains("stay until Milvus has imported them") == true, "\(sentences)")
      #expect(try await !bed.milvusKeys("files/restore-temp-").isEmpty)
      #expect(await center.removeRemains(in: [bed.context]))
      // Nor are they removed when Milvus cannot be asked.
      bed.milvus.faults.withLock {
        $0.importsHang = false
        $0.before = { call throws(MilvusError) in
          throw MilvusError(code: .unreachable, call: call, server: "milvus:19530", reason: "refused")
        }
      }
      #expect(await JobCenter(journal: journal(directory)).removeRemains(in: [bed.context]))
      #expect(try await !bed.milvusKeys("files/restore-temp-").isEmpty)
      bed.milvus.faults.withLock { $0.before = nil }
      await JobCenter(journal: journal(directory)).recover(in: [bed.context])
      #expect(try await bed.milvusKeys("files/restore-temp-").isEmpty)
      let kept = try #require(journal(directory).records().first { $0.id == record.id })
      #expect(kept.restore?.temporary.isEmpty == true)
    }
  }

  @Test func aTaskWhoseNumberWasLostKeepsItsCopies() async throws {
    try await withDirectory { directory in
      var (bed, record) = try await crashed(directory, isService: false)
      bed.milvus.faults.withLock { $0.importsHang = true }
      for name in record.restore?.collections[0].units.keys.sorted() ?? [] {
        record.restore?.collections[0].units[name]?.task = nil
      }
      journal(directory).save(record)
      await JobCenter(journal: journal(directory)).recover(in: [bed.context])
      #expect(try await !bed.milvusKeys("files/restore-temp-").isEmpty)
      // A collection that is gone has no tasks.
      bed.milvus.state.withLock { $0.imports = [:] }
      await JobCenter(journal: journal(directory)).recover(in: [bed.context])
      #expect(try await bed.milvusKeys("files/restore-temp-").isEmpty)
    }
  }

  @Test func jobsOfOtherStoresAreLeftAlone() async throws {
    try await withDirectory { directory in
      let (bed, record) = try await crashed(directory, isService: false)
      var context = bed.context
      context.storeName = "milvus_elsewhere"
      #expect(await JobCenter(journal: journal(directory)).recover(in: [context]).isEmpty)
      #expect(journal(directory).records().first { $0.id == record.id }?.state == .running)
    }
  }

  @Test func cancellingARestoreThatWasGoneOnWithDropsIt() async throws {
    try await withDirectory { directory in
      let (bed, record) = try await crashed(directory, isService: true)
      bed.milvus.faults.withLock { $0.importsHang = true }
      let center = JobCenter(journal: journal(directory, isService: true))
      await center.recover(in: [bed.context])
      let looks = bed.milvus.count("GetImportState")
      while bed.milvus.count("GetImportState") < looks + 2 { await Task.yield() }
      #expect(center.cancel(record.id))
      #expect(await center.finished(record.id)?.state == .cancelled)
      #expect(bed.milvus[.restored] == nil)
      #expect(try await bed.milvusKeys("files/restore-temp-").isEmpty)
    }
  }

  @Test func oldJobsAreForgottenAndDamagedFilesDisturbNobody() async throws {
    try await withDirectory { directory in
      let journal = journal(directory)
      for number in 1...(JobJournal.keptJobs + 5) {
        try leave(journal, id: "restore-\(number)", alive: false, isService: false) {
          $0.state = .done
          $0.started += Int64(number)
        }
      }
      try Data("{\"id\":".utf8).write(to: URL(fileURLWithPath: "\(directory)/restore-999.json"))
      await JobCenter(journal: journal).recover(in: [Bed().context])
      let left = journal.records().map(\.id)
      #expect(left.count == JobJournal.keptJobs && !left.contains("restore-5") && left.contains("restore-6"))
    }
  }

  @Test func aJournalThatCannotBeWrittenIsToldOnceAndStopsNothing() async throws {
    let bed = try await Bed.withBackup(shared: true)
    let told = Mutex<[String]>([])
    let center = JobCenter(
      journal: JobJournal(directory: "/proc/nothing/jobs", isService: false) { text in told.withLock { $0.append(text) }
      })
    let job = try await center.startRestore(RestoreRequest(backup: "bk", newName: "coll_bak"), in: bed.context)
    #expect(job.id == "restore-1")
    #expect(await center.finished(job.id)?.state == .done)
    #expect(told.withLock { $0.count } == 1 && told.withLock { $0[0] }.contains("/proc/nothing"))
  }
}
