// Asks Milvus whether a restore can be carried out there. Changes nothing.

import BackupFormat
import MilvusClient

/// The checks against the target server.
struct TargetCheck: Sendable {
  let service: any MilvusService
  let request: RestoreRequest
  let context: EngineContext

  private var milvus: String { "Milvus \(service.versionText) at \(context.milvus.address)" }

  /// Checks the chosen collections and makes the plan.
  func plan(_ choice: RestoreChoice, _ info: BackupInfo, warnings: [String]) async throws -> RestorePlan {
    let existing = Set(try await service.databases().map(\.name))
    let newDatabases = choice.databases.filter { !existing.contains($0) }
    if !newDatabases.isEmpty, !service.features.multiDatabase {
      throw EngineError(
        .unsupported,
        """
        \(milvus) has no databases, so that \(newDatabases.listed()) cannot be created. Restore the collections into the \
        database default by rename rules.
        """)
    }
    let isTaken = try await mapConcurrently(choice.collections.map(\.target), limit: 4) { target in
      guard existing.contains(target.database) else { return false }
      return try await service.hasCollection(target.collection, in: target.database)
    }
    try checkNames(zip(choice.collections.map(\.target), isTaken))
    let keys = Dictionary(info.databaseBackups.map { ($0.dbName, $0.ezk) }) { first, _ in first }
    var warnings = warnings
    var collections: [RestorePlan.Collection] = []
    for (chosen, isTaken) in zip(choice.collections, isTaken) {
      try await checkSchema(chosen.source, chosen.target)
      let bundles = request.metaOnly ? [] : try bundles(chosen.source, &warnings)
      let key = keys[chosen.source.dbName] ?? ""
      collections.append(
        RestorePlan.Collection(
          source: chosen.source, target: chosen.target, bundles: bundles,
          disposition: !isTaken ? .create : request.dropExistingCollection ? .replace : .useExisting,
          encryptionKey: key.isEmpty ? nil : key))
    }
    return RestorePlan(
      backup: request.backup, collections: collections, newDatabases: newDatabases, warnings: warnings,
      request: request, context: context)
  }

  private func checkNames(_ names: some Sequence<(CollectionName, Bool)>) throws(EngineError) {
    let taken = names.filter(\.1).map(\.0)
    let free = names.filter { !$0.1 }.map(\.0)
    if request.skipCreateCollection {
      guard free.isEmpty else {
        throw EngineError(
          .notFound,
          """
          \(milvus) has no collection \(free.listed()), but the restore is to use collections that exist. \
          Create them first, or let the restore create them.
          """)
      }
    } else if !request.dropExistingCollection, !taken.isEmpty {
      throw EngineError(
        .alreadyExists,
        """
        \(milvus) has \(taken.listed()) already. Choose another name or a suffix, or ask for the existing collection to \
        be dropped.
        """)
    }
  }

  private func checkSchema(_ source: CollectionBackupInfo, _ target: CollectionName) async throws {
    guard let schema = source.schema else {
      throw EngineError(
        .corrupted, "The metadata of the backup \(request.backup) has no schema for \(source.qualifiedName).")
    }
    if request.skipCreateCollection {
      let existing = try await service.describeCollection(target.collection, in: target.database)
      if let difference = SchemaLineup.difference(between: schema, and: existing.schema) {
        throw EngineError(
          .invalidRequest,
          """
          The rows of \(source.qualifiedName) cannot go into the existing collection \(target) of \(milvus): \
          \(difference). Restore into a new collection.
          """)
      }
    } else if let problem = SchemaLineup.problem(creating: schema) {
      throw EngineError(
        .unsupported,
        """
        \(source.qualifiedName) cannot be restored into a new collection of \(milvus): \(problem). Such gaps come from \
        fields that were added or dropped later.
        """)
    }
    guard service.features.version < ServerVersion(2, 4, 0), !request.metaOnly else { return }
    for segment in source.partitionBackups.flatMap(\.segmentBackups) {
      guard let problem = SchemaLineup.problem(of: segment, with: schema) else { continue }
      throw EngineError(
        .unsupported,
        """
        \(source.qualifiedName) cannot be restored to \(milvus): \(problem), and this version imports only segments with \
        logs of exactly the fields of their collection.
        """)
    }
  }

  /// What to import of a collection, if this server can import it at all.
  private func bundles(_ source: CollectionBackupInfo, _ warnings: inout [String]) throws -> [ImportBundle] {
    let plan = try ImportPlan(source)
    let version = service.features.version
    if version < ServerVersion(2, 4, 0), plan.units.contains(where: { $0.kind == .deletes }) {
      throw EngineError(
        .unsupported,
        """
        \(source.qualifiedName) was saved from a newer Milvus and has delete-only segments, which \(milvus) cannot \
        import: deleted rows would come back. Restore it to Milvus 2.4 or later.
        """)
    }
    if version < ServerVersion(2, 6, 0), plan.units.contains(where: { $0.storageVersion >= 2 }) {
      throw EngineError(
        .unsupported,
        """
        \(source.qualifiedName) was saved in a storage format that \(milvus) cannot read. Restore it to Milvus 2.6 or \
        later.
        """)
    }
    for segment in plan.skipped where segment.rows > 0 {
      warnings.append(
        "\(source.qualifiedName): segment \(segment.segmentID) has no insert logs in the backup and is left out.")
    }
    let limit = context.limits.importUnitBytes
    let packing: ImportBundle.Packing =
      version >= ServerVersion(2, 4, 0)
      ? .single : RestorePlan.isInPlace(context) ? .partitions(limit) : .chunks(limit)
    return ImportBundle.bundles(plan, packing)
  }
}
