// Shows on standard error how far something is: one line that changes on a terminal, a line a second elsewhere.

import BackupEngine
import Glibc

enum ProgressDisplay {
  /// Runs work that tells its progress; a signal to interrupt cancels it, and it may clean up.
  static func follow<Value: Sendable>(
    _ body: @escaping @Sendable (JobProgress) async throws -> Value
  ) async throws -> Value {
    let progress = JobProgress()
    let work = Task { try await body(progress) }
    let signals = TerminationSignals { work.cancel() }
    defer { signals.cancel() }
    return try await show({ progress.snapshot }) { try await work.value }
  }

  /// Shows what `look` answers, until that is nil, while `body` runs.
  static func show<Value>(
    _ look: @escaping @Sendable () -> JobProgress.Snapshot?, while body: () async throws -> Value
  ) async throws -> Value {
    let isTerminal = isatty(STDERR_FILENO) == 1
    let display = Task {
      var last = ""
      while !Task.isCancelled, let progress = look() {
        let line = summary(progress)
        if line != last { writeError(isTerminal ? "\r\u{1B}[K\(line)" : "\(line)\n") }
        last = line
        try? await Task.sleep(for: .milliseconds(isTerminal ? 200 : 1000))
      }
      if isTerminal { writeError("\r\u{1B}[K") }
    }
    let result: Result<Value, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    display.cancel()
    await display.value
    return try result.get()
  }

  private static func summary(_ progress: JobProgress.Snapshot) -> String {
    var text = "\(progress.percent)% \(progress.phase)"
    if progress.bytesTotal > 0 { text += " (\(progress.bytesDone >> 20) of \(progress.bytesTotal >> 20) MiB)" }
    return text
  }
}
