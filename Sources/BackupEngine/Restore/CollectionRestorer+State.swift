// What a collection had beside its data: aliases, and whether it was loaded.

import BackupFormat
import MilvusClient

extension CollectionRestorer {
  /// Creates the backup's aliases; one that leads to the collection already is left as it is.
  func createAliases() async throws {
    let present = Set(try await describe().aliases)
    for alias in collection.source.aliases where !present.contains(alias) {
      try await service.createAlias(alias, for: target.collection, in: target.database)
    }
  }

  /// Loads the collection, or those of its partitions that were loaded, waits until Milvus has them in memory, and counts
  /// what queries find.
  func load() async throws {
    switch LoadPlan(collection.source) {
    case .nothing: return
    case .collection:
      try await service.loadCollection(target.collection, in: target.database, replicas: 1)
      try await waitForLoad([])
      try await QueryCheck(run: run, collection: collection, partitions: []).check()
    case .partitions(let names):
      try await service.loadPartitions(names, of: target.collection, in: target.database, replicas: 1)
      try await waitForLoad(names)
      try await QueryCheck(run: run, collection: collection, partitions: names).check()
    }
  }

  private func waitForLoad(_ partitions: [String]) async throws {
    run.progress.note("loading \(target)")
    let context = run.plan.context
    let begin = ContinuousClock.now
    var backoff = Backoff(context.pace.importPoll)
    while true {
      let state = try await run.patiently("loading \(target)") {
        try await service.loadState(of: target.collection, partitions: partitions, in: target.database)
      }
      if state == .loaded { return }
      guard ContinuousClock.now - begin < .seconds(context.limits.loadPatience) else {
        throw EngineError(
          .timedOut,
          """
          Milvus at \(context.milvus.address) has not loaded \(target) within \(Int(context.limits.loadPatience)) \
          seconds. Its rows are restored; it may still be loading: look at Milvus' log and its memory.
          """)
      }
      try await backoff.wait()
    }
  }
}

/// What is to be loaded. Logic without I/O.
enum LoadPlan: Sendable, Hashable {
  case nothing
  case collection
  /// Only these partitions.
  case partitions([String])

  /// What was loaded, or on its way, when the backup was made.
  init(_ source: CollectionBackupInfo) {
    let isLoaded = { (state: String) in ["Loaded", "Loading"].contains(state) }
    let partitions = source.partitionBackups.filter { isLoaded($0.loadState) }.map(\.partitionName)
    if !partitions.isEmpty, partitions.count < source.partitionBackups.count {
      self = .partitions(partitions)
    } else {
      self = isLoaded(source.loadState) || !partitions.isEmpty ? .collection : .nothing
    }
  }
}
