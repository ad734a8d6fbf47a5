// The checks against collections, aliases, users and roles that Milvus has.

import BackupFormat
import MilvusClient

extension TargetCheck {
  /// The target collections that exist.
  func existingCollections(
    _ targets: [CollectionName], in databases: Set<String>
  ) async throws -> [CollectionName: CollectionDescription] {
    let found = try await mapConcurrently(targets, limit: 4) { try await description(of: $0, in: databases) }
    var existing: [CollectionName: CollectionDescription] = [:]
    for (target, description) in zip(targets, found) {
      guard let description else { continue }
      guard description.collectionName == target.collection else {
        throw EngineError(
          .alreadyExists,
          """
          \(target) is an alias of the collection \(description.collectionName) in \(milvus). Drop the alias, or choose \
          another name.
          """)
      }
      existing[target] = description
    }
    return existing
  }

  private func description(
    of target: CollectionName, in databases: Set<String>
  ) async throws -> CollectionDescription? {
    guard databases.contains(target.database) else { return nil }
    guard try await service.hasCollection(target.collection, in: target.database) else { return nil }
    return try await service.describeCollection(target.collection, in: target.database)
  }

  /// What is done about each target.
  func dispositions(
    _ targets: [CollectionName], _ existing: [CollectionName: CollectionDescription], _ record: RestoreRecord
  ) throws(EngineError) -> [RestorePlan.Disposition] {
    var chosen: [RestorePlan.Disposition] = []
    var refused: [CollectionName] = []
    for target in targets {
      if let disposition = disposition(existing[target], record[target]) {
        chosen.append(disposition)
      } else {
        refused.append(target)
      }
    }
    guard refused.isEmpty else { throw refusal(of: refused) }
    return chosen
  }

  /// What is done about a target; nil if it is refused.
  private func disposition(
    _ present: CollectionDescription?, _ begun: RestoreRecord.Collection?
  ) -> RestorePlan.Disposition? {
    if let begun, let present, begun.stage != .creating, begun.collectionID == present.collectionID {
      return begun.stage == .finished ? .finished : .goOn
    }
    guard let present else { return request.skipCreateCollection ? nil : .create }
    if request.skipCreateCollection { return .useExisting }
    return request.dropExistingCollection ? .replace(aliases: present.aliases) : nil
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
    let begun = earlier.filter { $0.milvus == context.milvus.address }.flatMap(\.collections)
    let unfinished = begun.contains { targets.contains($0.target) && [.created, .existing].contains($0.stage) }
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
    var going: [String] = []
    for case .replace(let aliases) in dropped { going += aliases }
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
    let present = try await presentAccessControl()
    return MilvusAccessControl(saved).missing(from: present)
  }

  private func presentAccessControl() async throws -> MilvusAccessControl {
    do throws(MilvusError) {
      return try await service.accessControl()
    } catch {
      guard error.code == .unsupported else { throw error }
      throw EngineError(
        .unsupported, "\(milvus) cannot restore users and roles: that needs 2.4 or later. Restore without --rbac.",
        cause: error)
    }
  }
}
