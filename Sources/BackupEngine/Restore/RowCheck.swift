// After the imports of a collection: does Milvus, asked another way, hold as many rows as its import tasks said?

import BackupFormat
import MilvusClient

/// Compares the server's statistics with what was imported.
struct RowCheck: Sendable {
  let run: RestoreRun
  let collection: RestorePlan.Collection
  /// Rows that were in the collection before.
  let before: Int64
  let account: RowAccount

  private var target: CollectionName { collection.target }

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
        try await run.patiently("counting the rows of \(target)") {
          try await run.service.rowCount(of: target.collection, in: target.database)
        }
      }
      if counted >= expected { return }
      guard ContinuousClock.now - begin < .seconds(context.pace.statistics) else { break }
      run.progress.note("waiting until Milvus counts all rows of \(target)")
      try await backoff.wait()
    }
    let sentence = """
      Milvus at \(context.milvus.address) said that it imported \(account.restored.counted("row")) into \(target), but \
      counts \((counted - before).grouped) there\(try await shortfalls()).
      """
    // Only for 2.3 is it known that the statistics count what was imported; compaction of an existing collection may
    // remove its own deleted rows at any time.
    if run.service.features.version < ServerVersion(2, 4, 0), before == 0 {
      throw EngineError(.rowsMissing, sentence)
    }
    run.progress.warn(sentence)
  }

  /// Which partitions have fewer rows than were imported into them, as the end of a sentence.
  private func shortfalls() async throws -> String {
    guard before == 0, let units = run.ledger.record[target]?.units else { return "" }
    var expected: [String: Int64] = [:]
    for bundle in collection.bundles where bundle.kind == .segments {
      expected[bundle.partitionName, default: 0] += units[bundle.name]?.rows ?? 0
    }
    let short = try await mapConcurrently(expected.sorted { $0.key < $1.key }, limit: 4) { partition, rows in
      let counted = try await during("Counting the rows of \(target)") {
        try await run.service.rowCount(ofPartition: partition, of: target.collection, in: target.database)
      }
      return counted < rows ? "\(counted.grouped) of \(rows.grouped) in the partition \(partition)" : nil
    }.compactMap { $0 }
    return short.isEmpty ? "" : ": \(short.listed())"
  }
}
