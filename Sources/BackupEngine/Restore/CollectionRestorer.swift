// One collection of a restore: create it as it was, import its rows, count them, then aliases and load state.

import BackupFormat
import MilvusClient
import ObjectStore

/// Restores one collection.
struct CollectionRestorer: Sendable {
  let run: RestoreRun
  let collection: RestorePlan.Collection

  var service: any MilvusService { run.service }
  var target: CollectionName { collection.target }
  var request: RestoreRequest { run.plan.request }

  /// Restores the collection; its rows are in Milvus and counted when it returns.
  func restore() async throws -> RestoreReport.Collection {
    if collection.disposition != .finished {
      try await bringBack()
      run.ledger.finished(target)
    }
    if request.restoresAliases {
      try await during("Giving \(target) its aliases") { try await createAliases() }
    }
    if request.restoresLoadState {
      try await during("Loading \(target)") { try await load() }
    }
    let saved = collection.bundles.reduce(0) { $0 + ($1.kind == .segments ? $1.rows : 0) }
    return RestoreReport.Collection(
      source: collection.source.qualifiedName, target: target, rowsRestored: run.ledger.record[target]?.rows ?? 0,
      rowsInBackup: saved, hasDeletes: collection.bundles.contains { $0.units.contains(where: \.hasDeltas) })
  }

  /// Structure and rows.
  private func bringBack() async throws {
    try await prepareTarget()
    try await createPartitions()
    if request.dropExistingIndex, collection.disposition == .useExisting {
      try await during("Dropping the indexes of \(target)") { try await dropIndexes() }
    }
    if request.rebuildIndex {
      try await during("Creating the indexes of \(target)") { try await createIndexes() }
    }
    guard !request.metaOnly else { return }
    let account = try await importRows()
    let before = run.ledger.record[target]?.rowsBefore ?? 0
    try await RowCheck(run: run, collection: collection, before: before, account: account).check()
  }

  /// Creates the collection, or looks at the existing one.
  private func prepareTarget() async throws {
    run.progress.note("creating \(target)")
    switch collection.disposition {
    case .goOn, .finished:
      return
    case .useExisting:
      let description = try await describe()
      let rows = try await during("Counting the rows of \(target)") {
        try await service.rowCount(of: target.collection, in: target.database)
      }
      return run.ledger.willAdd(to: target, id: description.collectionID, rowsBefore: rows)
    case .replace(let aliases):
      try await during("Dropping the existing collection \(target)") {
        // A collection with aliases cannot be dropped from Milvus 2.4 on.
        for alias in aliases { try await service.dropAlias(alias, in: target.database) }
        try await service.dropCollection(target.collection, in: target.database)
      }
      run.ledger.dropped(target)
    case .create:
      break
    }
    try await create()
  }

  /// Imports all bundles: rows side by side, then deletes one after the other.
  private func importRows() async throws -> RowAccount {
    let rows = collection.bundles.filter { $0.kind == .segments }
    let accounts = try await mapConcurrently(rows, limit: run.slots.capacity) { try await importBundle($0) }
    for deletes in collection.bundles where deletes.kind == .deletes { _ = try await importBundle(deletes) }
    return accounts.reduce(into: RowAccount()) { $0 += $1 }
  }

  private func importBundle(_ bundle: ImportBundle) async throws -> RowAccount {
    // One bound for all collections of the restore.
    try await run.slots.withBytes(1) {
      let rows = try await ImportRunner(run: run, collection: collection).rows(of: bundle)
      guard bundle.kind == .segments else { return RowAccount() }
      let account = RowAccount(saved: bundle.rows, certain: bundle.certainRows, restored: rows)
      if let problem = account.problem {
        throw EngineError(
          .rowsMissing,
          """
          Milvus at \(run.plan.context.milvus.address) says that it imported the partition \(bundle.partitionName) of \
          \(target), but \(problem).
          """)
      }
      return account
    }
  }

  func describe() async throws -> CollectionDescription {
    try await during("Describing the collection \(target)") {
      try await service.describeCollection(target.collection, in: target.database)
    }
  }
}
