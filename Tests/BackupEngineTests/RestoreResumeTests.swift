// Restores that go on where an earlier one stopped, and imports whose fate is not known at once.

import BackupFormat
import ObjectStore
import Synchronization
import Testing

@testable import BackupEngine
@testable import MilvusClient

@Suite struct RestoreResumeTests {
  /// A restore that fails at its second import, with what it left.
  private func failed(shared: Bool, _ request: RestoreRequest) async throws -> (Bed, EngineError, RestoreRecord) {
    let bed = try await Bed.withBackup(shared: shared, limits: EngineLimits(importsInFlight: 1))
    let milvus = bed.milvus
    milvus.faults.withLock {
      $0.before = { call throws(MilvusError) in
        if call == "Import", milvus.count("Import") == 2 {
          throw MilvusError(code: .server, call: call, server: "milvus:19530", reason: "disk full")
        }
      }
    }
    let plan = try await RestoreJob.prepare(bed.context, request)
    let ledger = RestoreLedger()
    let error = try await #require(throws: EngineError.self) {
      try await RestoreJob.run(plan, JobProgress(), ledger)
    }
    milvus.faults.withLock { $0 = .init() }
    return (bed, error, ledger.record)
  }

  @Test(arguments: [true, false])
  func goesOnAfterAFailure(shared: Bool) async throws {
    let request = RestoreRequest(backup: "bk", newName: "coll_bak", resume: true)
    let (bed, error, record) = try await failed(shared: shared, request)
    #expect(error.aftermath.contains("was kept: restore with --resume to go on"))
    #expect(bed.milvus[.restored] != nil && bed.imports.count == 1)
    #expect(try await bed.milvusKeys("files/restore-temp-").isEmpty)
    let id = bed.milvus[.restored]?.id
    let plan = try await RestoreJob.prepare(bed.context, request, earlier: [record])
    let progress = JobProgress()
    let report = try await RestoreJob.run(plan, progress)
    #expect(report.collections.map(\.rowsRestored) == [297] && bed.rows() == 297)
    #expect(bed.milvus[.restored]?.id == id && bed.imports.count == 2, "only what was missing is imported")
    #expect(progress.snapshot.bytesDone == progress.snapshot.bytesTotal)
  }

  @Test func dropsWhatItDidNotFinishWhenItWasNotToBeResumed() async throws {
    let (bed, error, record) = try await failed(shared: true, RestoreRequest(backup: "bk", newName: "coll_bak"))
    #expect(error.aftermath.contains("was dropped again") && bed.milvus[.restored] == nil)
    // Nothing is left to go on with: it begins anew.
    let again = RestoreRequest(backup: "bk", newName: "coll_bak", resume: true)
    let plan = try await RestoreJob.prepare(bed.context, again, earlier: [record])
    #expect(try await RestoreJob.run(plan, JobProgress()).collections.map(\.rowsRestored) == [297])
  }

  @Test func doesNotImportAFinishedCollectionTwice() async throws {
    let bed = try await Bed.withBackup(shared: true)
    let request = RestoreRequest(backup: "bk", newName: "coll_bak", resume: true)
    let ledger = RestoreLedger()
    _ = try await RestoreJob.run(try await RestoreJob.prepare(bed.context, request), JobProgress(), ledger)
    let plan = try await RestoreJob.prepare(bed.context, request, earlier: [ledger.record])
    let report = try await RestoreJob.run(plan, JobProgress())
    #expect(report.collections.map(\.rowsRestored) == [297] && bed.rows() == 297 && bed.imports.count == 2)
  }

  @Test func doesNotGoOnWithAnotherBackupOrCollection() async throws {
    let request = RestoreRequest(backup: "bk", newName: "coll_bak", resume: true)
    let (bed, _, record) = try await failed(shared: true, request)
    var other = record
    other.backupID = "another"
    // A collection that someone else created under that name.
    var replaced = record
    replaced.collections[0].collectionID += 1
    for record in [other, replaced] {
      let error = try await #require(throws: EngineError.self) {
        try await RestoreJob.prepare(bed.context, request, earlier: [record])
      }
      #expect(error.code == .alreadyExists)
    }
    let plain = RestoreRequest(backup: "bk", newName: "coll_bak")
    let error = try await #require(throws: EngineError.self) {
      try await RestoreJob.prepare(bed.context, plain, earlier: [record])
    }
    #expect(error.message.contains("--resume goes on with that"))
  }

  @Test func refusesToGoOnWithOtherPieces() async throws {
    let request = RestoreRequest(backup: "bk", newName: "coll_bak", resume: true)
    let (bed, _, record) = try await failed(shared: true, request)
    var context = bed.context
    context.limits.importUnitBytes = 64
    let error = try await #require(throws: EngineError.self) {
      try await RestoreJob.prepare(context, request, earlier: [record])
    }
    #expect(error.code == .unsupported && error.message.contains("other pieces"))
  }

  @Test func watchesATaskThatAnEarlierProcessBegan() async throws {
    let bed = try await Bed.withBackup(shared: false)
    let request = RestoreRequest(backup: "bk", newName: "coll_bak", resume: true)
    bed.milvus.faults.withLock { $0.importsHang = true }
    let ledger = RestoreLedger()
    let plan = try await RestoreJob.prepare(bed.context, request)
    let work = Task { try? await RestoreJob.run(plan, JobProgress(), ledger) }
    while bed.milvus.count("GetImportState") < 4 { await Task.yield() }
    ledger.suspend()
    work.cancel()
    _ = await work.value
    #expect(bed.milvus[.restored] != nil, "a suspended restore undoes nothing")
    #expect(try await !bed.milvusKeys("files/restore-temp-").isEmpty, "Milvus still reads the copies")
    bed.milvus.faults.withLock { $0.importsHang = false }
    let next = try await RestoreJob.prepare(bed.context, request, earlier: [ledger.record])
    let report = try await RestoreJob.run(next, JobProgress())
    #expect(report.collections.map(\.rowsRestored) == [297] && bed.rows() == 297 && bed.imports.count == 2)
    #expect(try await bed.milvusKeys("files/restore-temp-").isEmpty)
  }

  @Test func importsAgainWhatARestartOfMilvusLost() async throws {
    let bed = try await Bed.withBackup(shared: true)
    bed.milvus.faults.withLock { $0.importsLostByRestart = 2 }
    let report = try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    #expect(report.collections.map(\.rowsRestored) == [297] && bed.rows() == 297 && bed.imports.count == 4)
    #expect(report.warnings.contains { $0.contains("Milvus was restarted") })
  }

  /// What Milvus says of a task that its data node had been given and forgot.
  @Test(arguments: [true, false])
  func importsAgainWhatExpiredOnlyIfMilvusWasAway(wasAway: Bool) async throws {
    let bed = try await Bed.withBackup(shared: true)
    let left = Mutex(wasAway ? 2 : 0)
    bed.milvus.faults.withLock {
      $0.importsLostByRestart = 1
      $0.lossReason = "the import task has timed out"
      $0.before = { call throws(MilvusError) in
        guard call == "GetImportState" else { return }
        let isAway = left.withLock { left in
          left -= 1
          return left >= 0
        }
        if isAway { throw MilvusError(code: .unreachable, call: call, server: "milvus:19530", reason: "refused") }
      }
    }
    let request = RestoreRequest(backup: "bk", newName: "coll_bak")
    guard wasAway else {
      let error = try await #require(throws: EngineError.self) { try await bed.restore(request) }
      #expect(error.message.contains("rootCoord.importTaskExpiration"))
      return
    }
    let report = try await bed.restore(request)
    #expect(report.collections.map(\.rowsRestored) == [297] && bed.rows() == 297 && bed.imports.count == 3)
  }

  @Test func givesUpOnAMilvusThatIsRestartedAgainAndAgain() async throws {
    let bed = try await Bed.withBackup(shared: true)
    bed.milvus.faults.withLock { $0.importsLostByRestart = 100 }
    let error = try await #require(throws: EngineError.self) {
      try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    }
    #expect(error.code == .milvus && error.message.contains("service restarted"))
    #expect(bed.imports.count <= 2 * ImportRunner.attempts)
  }

  @Test func findsTheTaskWhoseNumberNeverCame() async throws {
    let bed = try await Bed.withBackup(shared: true)
    bed.milvus.faults.withLock { $0.importAnswersLost = 1 }
    let report = try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    #expect(report.collections.map(\.rowsRestored) == [297] && bed.rows() == 297 && bed.imports.count == 2)
  }
}
