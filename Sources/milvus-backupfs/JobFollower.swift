// Shows a job's progress on the command line until it ends.

import BackupEngine
import Glibc

enum JobFollower {
  /// Follows a job; a signal to interrupt cancels it and waits for its cleaning up.
  /// - Returns: the job's result in a sentence.
  /// - Throws: `CommandFailure` with the job's error.
  static func follow(_ id: String, in jobs: JobCenter) async throws -> String {
    let signals = TerminationSignals { jobs.cancel(id) }
    defer { signals.cancel() }
    let isTerminal = isatty(STDERR_FILENO) == 1
    let display = Task {
      var last = ""
      while !Task.isCancelled, let job = jobs.snapshot(id: id), job.state == .running {
        let line = summary(job)
        if line != last { writeError(isTerminal ? "\r\u{1B}[K\(line)" : "\(line)\n") }
        last = line
        try? await Task.sleep(for: .milliseconds(isTerminal ? 200 : 1000))
      }
      if isTerminal { writeError("\r\u{1B}[K") }
    }
    let ended = await jobs.finished(id)
    display.cancel()
    await display.value
    guard let ended else { throw CommandFailure("The job \(id) is gone.") }
    for warning in ended.progress.warnings { printError("milvus-backupfs: warning: \(warning)") }
    if let error = ended.error { throw CommandFailure(error) }
    return ended.result ?? "done"
  }

  private static func summary(_ job: JobSnapshot) -> String {
    var text = "\(job.progress.percent)% \(job.progress.phase)"
    if job.progress.bytesTotal > 0 {
      text += " (\(job.progress.bytesDone >> 20) of \(job.progress.bytesTotal >> 20) MiB)"
    }
    return text
  }
}
