// After the imports of a collection: does Milvus, asked another way, hold as many rows as its import tasks said?

import BackupFormat
import MilvusClient

/// Compares the server's statistics with what was imported.
struct RowCheck: Sendable {
  let run: RestoreRun
  let target: CollectionName
  /// Rows that were in the collection before.
  let before: Int64
  let account: RowAccount

  /// Waits until the statistics have followed the imports.
  /// - Throws: `EngineError` `.rowsMissing` when they show fewer rows for good.
  func check() async throws {
    let expected = before + account.restored
    let context = run.plan.context
    let begin = ContinuousClock.now
    var backoff = Backoff(context.pace.importPoll)
    var counted: Int64 = 0
    while true {
      counted = try await during("Counting the rows of \(target)") {
        try await run.service.rowCount(of: target.collection, in: target.database)
      }
      if counted >= expected { return }
      guard ContinuousClock.now - begin < .seconds(context.pace.statistics) else { break }
      run.progress.note("waiting until Milvus counts all rows of \(target)")
      try await backoff.wait()
    }
    let sentence = """
      Milvus at \(context.milvus.address) said that it imported \(account.restored.counted("row")) into \(target), but \
      counts \((counted - before).grouped) there.
      """
    // Only for 2.3 is it known that the statistics count what was imported; compaction of an existing collection may
    // remove its own deleted rows at any time.
    if run.service.features.version < ServerVersion(2, 4, 0), before == 0 {
      throw EngineError(.rowsMissing, sentence)
    }
    run.progress.warn(sentence)
  }
}
