// Restores that fail while they run: what is reported, what is undone and what is left.

import BackupFormat
import ObjectStore
import Synchronization
import Testing

@testable import BackupEngine
@testable import MilvusClient

@Suite struct RestoreFailureTests {
  @Test(arguments: [ImportState.failed, .failedAndCleaned])
  func dropsWhatItCreatedWhenAnImportFails(state: ImportState) async throws {
    let bed = try await Bed.withBackup(shared: false)
    bed.milvus.faults.withLock { $0.finalState = state }
    let error = try await #require(throws: EngineError.self) {
      try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    }
    #expect(error.code == .milvus && error.message.contains("disk is on fire"))
    #expect(error.message.contains("milvus:19530") && error.message.contains("default.coll_bak"))
    #expect(error.aftermath.contains("default.coll_bak, which this restore had created, was dropped again"))
    #expect(bed.milvus[.restored] == nil)
    #expect(try await bed.milvusKeys("files/restore-temp-").isEmpty)
  }

  /// Milvus 2.3 tries an import whose collection is gone again and again, and imports nothing else meanwhile.
  @Test(arguments: [true, false])
  func aCancelledRestoreWaitsForTasksUnderWayWithinBounds(tasksEnd: Bool) async throws {
    let bed = try await Bed.withBackup(shared: false, limits: EngineLimits(undoPatience: tasksEnd ? 5 : 0.1))
    bed.milvus.faults.withLock { $0.importsHang = true }
    let plan = try await RestoreJob.prepare(bed.context, RestoreRequest(backup: "bk", newName: "coll_bak"))
    let work = Task { try await RestoreJob.run(plan, JobProgress()) }
    while bed.milvus.count("GetImportState") < 4 { await Task.yield() }
    work.cancel()
    if tasksEnd {
      let asked = bed.milvus.count("GetImportState")
      while bed.milvus.count("GetImportState") < asked + 10 { await Task.yield() }
      #expect(bed.milvus.count("DropCollection") == 0, "it imports still")
      bed.milvus.faults.withLock { $0.importsHang = false }
    }
    let error = try await #require(throws: EngineError.self) { try await work.value }
    #expect(error.code == .cancelled && error.aftermath.contains("was dropped again"))
    #expect(bed.milvus[.restored] == nil && bed.milvus.count("DropCollection") == 1)
    #expect(try await bed.milvusKeys("files/restore-temp-").isEmpty)
  }

  @Test func keepsAnExistingCollectionWhenAnImportIntoItFails() async throws {
    let bed = try await Bed.withBackup(shared: true)
    try await bed.milvus.createCollection(.coll(named: "coll"), in: "default")
    bed.milvus.faults.withLock { $0.finalState = .failed }
    let error = try await #require(throws: EngineError.self) {
      try await bed.restore(RestoreRequest(backup: "bk", skipCreateCollection: true))
    }
    #expect(bed.milvus[.coll] != nil && bed.milvus.count("DropCollection") == 0)
    #expect(error.aftermath.contains("default.coll existed before and stays"))
    #expect(error.aftermath.contains("twice"))
  }

  @Test func failsWhenMilvusForgetsATask() async throws {
    let bed = try await Bed.withBackup(shared: true)
    let milvus = bed.milvus
    milvus.faults.withLock {
      $0.before = { call throws(MilvusError) in
        if call == "GetImportState" { milvus.state.withLock { $0.imports = [:] } }
      }
    }
    let error = try await #require(throws: EngineError.self) {
      try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    }
    #expect(error.code == .milvus && error.message.contains("doesn't exist"))
    #expect(bed.milvus[.restored] == nil)
  }

  @Test func tellsWhatIsLeftWhenMilvusStaysAway() async throws {
    let bed = try await Bed.withBackup(shared: false, limits: EngineLimits(milvusPatience: 0.05))
    let isAway = Mutex(false)
    bed.milvus.faults.withLock {
      $0.before = { call throws(MilvusError) in
        if call == "GetImportState" { isAway.withLock { $0 = true } }
        guard isAway.withLock({ $0 }) else { return }
        throw MilvusError(code: .unreachable, call: call, server: "milvus:19530", reason: "connection refused")
      }
    }
    let error = try await #require(throws: EngineError.self) {
      try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    }
    #expect(error.code == .unreachable && error.message.contains("milvus:19530"))
    #expect(error.aftermath.contains("default.coll_bak, which this restore had created, could not be dropped"))
    #expect(error.aftermath.contains("may still bring rows into default.coll_bak by 2 import tasks"))
    #expect(bed.milvus[.restored] != nil)
    // Milvus may be reading them, and would end such a task with success and without rows.
    #expect(error.aftermath.contains("stay until Milvus has imported them"))
    #expect(try await !bed.milvusKeys("files/restore-temp-").isEmpty)
  }

  @Test(arguments: [Int64(-1), 1])
  func failsWhenATaskBringsOtherRowsThanTheBackupHolds(difference: Int64) async throws {
    let bed = try await Bed.withBackup(shared: true)
    // The partition without deletes must come back to the row, the other with at most its rows.
    bed.milvus.faults.withLock { $0.claimedRows = { $0 == 150 ? $0 + difference : $0 } }
    let error = try await #require(throws: EngineError.self) {
      try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    }
    #expect(error.code == .rowsMissing && error.message.contains("partition p1"))
    #expect(error.message.contains("150") && error.message.contains("\(150 + difference)"))
    #expect(bed.milvus[.restored] == nil)
  }

  @Test func failsWhenRowsAreMissingThatNoDeleteCanExplain() async throws {
    let bed = try await Bed.withBackup(shared: true)
    // _default: 100 rows without deletes, 50 with.
    bed.milvus.faults.withLock { $0.claimedRows = { $0 == 147 ? 99 : $0 } }
    let error = try await #require(throws: EngineError.self) {
      try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    }
    #expect(error.code == .rowsMissing && error.message.contains("partition _default"))
    bed.milvus.faults.withLock {
      $0.claimedRows = { $0 == 147 ? 100 : $0 }
      $0.importedRows = { $0 == 147 ? 100 : $0 }
    }
    let report = try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    #expect(report.collections.map(\.rowsRestored) == [250])
  }

  @Test func failsWhenMilvusCountsFewerRowsThanItsTasksSaid() async throws {
    let bed = try await Bed.withBackup(shared: true)
    bed.milvus.faults.withLock { $0.importedRows = { $0 - 1 } }
    let error = try await #require(throws: EngineError.self) {
      try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    }
    #expect(error.code == .rowsMissing && error.message.contains("297") && error.message.contains("295"))
    #expect(bed.milvus[.restored] == nil)
  }

  @Test func failsWhenMilvusGivesTheFieldsOtherIDs() async throws {
    let bed = try await Bed.withBackup(shared: true)
    bed.milvus.faults.withLock { $0.firstFieldID = 101 }
    let error = try await #require(throws: EngineError.self) {
      try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    }
    #expect(error.code == .unsupported && error.message.contains("id 101 instead of 100"))
    #expect(bed.milvus[.restored] == nil && bed.imports.isEmpty)
  }

  @Test func doesNotTakeACollectionForItsOwnThatAppearedMeanwhile() async throws {
    let bed = try await Bed.withBackup(shared: true)
    let plan = try await RestoreJob.prepare(bed.context, RestoreRequest(backup: "bk", newName: "coll_bak"))
    try await bed.milvus.createCollection(.coll(named: "coll_bak"), in: "default")
    try await bed.milvus.addSegment(to: .restored, rows: 5)
    let error = try await #require(throws: EngineError.self) { try await RestoreJob.run(plan, JobProgress()) }
    #expect(error.code == .alreadyExists && bed.rows() == 5)
  }

  @Test func keepsCollectionsThatAreCompleteWhenALaterOneFails() async throws {
    let source = Bed(name: "source")
    for name in ["a", "b"] { try await source.fill(CollectionName(collection: name)) }
    try await source.create()
    let bed = Bed(
      shared: true, name: "target", limits: EngineLimits(collectionsInFlight: 1))
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
      try await bed.restore(RestoreRequest(backup: "bk", renames: try RenameRules(suffix: "_bak")))
    }
    #expect(error.aftermath.contains("Completely restored and kept: default.a_bak"))
    #expect(error.aftermath.contains("default.b_bak, which this restore had created, was dropped again"))
    #expect(bed.rows(CollectionName(collection: "a_bak")) == 297)
    #expect(bed.milvus[CollectionName(collection: "b_bak")] == nil)
  }

  @Test func leavesNothingWhenItIsCancelledInMidImport() async throws {
    let bed = try await Bed.withBackup(shared: false)
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
    #expect(error.code == .cancelled)
    #expect(
      error.aftermath == "default.coll_bak, which this restore had created, was dropped again.")
    #expect(bed.milvus[.restored] == nil)
    #expect(try await bed.milvusKeys("files/restore-temp-").isEmpty)
    #expect(bed.milvus.state.withLock { $0.openConnections } == 0)
  }

  /// A store carries out what it has received, whether or not somebody waits for the answer.
  @Test func copiesThatAreUnderWayWhenOneFailsAreRemovedToo() async throws {
    let bed = try await Bed.withBackup(shared: false)
    let (objects, bucket) = (bed.objects, bed.milvus.store)
    let begun = Mutex(0)
    objects.add { operation, key in
      guard operation == .put, key.string.hasPrefix("files/restore-temp-") else { return }
      let number = begun.withLock { count in
        count += 1
        return count
      }
      guard number > 1 else {
        while begun.withLock({ $0 }) < 4 { await Task.yield() }
        throw objects.error(.accessDenied, "PutObject", key)
      }
      let late = Task {
        try await Task.sleep(for: .milliseconds(300))
        try await bucket.put(key, [1], condition: .none)
      }
      try await Task.sleep(for: .milliseconds(300))
      _ = try await late.value
    }
    let error = try await #require(throws: EngineError.self) {
      try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    }
    #expect(error.aftermath.contains("was dropped again"))
    try await Task.sleep(for: .milliseconds(600))
    #expect(try await bed.milvusKeys("files/restore-temp-").isEmpty)
  }

  @Test func tellsOfTemporaryCopiesThatCannotBeRemoved() async throws {
    let bed = try await Bed.withBackup(shared: false)
    let objects = bed.objects
    objects.add { operation, key in
      if operation == .delete { throw objects.error(.accessDenied, "DeleteObject", key) }
    }
    let report = try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    #expect(report.collections.map(\.rowsRestored) == [297])
    #expect(report.warnings.contains { $0.contains("files/restore-temp-") && $0.contains("could not be removed") })
  }

  @Test func failsWhenItMayNotWriteToMilvusBucket() async throws {
    let bed = try await Bed.withBackup(shared: false)
    let objects = bed.objects
    objects.add { operation, key in
      if operation == .put { throw objects.error(.accessDenied, "PutObject", key) }
    }
    let error = try await #require(throws: EngineError.self) {
      try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    }
    #expect(error.code == .accessDenied && error.message.contains("milvus-target"))
    #expect(bed.milvus[.restored] == nil)
  }
}
