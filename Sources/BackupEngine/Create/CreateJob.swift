// Saves collections as a backup: checks, flushes, copies the log objects, verifies them, writes the metadata last.

import BackupFormat
import Logging
import MilvusClient
import ObjectStore

/// The making of a backup.
public enum CreateJob {
  /// Checks a request without changing anything: names, that no backup of that name exists (nor, unless it is to be
  /// resumed, leftovers of one), that Milvus answers, has the collections and can do what is asked for.
  /// - Throws: `EngineError` `.invalidRequest`, `.alreadyExists`, `.notFound`, `.unsupported`, or what store and Milvus
  ///   report.
  public static func prepare(
    _ context: EngineContext, _ request: CreateRequest
  ) async throws(EngineError) -> CreatePlan {
    let name = request.name ?? UTCTime.now().backupName
    return try await during("Preparing the backup \(name) in \(context.storeName)") {
      try BackupName.validate(name)
      let layout = BackupLayout(rootPath: context.backupRoot, backupName: name)
      try checkRoots(context, layout)
      let remains =
        request.resume ? try await Remains.find(layout, in: context.backups) : .none
      if !request.resume { try await checkAbsent(layout, in: context.backups) }
      return try await context.withMilvus { service in
        try checkStrategy(request, service, at: context.milvus.address)
        let chosen = try await CollectionChoice.make(request.filter, service, at: context.milvus.address)
        return CreatePlan(
          name: name, collections: chosen.collections, databases: chosen.databases,
          accessControl: request.rbac ? try await accessControl(service, at: context.milvus.address) : nil,
          remains: remains, request: request, context: context)
      }
    }
  }

  /// Makes the backup. When it returns, every object and all metadata are durable.
  ///
  /// A collection that cannot be saved is left out and reported, as long as there is another; its objects are removed.
  /// - Throws: `EngineError`; what this job had written is removed then, unless the backup is one to be resumed, and
  ///   `aftermath` tells what is left.
  public static func run(
    _ plan: CreatePlan, _ progress: JobProgress
  ) async throws(EngineError) -> CreateReport {
    let context = plan.context
    let layout = BackupLayout(rootPath: context.backupRoot, backupName: plan.name)
    let written = WrittenObjects(
      store: context.backups, layout: layout, deletesInFlight: context.limits.copiesInFlight, remains: plan.remains,
      keepsData: plan.request.resume)
    do {
      let report = try await context.withMilvus { service in
        if plan.request.strategy != .metaOnly, !service.features.flushesDeletes {
          progress.warn(
            """
            Milvus \(service.versionText) writes down what was deleted as late as ten minutes after it (its \
            dataNode.segment.syncPeriod), and no flush makes it do so earlier: rows that were deleted within that time may \
            be in this backup. To be sure, make it ten minutes after the last delete.
            """)
        }
        let writer = BackupWriter(plan: plan, layout: layout, service: service, progress: progress, written: written)
        guard plan.request.strategy != .metaOnly, let pause = GarbagePause(context.rest) else {
          return try await writer.write()
        }
        return try await pause.during(context.logger, warn: { progress.warn($0) }) { try await writer.write() }
      }
      progress.finish()
      return report
    } catch {
      let failure = EngineError(error, during: "Making the backup \(plan.name) in \(context.storeName)")
      progress.note("removing what was written")
      let aftermath = await uncancelled { await written.takeBack() }
      context.logger.notice(
        "backup not made", metadata: ["backup": "\(plan.name)", "error": "\(failure)", "aftermath": "\(aftermath)"])
      throw failure.adding(aftermath: aftermath)
    }
  }

  private static func checkStrategy(
    _ request: CreateRequest, _ service: any MilvusService, at address: String
  ) throws(EngineError) {
    guard request.strategy == .bulkFlush, !service.features.flushAll else { return }
    throw EngineError(
      .unsupported,
      """
      Milvus \(service.versionText) at \(address) cannot flush everything at once in a way that a backup can rely on \
      (2.6.11 and later can). Use --strategy serial_flush.
      """)
  }

  private static func accessControl(_ service: any MilvusService, at address: String) async throws -> RBACMeta {
    let data: MilvusAccessControl
    do throws(MilvusError) {
      data = try await service.accessControl()
    } catch {
      guard error.code == .unsupported else { throw error }
      throw EngineError(
        .unsupported,
        """
        Milvus \(service.versionText) at \(address) cannot tell its users, roles and grants (2.4 and later can). Leave out \
        --rbac.
        """, cause: error)
    }
    return RBACMeta(data)
  }

  /// Backups must not lie where Milvus' own logs lie: a copy would meet its source.
  private static func checkRoots(_ context: EngineContext, _ layout: BackupLayout) throws(EngineError) {
    let data = layout.key("binlogs")
    guard context.backups.location == context.milvusObjects.location, data == ObjectPath.clean(context.milvusRoot)
    else {
      return
    }
    throw EngineError(
      .invalidRequest,
      """
      The backup would be written over Milvus' own objects, because minio.rootPath is the directory of the backup's \
      data, \(data). Set minio.backupRootPath to another directory.
      """)
  }

  private static func checkAbsent(_ layout: BackupLayout, in store: any ObjectStore) async throws {
    let page = try await store.list(ListRequest(prefix: ObjectKey(layout.directory), limit: 1))
    guard let first = page.objects.first else { return }
    let place = "below \(layout.directory) in \(store.location)"
    do {
      _ = try await store.head(ObjectKey(layout.key(MetaFile.full)))
    } catch let error as StoreError where error.code == .notFound {
      throw EngineError(
        .alreadyExists,
        """
        The name \(layout.backupName) is taken: there are objects \(place), such as \(first.key), but no complete \
        metadata. They are what a copy or a backup that did not finish has left, or belong to one still under way. \
        If nobody writes to it, go on with that backup (--resume) or delete it (milvus-backupfs delete); or choose \
        another name.
        """)
    }
    throw EngineError(
      .alreadyExists,
      "A backup of the name \(layout.backupName) exists \(place). Choose another name, or delete that backup first.")
  }
}
