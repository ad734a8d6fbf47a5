// Shows on standard error how far something is while it runs.

import BackupEngine

extension ProgressDisplay {
  /// Runs work that tells its progress; a signal to interrupt cancels it, and it may clean up.
  /// - Parameter leaving: what a second signal leaves, in a sentence.
  static func follow<Value: Sendable>(
    _ progress: JobProgress = JobProgress(), leaving: String,
    _ body: @escaping @Sendable (JobProgress) async throws -> Value
  ) async throws -> Value {
    let work = Task { try await body(progress) }
    let signals = TerminationSignals.cancelling(leaving: leaving) { work.cancel() }
    defer { signals.cancel() }
    return try await show({ progress.snapshot }) { try await work.value }
  }

  /// Shows what `look` answers, until that is nil, while `body` runs.
  static func show<Value>(
    _ look: @escaping @Sendable () -> JobProgress.Snapshot?, while body: () async throws -> Value
  ) async throws -> Value {
    let shown = Task {
      var display = ProgressDisplay()
      while !Task.isCancelled, let progress = look() {
        display.show(ProgressLine(progress))
        try? await Task.sleep(for: .milliseconds(display.pace))
      }
      display.clear()
    }
    let result: Result<Value, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    shown.cancel()
    await shown.value
    return try result.get()
  }
}
