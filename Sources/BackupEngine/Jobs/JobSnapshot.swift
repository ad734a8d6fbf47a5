// One look at a job, and how it reads as text: the same lines in a control file, in the jobs directory and on the
// command line.

/// Which backup of which store a job works on: at most one job at a time.
public struct JobTarget: Sendable, Hashable, CustomStringConvertible {
  /// Name of the store.
  public var store: String
  /// Name of the backup.
  public var backup: String

  /// Names a target.
  public init(store: String, backup: String) {
    self.store = store
    self.backup = backup
  }

  /// `store/backup`.
  public var description: String { "\(store)/\(backup)" }
}

/// What a job does.
public enum JobKind: String, Sendable, Hashable, Codable {
  /// Saves collections of Milvus as a backup.
  case create
  /// Brings collections of a backup back into Milvus.
  case restore
  /// Compares a backup with what its metadata promises.
  case verify
}

/// Where a job is in its life.
public enum JobState: String, Sendable, Hashable, Codable {
  /// Checking the request or at work.
  case running
  /// Ended with success.
  case done
  /// Ended, but not with all that was asked for: the problems tell what failed.
  case partial
  /// Refused or failed; `error` tells why.
  case failed
  /// Stopped on request; `error` tells what is left.
  case cancelled
}

/// A job at one moment.
public struct JobSnapshot: Sendable {
  /// The job's name, such as `restore-1`; unique within a `JobCenter`.
  public var id: String
  /// What it does.
  public var kind: JobKind
  /// What it works on.
  public var target: JobTarget
  /// Where it is in its life.
  public var state: JobState
  /// How far it is.
  public var progress: JobProgress.Snapshot
  /// The result in one sentence; nil until it is done.
  public var result: String?
  /// Why it failed or what cancelling it left; nil otherwise.
  public var error: EngineError?
  /// Begin in seconds since 1970, UTC.
  public var started: Int64
  /// Seconds since the begin, or from begin to end.
  public var elapsed: Double

  /// The job as lines of `key: value`, each ended by a newline.
  ///
  /// Keys in this order, those without a value left out: `job`, `target`, `state`, `phase`, `progress`, `rows`, `bytes`,
  /// `objects`, `rate`, `left`, `started`, `elapsed`, `plan`, `warning` and `problem` (any number each), `result`, `error`. A
  /// value never contains a newline.
  public var text: String {
    var lines: [(String, String)] = [("job", id), ("target", target.description), ("state", state.rawValue)]
    if state == .running { lines.append(("phase", progress.phase)) }
    lines.append(("progress", "\(progress.percent)%"))
    if progress.rowsTotal > 0 { lines.append(("rows", "\(progress.rowsDone) of \(progress.rowsTotal)")) }
    if progress.bytesTotal > 0 { lines.append(("bytes", "\(progress.bytesDone) of \(progress.bytesTotal)")) }
    if progress.objectsTotal > 0 { lines.append(("objects", "\(progress.objectsDone) of \(progress.objectsTotal)")) }
    if state == .running, let rate = progress.bytesPerSecond, let left = progress.secondsLeft {
      lines.append(("rate", "\(Int64(rate)) bytes/s"))
      lines.append(("left", "\(Int64(left.rounded(.up))) s"))
    }
    lines.append(("started", UTCTime(secondsSince1970: started).iso8601))
    lines.append(("elapsed", "\((elapsed * 10).rounded() / 10) s"))
    lines += progress.lines.map { ("plan", $0) }
    lines += progress.warnings.map { ("warning", $0) }
    lines += progress.problems.map { ("problem", $0) }
    if let result { lines.append(("result", result)) }
    if let error { lines.append(("error", error.description)) }
    return lines.map { "\($0.0): \(Self.oneLine($0.1))\n" }.joined()
  }

  /// Servers put newlines into their error texts; a line must stay a line.
  private static func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}
