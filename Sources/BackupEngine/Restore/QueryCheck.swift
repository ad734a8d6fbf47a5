// After a collection was loaded: do queries find the rows that were imported?
//
// Milvus 2.3 can report an import as complete, and count its rows, and leave a segment of it out of everything that is
// ever loaded: when its etcd does not take the end of the import in time ("failed to unset segment isImporting state" in
// its log; seen on 2.3.5 under load). Only a query tells.

import BackupFormat
import MilvusClient

/// Compares what queries find with what was imported.
struct QueryCheck: Sendable {
  let run: RestoreRun
  let collection: RestorePlan.Collection
  /// The partitions that were loaded; empty for all.
  let partitions: [String]

  private var target: CollectionName { collection.target }

  /// Waits until queries find the rows.
  /// - Throws: `EngineError` `.rowsMissing` when they do not; the collection counts as unfinished then.
  func check() async throws {
    guard let expected else { return }
    let context = run.plan.context
    let begin = ContinuousClock.now
    var backoff = Backoff(context.pace.importPoll)
    var found: Int64 = 0
    while true {
      found = try await run.patiently("counting what queries find in \(target)") {
        try await run.service.queryableRows(of: target.collection, partitions: partitions, in: target.database)
      }
      if found >= expected { return }
      guard ContinuousClock.now - begin < .seconds(context.pace.statistics) else { break }
      run.progress.note("waiting until queries find all rows of \(target)")
      try await backoff.wait()
    }
    run.ledger.note { $0[target]?.stage = .created }
    throw EngineError(
      .rowsMissing,
      """
      Milvus at \(context.milvus.address) imported and loaded \(target), but queries find only \(found.grouped) of \
      \(expected.counted("row")). When Milvus' etcd is slow, 2.3 leaves a segment out for good: look for "failed to unset \
      segment isImporting state" in its log, and restore anew, without --resume, when it is less busy.
      """)
  }

  /// How many rows queries must find at least; nil if nothing is certain.
  private var expected: Int64? {
    guard let record = run.ledger.record[target], record.stage == .finished, record.rowsBefore == 0,
      !collection.bundles.isEmpty, !collection.bundles.contains(where: { $0.kind == .deletes }),
      // Rows whose time to live is over are not found.
      !hasTimeToLive
    else { return nil }
    let chosen = collection.bundles.filter { partitions.isEmpty || partitions.contains($0.partitionName) }
    // 2.3 applies deletes while it imports, and tells how many rows stay; later versions may do so afterwards.
    let isExact = run.service.features.version < ServerVersion(2, 4, 0)
    return chosen.reduce(0) { $0 + (isExact ? record.units[$1.name]?.rows ?? 0 : $1.certainRows) }
  }

  private var hasTimeToLive: Bool {
    let properties = collection.source.properties + (collection.source.schema?.properties ?? [])
    return properties.contains { $0.key == "collection.ttl.seconds" && (Int64($0.value) ?? 1) > 0 }
  }
}
