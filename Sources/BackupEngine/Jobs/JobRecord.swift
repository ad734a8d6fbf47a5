// What is kept on disk of one job: enough to show it, to go on with it, and to clean up after it. Holds no secret.

import ObjectStore

/// One job as a file of the journal tells it.
public struct JobRecord: Codable, Sendable, Hashable {
  /// Why a job failed.
  struct Failure: Codable, Sendable, Hashable {
    var code: String
    var message: String
    var aftermath: String

    init(_ error: EngineError) {
      code = error.code.description
      message = error.message
      aftermath = error.aftermath
    }

    var error: EngineError { EngineError(EngineError.Code(code), message, aftermath: aftermath) }
  }

  /// The job's name.
  public var id: String
  /// What it does.
  public var kind: JobKind
  /// Name of the store it works on.
  public var store: String
  /// Name of the backup it works on.
  public var backup: String
  /// Who runs it, or ran it last.
  public var process: ProcessMark
  /// Whether that is a daemon, whose restores are gone on with by the next one.
  public var isService: Bool
  /// Begin in seconds since 1970, UTC.
  public var started: Int64
  /// End in seconds since 1970; nil while it runs, and for ever when its process was killed.
  public var ended: Int64?
  /// Where it is in its life.
  public var state = JobState.running
  /// What no other job may work on meanwhile.
  var claims: [String] = []
  var result: String?
  var failure: Failure?
  var warnings: [String] = []
  var problems: [String]? = []
  var bytesDone: Int64 = 0
  var bytesTotal: Int64 = 0
  var rowsDone: Int64 = 0
  var rowsTotal: Int64 = 0
  /// What a restore was asked for, and what it has done.
  var request: RestoreRequest?
  var restore: RestoreRecord?

  /// Whether the job was running when its process ended.
  public var isOrphaned: Bool { state == .running && process.fate == .ended }
  /// Whether a process is working on it.
  var isAlive: Bool { state == .running && process.fate != .ended }

  /// The job as it was when it ended.
  public var snapshot: JobSnapshot {
    var progress = JobProgress.Snapshot()
    progress.bytesDone = bytesDone
    progress.bytesTotal = bytesTotal
    progress.rowsDone = rowsDone
    progress.rowsTotal = rowsTotal
    progress.warnings = warnings
    progress.problems = problems ?? []
    progress.phase = state == .running ? "running in another process" : state.rawValue
    if state == .done || state == .partial { progress.percent = 100 }
    let now = ended ?? UTCTime.now().secondsSince1970
    return JobSnapshot(
      id: id, kind: kind, target: JobTarget(store: store, backup: backup), state: state, progress: progress,
      result: result, error: failure?.error, started: started, elapsed: Double(max(0, now - started)))
  }
}
