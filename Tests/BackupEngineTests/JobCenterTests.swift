// Which jobs may run side by side, how they end, and how they read as text.

import BackupFormat
import ObjectStore
import Synchronization
import Testing

@testable import BackupEngine
@testable import MilvusClient

@Suite struct JobCenterTests {
  /// A job that runs until it is let go or cancelled.
  private struct Gate: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(of: Void.self) }

    func open() { continuation.finish() }

    func pass() async throws(EngineError) {
      for await _ in stream {}
      if Task.isCancelled { throw EngineError(.cancelled, "Waiting was cancelled.", aftermath: "Nothing is left.") }
    }
  }

  private let target = JobTarget(store: "milvus_B", backup: "bk")

  private func start(
    _ center: JobCenter, _ gate: Gate, _ target: JobTarget? = nil, claims: [String] = []
  ) async throws(EngineError) -> JobSnapshot {
    try await center.start(.restore, target ?? self.target) { () throws(EngineError) in
      JobCenter.Prepared(claims: claims) { _ throws(EngineError) in
        try await gate.pass()
        return "All is well."
      }
    }
  }

  @Test func runsAJobToItsEndAndKeepsIt() async throws {
    let bed = Bed()
    try await bed.fill()
    let center = JobCenter()
    let started = try await center.startCreate(CreateRequest(name: "bk"), in: bed.context)
    #expect(started.id == "create-1" && started.target == JobTarget(store: "milvus_a", backup: "bk"))
    let ended = try #require(await center.finished(started.id))
    #expect(ended.state == .done && ended.result?.contains("300 rows") == true && ended.error == nil)
    #expect(center.snapshot(ended.target)?.id == "create-1")
    #expect(center.latest(.create, inStore: "milvus_a")?.id == "create-1")
    #expect(center.latest(.restore, inStore: "milvus_a") == nil)

    let restore = try await center.startRestore(RestoreRequest(backup: "bk", newName: "coll_bak"), in: bed.context)
    #expect(restore.id == "restore-1")
    #expect(await center.finished(restore.id)?.state == .done)
    // Of each kind the latest is kept.
    #expect(center.snapshots.map(\.id) == ["create-1", "restore-1"])
    #expect(center.snapshot(.create, of: ended.target)?.id == "create-1")
    #expect(center.snapshot(ended.target)?.id == "restore-1")
  }

  @Test func refusesASecondJobOnTheSameTargetAndNamesTheFirst() async throws {
    let (center, gate) = (JobCenter(), Gate())
    let first = try await start(center, gate)
    let error = try await #require(throws: EngineError.self) { try await start(center, Gate()) }
    #expect(error.code == .busy && error.message.contains(first.id) && error.message.contains("milvus_B/bk"))
    #expect(center.snapshot(target)?.id == first.id)
    // Another backup is another target.
    let other = try await start(center, gate, JobTarget(store: "milvus_B", backup: "other"))
    gate.open()
    _ = await center.finished(first.id)
    _ = await center.finished(other.id)
    let later = try await start(center, gate)
    #expect(later.id == "restore-3")
    _ = await center.finished(later.id)
  }

  @Test func refusesASecondRestoreIntoTheSameCollection() async throws {
    let (center, gate) = (JobCenter(), Gate())
    let first = try await start(center, gate, claims: ["collection default.x"])
    let other = JobTarget(store: "milvus_B", backup: "other")
    let error = try await #require(throws: EngineError.self) {
      try await start(center, Gate(), other, claims: ["collection default.y", "collection default.x"])
    }
    #expect(error.code == .busy && error.message.contains("default.x") && error.message.contains(first.id))
    #expect(center.snapshot(other)?.state == .failed)
    gate.open()
    _ = await center.finished(first.id)
    _ = try await start(center, gate, other, claims: ["collection default.x"])
    await center.shutdown()
  }

  @Test func keepsARefusalSoThatItsReasonCanBeRead() async throws {
    let bed = Bed()
    let center = JobCenter()
    let error = try await #require(throws: EngineError.self) {
      try await center.startRestore(RestoreRequest(backup: "nope"), in: bed.context)
    }
    #expect(error.code == .notFound)
    let kept = try #require(center.snapshot(JobTarget(store: "milvus_a", backup: "nope")))
    #expect(kept.state == .failed && kept.text.contains("error: There is no backup nope"))
  }

  @Test func cancelsARunningJob() async throws {
    let (center, gate) = (JobCenter(), Gate())
    let job = try await start(center, gate)
    #expect(center.cancel(job.id))
    let ended = try #require(await center.finished(job.id))
    #expect(ended.state == .cancelled && ended.text.contains("error: Waiting was cancelled. Nothing is left."))
    #expect(!center.cancel(job.id) && !center.cancel("restore-99"))
  }

  @Test func cancelsAJobThatIsStillBeingChecked() async throws {
    let (center, gate) = (JobCenter(), Gate())
    let target = target
    let starting = Task { () -> EngineError? in
      do throws(EngineError) {
        _ = try await center.start(.create, target) { () throws(EngineError) in
          try await gate.pass()
          return JobCenter.Prepared { _ throws(EngineError) in "never" }
        }
        return nil
      } catch {
        return error
      }
    }
    while center.snapshot(target) == nil { await Task.yield() }
    #expect(center.cancel("create-1"))
    #expect(await starting.value?.code == .cancelled)
    #expect(center.snapshot(target)?.state == .cancelled)
  }

  @Test func shutdownEndsWhatRunsAndTakesNothingMore() async throws {
    let center = JobCenter()
    let job = try await start(center, Gate())
    await center.shutdown()
    #expect(center.snapshot(id: job.id)?.state == .cancelled)
    let error = try await #require(throws: EngineError.self) { try await start(center, Gate()) }
    #expect(error.code == .cancelled)
  }

  @Test func cancellingACreateLeavesNothing() async throws {
    let bed = Bed()
    try await bed.fill()
    let (reached, signal) = AsyncStream.makeStream(of: Void.self)
    bed.backups.add { operation, _ in
      guard operation == .put else { return }
      signal.yield()
      try await Task.sleep(for: .seconds(3600))
    }
    let center = JobCenter()
    let job = try await center.startCreate(CreateRequest(name: "bk"), in: bed.context)
    for await _ in reached { break }
    #expect(center.snapshot(id: job.id)?.state == .running)
    center.cancel(job.id)
    #expect(await center.finished(job.id)?.state == .cancelled)
    #expect(try await bed.backupKeys().isEmpty)
  }
}

