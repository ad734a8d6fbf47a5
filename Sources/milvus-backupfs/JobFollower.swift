// Shows a job's progress on the command line until it ends.

import BackupEngine

enum JobFollower {
  /// Follows a job; a signal to interrupt cancels it and waits for its cleaning up.
  /// - Returns: the job's result in a sentence.
  /// - Throws: `CommandFailure` with the job's error.
  static func follow(_ id: String, in jobs: JobCenter) async throws -> String {
    let signals = TerminationSignals { jobs.cancel(id) }
    defer { signals.cancel() }
    let display = Task {
      var display = ProgressDisplay()
      while !Task.isCancelled, let job = jobs.snapshot(id: id), job.state == .running {
        display.show(ProgressLine(job.progress))
        try? await Task.sleep(for: .milliseconds(display.pace))
      }
      display.clear()
    }
    let ended = await jobs.finished(id)
    display.cancel()
    await display.value
    guard let ended else { throw CommandFailure("The job \(id) is gone.") }
    for warning in ended.progress.warnings { printError("milvus-backupfs: warning: \(warning)") }
    if let error = ended.error { throw CommandFailure(error) }
    return ended.result ?? "done"
  }
}

extension ProgressLine {
  init(_ progress: JobProgress.Snapshot) {
    self.init(
      percent: progress.percent, phase: progress.phase, bytesDone: progress.bytesDone, bytesTotal: progress.bytesTotal,
      bytesPerSecond: progress.bytesPerSecond, secondsLeft: progress.secondsLeft)
  }
}
