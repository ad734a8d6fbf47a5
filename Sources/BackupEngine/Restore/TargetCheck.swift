// Asks Milvus whether a restore can be carried out there. Changes nothing.

import BackupFormat
import MilvusClient
import ObjectStore

/// The checks against the target server.
struct TargetCheck: Sendable {
  let service: any MilvusService
  let request: RestoreRequest
  let context: EngineContext
  /// Records of earlier restores, the latest first.
  let earlier: [RestoreRecord]

  var milvus: String { "Milvus \(service.versionText) at \(context.milvus.address)" }

  /// Checks the chosen collections and makes the plan.
  func plan(_ choice: RestoreChoice, _ info: BackupInfo, warnings: [String]) async throws -> RestorePlan {
    try checkImporter()
    let present = Set(try await service.databases().map(\.name))
    let newDatabases = try newDatabases(choice, info, present)
    let existing = try await existingCollections(choice.collections.map(\.target), in: present)
    let history = history(of: info)
    var record = history.map { $0.continued } ?? RestoreRecord()
    record.milvus = context.milvus.address
    record.backupID = info.id
    record.backupPlace = backupPlace
    record.temporaryPlace = context.milvusObjects.location.description
    var warnings = warnings
    var collections: [RestorePlan.Collection] = []
    let keys = Dictionary(info.databaseBackups.map { ($0.dbName, $0.ezk) }) { first, _ in first }
    let dispositions = try dispositions(choice.collections.map(\.target), existing, record)
    for (chosen, disposition) in zip(choice.collections, dispositions) {
      let present = existing[chosen.target]
      try await checkSchema(chosen.source, chosen.target, disposition, present)
      let bundles = request.metaOnly ? [] : try bundles(chosen.source, &warnings)
      try checkUnits(record[chosen.target], bundles, chosen.target)
      if disposition == .useExisting { try await checkDeletes(bundles, chosen.target) }
      if request.restoresAliases {
        try await checkAliases(chosen.source, chosen.target, disposition, dropped: dispositions, present: existing)
      }
      let key = keys[chosen.source.dbName] ?? ""
      collections.append(
        RestorePlan.Collection(
          source: chosen.source, target: chosen.target, bundles: bundles, disposition: disposition,
          encryptionKey: key.isEmpty ? nil : key))
    }
    let continued = Set(collections.filter(\.isContinued).map(\.target))
    record.collections = record.collections.filter { continued.contains($0.target) }
    return RestorePlan(
      backup: request.backup, collections: collections, newDatabases: newDatabases,
      accessControl: try await missingAccessControl(info), record: record, warnings: warnings,
      serverVersion: service.versionText, request: request, context: context)
  }

  private var backupPlace: String {
    "\(BackupLayout(rootPath: context.backupRoot, backupName: request.backup).directory) in \(context.backups.location)"
  }

  /// The record to go on with: the latest restore of this very backup to this Milvus that left something.
  private func history(of info: BackupInfo) -> RestoreRecord? {
    guard request.resume else { return nil }
    return earlier.first {
      $0.backupID == info.id && $0.backupPlace == backupPlace && $0.milvus == context.milvus.address
        && !$0.collections.isEmpty
    }
  }

  private func newDatabases(
    _ choice: RestoreChoice, _ info: BackupInfo, _ present: Set<String>
  ) throws(EngineError) -> [RestorePlan.Database] {
    let missing = choice.databases.filter { !present.contains($0) }
    guard missing.isEmpty || service.features.multiDatabase else {
      throw EngineError(
        .unsupported,
        """
        \(milvus) has no databases, so that \(missing.listed()) cannot be created. Restore the collections into the \
        database default by rename rules.
        """)
    }
    return missing.map { name in
      // Up to 2.3 a database has no properties; the call would not take them.
      let source = service.features.describeDatabase ? choice.sourceOfDatabase[name] : nil
      let properties = info.databaseBackups.first { $0.dbName == source }?.properties ?? []
      return RestorePlan.Database(name: name, properties: properties.map(MilvusKeyValue.init))
    }
  }

  private func checkImporter() throws(EngineError) {
    guard request.usesREST else { return }
    guard service.features.restImport else {
      throw EngineError(
        .unsupported, "\(milvus) cannot import by REST: that needs 2.4 or later. Leave out --use_v2_restore.")
    }
    guard context.jobImporter != nil else {
      throw EngineError(
        .unsupported,
        "\(milvus) cannot be asked by HTTP. Leave out --use_v2_restore.")
    }
  }

  /// What to import of a collection, if this server can import it at all.
  private func bundles(_ source: CollectionBackupInfo, _ warnings: inout [String]) throws -> [ImportBundle] {
    let plan = try ImportPlan(source)
    let version = service.features.version
    // The option l0_import came with 2.4.5 (Milvus' release notes).
    if version < ServerVersion(2, 4, 5), plan.units.contains(where: { $0.kind == .deletes }) {
      throw EngineError(
        .unsupported,
        """
        \(source.qualifiedName) was saved from a newer Milvus and has delete-only segments, which \(milvus) cannot \
        import: deleted rows would come back. Restore it to Milvus 2.4.5 or later.
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
    return ImportBundle.bundles(plan, packing)
  }

  private var packing: ImportBundle.Packing {
    let limit = context.limits.importUnitBytes
    if request.usesREST {
      let deletes = service.features.multiL0InOneJob ? context.limits.segmentsPerImportJob : 1
      return .jobs(bytes: limit, segments: context.limits.segmentsPerImportJob, deletes: deletes)
    }
    guard service.features.version < ServerVersion(2, 4, 0) else { return .single }
    return RestorePlan.isInPlace(context) ? .partitions(limit) : .chunks(limit)
  }

  private func checkUnits(
    _ earlier: RestoreRecord.Collection?, _ bundles: [ImportBundle], _ target: CollectionName
  ) throws(EngineError) {
    guard let earlier, earlier.stage != .finished else { return }
    let names = Set(bundles.map(\.name))
    guard let other = earlier.units.keys.first(where: { !names.contains($0) }) else { return }
    throw EngineError(
      .unsupported,
      """
      The earlier restore of \(target) imported other pieces (\(other)) than this one would: it was made with other \
      options or limits. Use the same options, or drop \(target) and restore it anew.
      """)
  }
}

extension RestorePlan.Collection {
  /// Whether an earlier restore began it.
  var isContinued: Bool { disposition == .goOn || disposition == .finished }
}

extension RestoreRecord {
  /// What a restore that goes on with this one begins with.
  var continued: RestoreRecord {
    var copy = self
    // Dropped and created then; what is told at the end is what this restore did.
    copy.databases = []
    copy.dropped = []
    return copy
  }
}
