// The checks against collections, aliases, users and roles that Milvus has.

import BackupFormat
import MilvusClient

extension TargetCheck {
  /// The target collections that exist.
  func existingCollections(
    _ targets: [CollectionName], in databases: Set<String>
  ) async throws -> [CollectionName: CollectionDescription] {
    let found = try await mapConcurrently(targets, limit: 4) { target -> (CollectionName, CollectionDescription)? in
      guard databases.contains(target.database),
        try await service.hasCollection(target.collection, in: target.database)
      else { return nil }
      return (target, try await service.describeCollection(target.collection, in: target.database))
    }
    for (target, description) in found.compactMap({ $0 }) where description.collectionName != target.collection {
      throw EngineError(
        .alreadyExists,
        """
        \(target) is an alias of the collection \(description.collectionName) in \(milvus). Drop the alias, or choose \
        another name.
        """)
    }
    return Dictionary(uniqueKeysWithValues: found.compactMap { $0 })
  }

  /// What is done about each target.
  func dispositions(
    _ targets: [CollectionName], _ existing: [CollectionName: CollectionDescription], _ record: RestoreRecord
  ) throws(EngineError) -> [RestorePlan.Disposition] {
    let dispositions = targets.map { target -> RestorePlan.Disposition? in
      if let earlier = record[target], let present = existing[target], earlier.stage != .creating,
        earlier.collectionID == present.collectionID
      {
        return earlier.stage == .finished ? .finished : .goOn
      }
      guard let present = existing[target] else { return request.skipCreateCollection ? nil : .create }
      if request.skipCreateCollection { return .useExisting }
      return request.dropExistingCollection ? .replace(aliases: present.aliases) : nil
    }
    let refused = zip(targets, dispositions).filter { $0.1 == nil }.map(\.0)
    guard refused.isEmpty else { throw refusal(of: refused) }
    return dispositions.compactMap { $0 }
  }

  private func refusal(of targets: [CollectionName]) -> EngineError {
    if request.skipCreateCollection {
      return EngineError(
        .notFound,
        """
        \(milvus) has no collection \(targets.listed()), but the restore is to use collections that exist. \
        Create them first, or let the restore create them.
        """)
    }
    let unfinished = targets.contains { target in
      earlier.contains {
        $0.milvus == context.milvus.address && ($0[target].map { [.created, .existing].contains($0.stage) } ?? false)
      }
    }
    let resume = unfinished ? " An earlier restore began it and did not finish: --resume goes on with that." : ""
    return EngineError(
      .alreadyExists,
      """
      \(milvus) has \(targets.listed()) already. Choose another name or a suffix, or ask for the existing collection to \
      be dropped.\(resume)
      """)
  }

  func checkSchema(
    _ source: CollectionBackupInfo, _ target: CollectionName, _ disposition: RestorePlan.Disposition,
    _ existing: CollectionDescription?
  ) async throws {
    guard let schema = source.schema else {
      throw EngineError(
        .corrupted, "The metadata of the backup \(request.backup) has no schema for \(source.qualifiedName).")
    }
    switch disposition {
    case .create, .replace:
      if let problem = SchemaLineup.problem(creating: schema, canAdd: service.features.addCollectionField) {
        throw EngineError(
          .unsupported,
          """
          \(source.qualifiedName) cannot be restored into a new collection of \(milvus): \(problem). Such gaps come from \
          fields that were added or dropped later.
          """)
      }
    case .useExisting, .goOn, .finished:
      if let existing, let difference = SchemaLineup.difference(between: schema, and: existing.schema) {
        throw EngineError(
          .invalidRequest,
          """
          The rows of \(source.qualifiedName) cannot go into the existing collection \(target) of \(milvus): \
          \(difference). Restore into a new collection.
          """)
      }
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

  /// Milvus refuses to import deletes into a collection that is loaded.
  func checkDeletes(_ bundles: [ImportBundle], _ target: CollectionName) async throws {
    guard bundles.contains(where: { $0.kind == .deletes }) else { return }
    let state = try await service.loadState(of: target.collection, partitions: [], in: target.database)
    guard [.loaded, .loading].contains(state) else { return }
    throw EngineError(
      .invalidRequest,
      """
      \(target) is loaded, and \(milvus) does not import deletes into a loaded collection. Release it, then restore again.
      """)
  }

  /// An alias must be free, or lead to what is restored or dropped.
  func checkAliases(
    _ source: CollectionBackupInfo, _ target: CollectionName, _ disposition: RestorePlan.Disposition,
    dropped: [RestorePlan.Disposition], present: [CollectionName: CollectionDescription]
  ) async throws {
    let going = dropped.flatMap { if case .replace(let aliases) = $0 { aliases } else { [] } }
    for alias in source.aliases where !going.contains(alias) {
      guard try await service.databases().contains(where: { $0.name == target.database }),
        try await service.hasCollection(alias, in: target.database)
      else { continue }
      let holder = try await service.describeCollection(alias, in: target.database)
      if present[target]?.aliases.contains(alias) == true, holder.collectionID == present[target]?.collectionID {
        continue
      }
      throw EngineError(
        .alreadyExists,
        """
        The alias \(alias) of \(source.qualifiedName) is taken in the database \(target.database) of \(milvus): it names \
        \(holder.collectionName). Drop it there, or restore without --aliases.
        """)
    }
  }

  /// What the backup holds of users, roles and grants and Milvus has not.
  func missingAccessControl(_ info: BackupInfo) async throws -> MilvusAccessControl? {
    guard request.restoresAccessControl else { return nil }
    guard let saved = info.rbacMeta else {
      throw EngineError(
        .notFound,
        """
        The backup \(request.backup) holds no users, roles and grants: it was made without --rbac. Restore without --rbac.
        """)
    }
    let present: MilvusAccessControl
    do {
      present = try await service.accessControl()
    } catch let error as MilvusError where error.code == .unsupported {
      throw EngineError(
        .unsupported, "\(milvus) cannot restore users and roles: that needs 2.4 or later. Restore without --rbac.",
        cause: error)
    }
    return MilvusAccessControl(saved).missing(from: present)
  }
}
