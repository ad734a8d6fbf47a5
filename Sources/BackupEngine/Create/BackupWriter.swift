// The course of one backup: collections side by side, then a look at what arrived, then the metadata.
//
// Invariant: the first metadata file is written when every log object is in place and was listed with its size; if
// metadata of that name is there already, someone else made the backup and nothing of it is touched.

import BackupFormat
import FoundationEssentials
import MilvusClient
import ObjectStore

/// Writes one backup.
struct BackupWriter: Sendable {
  let plan: CreatePlan
  let layout: BackupLayout
  let service: any MilvusService
  let progress: JobProgress
  let written: WrittenObjects

  private var context: EngineContext { plan.context }

  /// Saves all collections and writes the metadata.
  func write() async throws -> CreateReport {
    let backupID = UUID().uuidString.lowercased()
    progress.enter("reading the collections", percent: 1...5)
    let databases = try await describeDatabases()
    progress.enter("copying", percent: 5...95)
    // One bound for all collections together.
    let slots = ByteBudget(capacity: context.limits.copiesInFlight)
    let saved = try await mapConcurrently(plan.collections, limit: context.limits.collectionsInFlight) { name in
      let saver = CollectionSaver(writer: self, name: name, slots: slots)
      return try await saver.save()
    }
    let info = BackupInfo.with {
      $0.id = backupID
      $0.name = plan.name
      $0.milvusVersion = service.versionText
      $0.databaseBackups = databases
      $0.collectionBackups = saved.map { $0.survey.backupInfo(backupID: backupID, files: $0.files) }
      $0.size = $0.collectionBackups.reduce(0) { $0 + $1.size }
    }
    progress.enter("verifying the copies", percent: 95...97)
    try await verify(saved.flatMap(\.files))
    progress.enter("writing the metadata", percent: 97...99)
    try await writeMetadata(info)
    let files = saved.flatMap(\.files)
    return CreateReport(
      name: plan.name, collections: plan.collections, segments: files.count,
      objects: files.reduce(0) { $0 + $1.files.count }, bytes: info.size,
      rows: files.reduce(0) { $0 + ($1.isL0 ? 0 : $1.segment.numOfRows) }, warnings: progress.snapshot.warnings)
  }

  private func describeDatabases() async throws -> [DatabaseBackupInfo] {
    var databases: [DatabaseBackupInfo] = []
    for name in plan.databases {
      guard service.features.describeDatabase else {
        databases.append(.with { $0.dbName = name })
        continue
      }
      let description = try await service.describeDatabase(name)
      if description.properties.contains(where: { $0.key == "cipher.ezID" && !$0.value.isEmpty }) {
        throw EngineError(
          .unsupported,
          """
          The database \(name) is encrypted (property cipher.ezID). Its key belongs into the backup and cannot be asked \
          for by this program. Leave the database out, or use milvus-backup for it.
          """)
      }
      databases.append(
        .with {
          $0.dbName = name
          $0.dbID = description.id
          $0.properties = description.properties.map(KeyValuePair.init)
        })
    }
    return databases
  }

  /// Compares what lies below the backup with what was copied.
  private func verify(_ files: [SegmentFiles]) async throws {
    let promised = files.flatMap(\.files).map { PromisedObject(key: $0.log, size: $0.source.size) }
    var check = CompletenessCheck(promised: promised)
    try await context.backups.listAll(ObjectKey(layout.directory)) { page in
      for object in page.objects {
        if let path = layout.path(ofKey: object.key.string) { check.add(path: path, size: object.size) }
      }
    }
    let result = check.finish()
    guard result.isComplete else {
      let names = result.missing.map(\.path) + result.wrongSizes.map(\.promised.path)
      throw EngineError(
        .store,
        """
        Of \(promised.count.counted("copied object")) \(names.count.grouped) are missing or have another size below \
        \(layout.directory) in \(context.backups.location) although the store had acknowledged them: \(names.listed()). \
        Something else deletes or changes objects there, or the store loses them.
        """)
    }
    guard result.extra.isEmpty else {
      written.leaveToOther()
      throw EngineError(
        .alreadyExists,
        """
        Another program writes below \(layout.directory) in \(context.backups.location): \
        \(result.extra.count.counted("object")) there did not come from this job, such as \(result.extra.listed(3)). \
        Choose another name for one of the two backups.
        """)
    }
  }

  private func writeMetadata(_ info: BackupInfo) async throws {
    for file in MetaFiles.encode(info) {
      try Task.checkCancellation()
      let key = ObjectKey(layout.key(file.file))
      written.beginMetadata(key)
      do {
        try await context.backups.put(key, file.bytes, condition: .absent)
      } catch let error as StoreError where error.code == .preconditionFailed {
        written.leaveToOther()
        throw EngineError(
          .alreadyExists,
          """
          Another program has made a backup of the name \(plan.name) meanwhile: \(key) is there already in \
          \(context.backups.location). This job's backup was given up.
          """, cause: error)
      } catch let error as StoreError where error.code == .unsupported {
        // A store without conditional writes: the name was free when the job began.
        try await context.backups.put(key, file.bytes, condition: .none)
      }
    }
  }
}
