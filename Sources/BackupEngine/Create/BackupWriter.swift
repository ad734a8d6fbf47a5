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
    try await removeOldMetadata()
    let flush = plan.request.strategy == .bulkFlush ? try await flushAll() : nil
    let (saved, failures) = try await saveCollections()
    let info = BackupInfo.with {
      $0.id = backupID
      $0.name = plan.name
      $0.milvusVersion = service.versionText
      $0.databaseBackups = databases
      $0.collectionBackups = saved.map { $0.survey.backupInfo(backupID: backupID, files: $0.files) }
      $0.size = $0.collectionBackups.reduce(0) { $0 + $1.size }
      $0.rbacMeta = plan.accessControl
      guard let flush else { return }
      $0.flushAllMessagesBase64 = StringMap(
        flush.messages.map { (key: $0.key, value: Data($0.value).base64EncodedString()) })
      $0.controlChannelName = flush.controlChannel
      $0.physicalChannelNames = flush.physicalChannels
    }
    try await discardLeftovers(besides: saved)
    progress.enter("verifying the copies", percent: 95...97)
    try await verify(saved.flatMap(\.files))
    progress.enter("writing the metadata", percent: 97...99)
    try await writeMetadata(info)
    let files = saved.flatMap(\.files)
    return CreateReport(
      name: plan.name, collections: saved.map(\.survey.name), segments: files.count,
      objects: files.reduce(0) { $0 + $1.files.count }, bytes: info.size,
      rows: files.reduce(0) { $0 + ($1.isL0 ? 0 : $1.segment.numOfRows) }, warnings: progress.snapshot.warnings,
      failures: failures)
  }

  /// Saves the collections side by side; one that fails does not keep the others from being saved.
  /// - Throws: the first failure when none could be saved; cancellation.
  private func saveCollections() async throws -> ([CollectionSaver.Saved], [CollectionFailure]) {
    // One bound for all collections together.
    let slots = ByteBudget(capacity: context.limits.copiesInFlight)
    let outcomes = try await mapConcurrently(plan.collections, limit: context.limits.collectionsInFlight) {
      name -> Result<CollectionSaver.Saved, EngineError> in
      let saver = CollectionSaver(writer: self, name: name, slots: slots)
      do {
        return .success(try await saver.save())
      } catch {
        let failure = EngineError(error, during: "Saving the collection \(name)")
        // Without space or a connection the others would fail as well, one after the other.
        let concernsAll = [EngineError.Code.cancelled, .noSpace, .unreachable].contains(failure.code)
        guard !concernsAll, plan.collections.count > 1 else { throw failure }
        progress.report("collection \(name): \(failure)")
        return .failure(failure)
      }
    }
    var saved: [CollectionSaver.Saved] = []
    var failures: [CollectionFailure] = []
    var first: EngineError?
    for (name, outcome) in zip(plan.collections, outcomes) {
      switch outcome {
      case .success(let collection): saved.append(collection)
      case .failure(let error):
        first = first ?? error
        failures.append(CollectionFailure(collection: name, reason: error.description))
      }
    }
    if saved.isEmpty, let first {
      throw first.adding(aftermath: "None of the \(failures.count) collections could be saved.")
    }
    return (saved, failures)
  }

  /// Flushes everything, and waits until it is written out.
  private func flushAll() async throws -> FlushAllResult {
    try await during("Flushing everything in Milvus at \(context.milvus.address)") {
      progress.note("flushing everything")
      let flush = try await service.flushAll()
      let begin = ContinuousClock.now
      var backoff = Backoff(context.pace.flushPoll)
      while !(try await service.isFlushed(flush)) {
        guard ContinuousClock.now - begin < .seconds(context.limits.flushPatience) else {
          throw EngineError(
            .timedOut,
            """
            Milvus at \(context.milvus.address) has not finished flushing everything after \
            \(Int(context.limits.flushPatience)) seconds. Look into Milvus' log and at its object store, then try again; \
            --strategy serial_flush flushes only the collections of the backup.
            """)
        }
        try await backoff.wait()
      }
      return flush
    }
  }

  /// Metadata of an unfinished backup goes before anything else changes: it tells of objects that may go, too.
  private func removeOldMetadata() async throws {
    for key in plan.remains.metadata { try await context.backups.delete(key) }
  }

  /// Removes what was copied of collections that failed, and what an unfinished backup had copied of segments that are
  /// not part of this one: a restore would import it.
  private func discardLeftovers(besides saved: [CollectionSaver.Saved]) async throws {
    let wanted = Set(saved.flatMap(\.files).flatMap(\.files).map { ObjectKey(layout.key($0.log)) })
    let discarded = try await written.discard(below: [layout.key("binlogs") + "/"], keeping: wanted)
    progress.add(bytes: -discarded.bytes, objects: -discarded.objects)
  }

  private func describeDatabases() async throws -> [DatabaseBackupInfo] {
    var databases: [DatabaseBackupInfo] = []
    for name in plan.databases {
      guard service.features.describeDatabase else {
        databases.append(.with { $0.dbName = name })
        continue
      }
      let description = try await service.describeDatabase(name)
      let isEncrypted = description.properties.contains { $0.key == "cipher.ezID" && !$0.value.isEmpty }
      let key = isEncrypted ? try await encryptionKey(of: name) : ""
      databases.append(
        .with {
          $0.dbName = name
          $0.dbID = description.id
          $0.ezk = key
          $0.properties = description.properties.map(KeyValuePair.init)
        })
    }
    return databases
  }

  /// The key of an encrypted database: without it Milvus could not read the logs that a restore imports.
  private func encryptionKey(of database: String) async throws -> String {
    do {
      guard let rest = context.rest else { throw RESTFailure(description: "it cannot be asked by HTTP") }
      return try await rest.encryptionKey(ofDatabase: database)
    } catch let error where !error.isCancellation {
      throw EngineError(
        .unsupported,
        """
        The database \(database) is encrypted (property cipher.ezID), and its key, which belongs into the backup, could \
        not be had from Milvus' management port at \(context.rest?.management ?? "(none)"): \(error). Set \
        backup.gcPause.address to that port, or leave the database out.
        """, cause: error)
    }
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
