// A collection's schema, partitions and indexes.

import BackupFormat
import MilvusClient

extension CollectionRestorer {
  /// Creates the collection with fields of the same ids.
  func create() async throws {
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
    let (first, later) = SchemaLineup.parts(of: schema)
    run.ledger.willCreate(target)
    do {
      try await run.patiently("creating \(target)", twice: false) {
        try await service.createCollection(spec(first), in: target.database)
      }
    } catch {
      // Only Milvus' own answer is certain: a connection may have broken behind the request.
      if (error as? MilvusError)?.status != nil { run.ledger.didNotCreate(target) }
      throw EngineError(error, during: "Creating the collection \(target)")
    }
    for field in later {
      try await during("Adding the field \(field.name) to \(target)") {
        try await service.addCollectionField(MilvusFieldSchema(field), to: target.collection, in: target.database)
      }
    }
    if needsCheckSwitchedOff, collection.source.properties.value(forKey: Self.checkSwitch) != "true" {
      try await during("Setting the properties of \(target)") {
        try await service.alterCollection(
          target.collection, in: target.database, properties: [MilvusKeyValue(key: Self.checkSwitch, value: "false")],
          deleteKeys: [])
      }
    }
    let created = try await describe()
    if let difference = SchemaLineup.difference(between: schema, and: created.schema) {
      throw EngineError(
        .unsupported,
        """
        The collection \(target) that Milvus \(service.versionText) at \(run.plan.context.milvus.address) created is not \
        as the backup needs it: \(difference).
        """)
    }
    run.ledger.created(target, id: created.collectionID)
  }

  /// While a collection with functions is created, the models behind them need not be reachable (milvus-backup, restore).
  private static let checkSwitch = "disable_func_runtime_check"

  private var needsCheckSwitchedOff: Bool {
    service.features.functionRuntimeCheck && !(collection.source.schema?.functions.isEmpty ?? true)
  }

  private func spec(_ schema: CollectionSchema) -> CollectionSpec {
    let properties = collection.source.properties.map(MilvusKeyValue.init)
    var all = schema.properties.map(MilvusKeyValue.init).union(properties)
    if needsCheckSwitchedOff {
      all.removeAll { $0.key == Self.checkSwitch }
      all.append(MilvusKeyValue(key: Self.checkSwitch, value: "true"))
    }
    return CollectionSpec(
      schema: MilvusCollectionSchema(schema, name: target.collection), shardsNum: max(1, collection.source.shardsNum),
      consistencyLevel: MilvusConsistencyLevel(rawValue: collection.source.consistencyLevel.rawValue),
      properties: all, numPartitions: hasPartitionKey ? Int64(collection.source.partitionBackups.count) : 0)
  }

  private var hasPartitionKey: Bool { collection.source.schema?.fields.contains(where: \.isPartitionKey) ?? false }

  /// Creates the partitions that are not there.
  func createPartitions() async throws {
    try await during("Creating the partitions of \(target)") {
      let existing = Set(
        try await service.partitions(of: target.collection, in: target.database).map(\.partitionName))
      let missing = collection.source.partitionBackups.map(\.partitionName).filter { !existing.contains($0) }
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

  /// Drops all indexes of an existing collection, which must not be loaded.
  func dropIndexes() async throws {
    let indexes = try await service.indexes(of: target.collection, in: target.database)
    for index in indexes {
      try await service.dropIndex(named: index.indexName, of: target.collection, in: target.database)
    }
  }

  /// Creates the backup's indexes on fields that have none: vectors first, then scalars.
  func createIndexes() async throws {
    let indexed = Set(try await service.indexes(of: target.collection, in: target.database).map(\.fieldName))
    let types = Dictionary((collection.source.schema?.fields ?? []).map { ($0.name, $0.dataType) }) { first, _ in first
    }
    let isVector = { (index: IndexInfo) in
      types[index.fieldName]?.isVector ?? index.params.contains { $0.key == "metric_type" }
    }
    let infos = collection.source.indexInfos
    for index in infos.filter(isVector) + infos.filter({ !isVector($0) }) {
      guard !indexed.contains(index.fieldName) else {
        if collection.disposition == .useExisting {
          run.progress.warn("\(target): the field \(index.fieldName) has an index already; it was left as it is.")
        }
        continue
      }
      let recipe = IndexRecipe(index, isVector: isVector(index), useAutoIndex: request.useAutoIndex)
      try await service.createIndex(
        named: recipe.name, on: index.fieldName, of: target.collection, in: target.database, params: recipe.params)
    }
  }
}

extension [KeyValuePair] {
  fileprivate func value(forKey key: String) -> String? { first { $0.key == key }?.value }
}
