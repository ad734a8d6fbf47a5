// Shows a job's progress on the command line until it ends.

import BackupEngine

enum JobFollower {
  /// Exit status of a job that did only part of what was asked for.
  static let partial: Int32 = 3

  /// Follows a job; a signal to interrupt cancels it and waits for its cleaning up.
  /// - Returns: the job's result in a sentence.
  /// - Throws: `CommandFailure` with the job's error, or with exit status 3 and its result when only part was done.
  static func follow(_ id: String, in jobs: JobCenter) async throws -> String {
    let signals = TerminationSignals.cancelling(
      leaving: "Ask again for the same: it tells what is left of \(id), and what to do."
    ) { jobs.cancel(id) }
    defer { signals.cancel() }
    let ended = try await ProgressDisplay.show({
      jobs.snapshot(id: id).flatMap { $0.state == .running ? $0.progress : nil }
    }) {
      await jobs.finished(id)
    }
    guard let ended else { throw CommandFailure("The job \(id) is gone.") }
    for warning in ended.progress.warnings { printError("milvus-backupfs: warning: \(warning)") }
    for problem in ended.progress.problems { printError("milvus-backupfs: \(problem)") }
    if let error = ended.error { throw CommandFailure(error) }
    guard ended.state != .partial else {
      var failure = CommandFailure(ended.result ?? "Not everything was done.")
      failure.exitCode = partial
      throw failure
    }
    return ended.result ?? "done"
  }
}

extension ProgressLine {
  init(_ progress: JobProgress.Snapshot) {
    self.init(
      percent: progress.percent, phase: progress.phase, bytesDone: progress.bytesDone, bytesTotal: progress.bytesTotal,
      objectsDone: progress.objectsDone, objectsTotal: progress.objectsTotal, bytesPerSecond: progress.bytesPerSecond,
      secondsLeft: progress.secondsLeft)
  }
}