@Suite struct JobTextTests {
  private func snapshot(_ change: (inout JobSnapshot) -> Void) -> String {
    var snapshot = JobSnapshot(
      id: "restore-1", kind: .restore, target: JobTarget(store: "milvus_B", backup: "bk"), state: .running,
      progress: JobProgress.Snapshot(), started: 1_769_850_300, elapsed: 3.25)
    change(&snapshot)
    return snapshot.text
  }

  @Test func tellsARunningJob() {
    let text = snapshot {
      $0.progress.phase = "importing"
      $0.progress.percent = 42
      $0.progress.rowsDone = 19997
      $0.progress.rowsTotal = 20000
      $0.progress.bytesDone = 5
      $0.progress.bytesTotal = 10
    }
    #expect(
      text == """
        job: restore-1
        target: milvus_B/bk
        state: running
        phase: importing
        progress: 42%
        rows: 19997 of 20000
        bytes: 5 of 10
        started: 2026-01-31T09:05:00Z
        elapsed: 3.3 s

        """)
  }

  @Test func tellsAFailureInOneLine() {
    let text = snapshot {
      $0.state = .failed
      $0.error = EngineError(.milvus, "It failed:\nbadly.", aftermath: "Nothing is left.")
      $0.progress.warnings = ["one", "two"]
    }
    #expect(text.hasSuffix("warning: one\nwarning: two\nerror: It failed: badly. Nothing is left.\n"))
    #expect(!text.contains("phase:") && !text.contains("rows:"))
  }
}
