// One collection of a restore: create it as it was, import its rows, count them.

import BackupFormat
import MilvusClient
import ObjectStore

/// Restores one collection.
struct CollectionRestorer: Sendable {
  let run: RestoreRun
  let collection: RestorePlan.Collection

  private var service: any MilvusService { run.service }
  private var target: CollectionName { collection.target }

  /// Restores the collection; its rows are in Milvus and counted when it returns.
  func restore() async throws -> RestoreReport.Collection {
    let before = try await prepareTarget()
    try await createPartitions()
    if run.plan.request.rebuildIndex {
      try await during("Creating the indexes of \(target)") { try await createIndexes() }
    }
    var account = RowAccount()
    if !run.plan.request.metaOnly {
      account = try await importRows()
      try await RowCheck(run: run, target: target, before: before, account: account).check()
    }
    run.ledger.finished(target)
    return RestoreReport.Collection(
      source: collection.source.qualifiedName, target: target, rowsRestored: account.restored,
      rowsInBackup: account.saved, hasDeletes: collection.bundles.contains { $0.units.contains(where: \.hasDeltas) })
  }

  /// Creates the collection, or looks at the existing one.
  /// - Returns: rows that are in it before the import.
  private func prepareTarget() async throws -> Int64 {
    run.progress.note("creating \(target)")
    switch collection.disposition {
    case .useExisting:
      run.ledger.willAdd(to: target)
      return try await during("Counting the rows of \(target)") {
        try await service.rowCount(of: target.collection, in: target.database)
      }
    case .replace:
      try await during("Dropping the existing collection \(target)") {
        try await service.dropCollection(target.collection, in: target.database)
      }
      run.ledger.dropped(target)
    case .create:
      break
    }
    try await create()
    return 0
  }

  private func create() async throws {
    guard let schema = collection.source.schema else { return }
    // Milvus answers success when a collection of the same schema exists: then it would not be this restore's own.
    let isTaken = try await during("Looking for the collection \(target)") {
      try await service.hasCollection(target.collection, in: target.database)
    }
    guard !isTaken else {
      throw EngineError(
        .alreadyExists,
        "The collection \(target) has come into being in Milvus at \(run.plan.context.milvus.address) meanwhile.")
    }
    run.ledger.willCreate(target)
    do throws(MilvusError) {
      try await service.createCollection(spec(schema), in: target.database)
    } catch {
      // Only Milvus' own answer is certain: a connection may have broken behind the request.
      if error.status != nil { run.ledger.didNotCreate(target) }
      throw EngineError(error, during: "Creating the collection \(target)")
    }
    let created = try await during("Describing the collection \(target)") {
      try await service.describeCollection(target.collection, in: target.database)
    }
    if let difference = SchemaLineup.difference(between: schema, and: created.schema) {
      throw EngineError(
        .unsupported,
        """
        The collection \(target) that Milvus \(service.versionText) at \(run.plan.context.milvus.address) created is not \
        as the backup needs it: \(difference).
        """)
    }
  }

  private func spec(_ schema: CollectionSchema) -> CollectionSpec {
    let hasPartitionKey = schema.fields.contains(where: \.isPartitionKey)
    let properties = collection.source.properties.map(MilvusKeyValue.init)
    return CollectionSpec(
      schema: MilvusCollectionSchema(schema, name: target.collection), shardsNum: max(1, collection.source.shardsNum),
      consistencyLevel: MilvusConsistencyLevel(rawValue: collection.source.consistencyLevel.rawValue),
      properties: schema.properties.map(MilvusKeyValue.init).union(properties),
      numPartitions: hasPartitionKey ? Int64(collection.source.partitionBackups.count) : 0)
  }

  private func createPartitions() async throws {
    try await during("Creating the partitions of \(target)") {
      let existing = Set(
        try await service.partitions(of: target.collection, in: target.database).map(\.partitionName))
      let missing = collection.source.partitionBackups.map(\.partitionName).filter { !existing.contains($0) }
      let hasPartitionKey = collection.source.schema?.fields.contains(where: \.isPartitionKey) ?? false
      guard !hasPartitionKey || missing.isEmpty else {
        throw EngineError(
          .unsupported,
          """
          \(target) is divided by a partition key, and Milvus named its partitions otherwise than the backup: there is \
          no \(missing.listed()).
          """)
      }
      for name in missing {
        try await service.createPartition(name, of: target.collection, in: target.database)
      }
    }
  }

  private func createIndexes() async throws {
    let indexed = Set(try await service.indexes(of: target.collection, in: target.database).map(\.fieldName))
    let types = Dictionary((collection.source.schema?.fields ?? []).map { ($0.name, $0.dataType) }) { first, _ in first
    }
    let isVector = { (index: IndexInfo) in
      types[index.fieldName]?.isVector ?? index.params.contains { $0.key == "metric_type" }
    }
    let infos = collection.source.indexInfos
    for index in infos.filter(isVector) + infos.filter({ !isVector($0) }) {
      guard !indexed.contains(index.fieldName) else {
        run.progress.warn("\(target): the field \(index.fieldName) has an index already; it was left as it is.")
        continue
      }
      let recipe = IndexRecipe(index, isVector: isVector(index), useAutoIndex: run.plan.request.useAutoIndex)
      try await service.createIndex(
        named: recipe.name, on: index.fieldName, of: target.collection, in: target.database, params: recipe.params)
    }
  }

  /// Imports all bundles: rows side by side, then deletes one after the other.
  private func importRows() async throws -> RowAccount {
    let rows = collection.bundles.filter { $0.kind == .segments }
    let limits = run.plan.context.limits
    let limit = run.staging == nil ? limits.importsInFlight : limits.stagedUnitsInFlight
    let accounts = try await mapConcurrently(rows, limit: limit) { try await importBundle($0) }
    for deletes in collection.bundles where deletes.kind == .deletes { _ = try await importBundle(deletes) }
    return accounts.reduce(into: RowAccount()) { $0 += $1 }
  }

  private func importBundle(_ bundle: ImportBundle) async throws -> RowAccount {
    // One bound for all collections of the restore.
    try await run.slots.withBytes(1) {
      let rows = try await run.withDirectories(of: bundle) { base in
        let runner = ImportRunner(
          service: service, context: run.plan.context, progress: run.progress, ledger: run.ledger)
        return try await runner.run(bundle, of: collection, base: base)
      }
      guard bundle.kind == .segments else { return RowAccount() }
      run.ledger.imported(rows, into: target)
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
}
