// What a JobCenter keeps of one job while its process lives.

/// One job of a center.
struct JobEntry {
  /// The job as it is on disk, or would be.
  var record: JobRecord
  let progress = JobProgress()
  let begin = ContinuousClock.now
  var end: ContinuousClock.Instant?
  var error: EngineError?
  /// What a restore has done, while it runs.
  let ledger: RestoreLedger?
  /// Stops the work under way; nil between two pieces of it.
  var stop: (@Sendable () -> Void)?
  var isCancelled = false
  /// Callers of `finished`.
  var waiters: [CheckedContinuation<Void, Never>] = []
  /// Known from the journal only: it ended in another process.
  let isPast: Bool

  init(_ record: JobRecord, ledger: RestoreLedger? = nil, isPast: Bool = false) {
    self.record = record
    self.ledger = ledger
    self.isPast = isPast
    if isPast { end = begin }
  }

  var isRunning: Bool { end == nil }

  var target: JobTarget { JobTarget(store: record.store, backup: record.backup) }

  var purpose: JobCenter.Purpose { JobCenter.Purpose(kind: record.kind, target: target) }

  var snapshot: JobSnapshot {
    if isPast { return record.snapshot }
    let progress = progress.snapshot
    let success: JobState = progress.problems.isEmpty ? .done : .partial
    let state: JobState = isRunning ? .running : error.map { $0.code == .cancelled ? .cancelled : .failed } ?? success
    return JobSnapshot(
      id: record.id, kind: record.kind, target: target, state: state, progress: progress,
      result: record.result, error: error, started: record.started,
      elapsed: ((end ?? ContinuousClock.now) - begin) / .seconds(1))
  }

  /// The record with what the job came to.
  func finalRecord(at time: Int64) -> JobRecord {
    var record = record
    let snapshot = snapshot
    record.state = snapshot.state
    record.ended = time
    record.failure = error.map(JobRecord.Failure.init)
    record.warnings = snapshot.progress.warnings
    record.problems = snapshot.progress.problems
    record.bytesDone = snapshot.progress.bytesDone
    record.bytesTotal = snapshot.progress.bytesTotal
    record.rowsDone = snapshot.progress.rowsDone
    record.rowsTotal = snapshot.progress.rowsTotal
    record.claims = []
    return record
  }
}
