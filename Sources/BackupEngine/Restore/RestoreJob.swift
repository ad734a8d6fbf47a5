// Brings collections of a backup back into Milvus: checks everything that could refuse before anything is touched,
// creates the collections, lets Milvus import the log objects, counts the rows.

import BackupFormat
import Logging
import MilvusClient
import ObjectStore

/// The restoring of a backup.
public enum RestoreJob {
  /// Checks a request without changing anything: the backup is complete to the last object and byte, its metadata can be
  /// read, Milvus answers, the target names are free (or exist, as asked for), the fields can get the same ids.
  /// - Throws: `EngineError` `.invalidRequest`, `.notFound`, `.incomplete`, `.corrupted`, `.alreadyExists`,
  ///   `.unsupported`, or what store and Milvus report.
  public static func prepare(
    _ context: EngineContext, _ request: RestoreRequest
  ) async throws(EngineError) -> RestorePlan {
    try await prepare(context, request, earlier: [])
  }

  /// The same, with the records of earlier restores that a request to resume may go on with, the latest first.
  static func prepare(
    _ context: EngineContext, _ request: RestoreRequest, earlier: [RestoreRecord]
  ) async throws(EngineError) -> RestorePlan {
    try await during("Preparing the restore of the backup \(request.backup) in \(context.storeName)") {
      let reader = BackupReader(
        store: context.backups, layout: BackupLayout(rootPath: context.backupRoot, backupName: request.backup))
      let reading = try await reader.metadata()
      let choice = try RestoreChoice(request, reading.info)
      let warnings = reading.warnings + choice.warnings
      let plan = try await context.withMilvus { service in
        let check = TargetCheck(service: service, request: request, context: context, earlier: earlier)
        return try await check.plan(choice, reading.info, warnings: warnings)
      }
      // Last, because it takes longest.
      if !request.metaOnly {
        try await reader.checkObjects(
          of: plan.collections.filter { $0.disposition != .finished }.map(\.source))
      }
      return plan
    }
  }

  /// Restores. When it returns, all rows are in Milvus and were counted.
  /// - Throws: `EngineError`; collections that this job created and did not finish are dropped then, unless it may be
  ///   resumed, and `aftermath` tells what stays.
  public static func run(
    _ plan: RestorePlan, _ progress: JobProgress
  ) async throws(EngineError) -> RestoreReport {
    try await run(plan, progress, RestoreLedger())
  }

  static func run(
    _ plan: RestorePlan, _ progress: JobProgress, _ ledger: RestoreLedger
  ) async throws(EngineError) -> RestoreReport {
    let context = plan.context
    let layout = BackupLayout(rootPath: context.backupRoot, backupName: plan.backup)
    let staging = RestorePlan.isInPlace(context) ? nil : StagingArea(context: context, layout: layout)
    for warning in plan.warnings { progress.warn(warning) }
    guard !plan.request.dryRun else {
      for line in plan.lines { progress.tell(line) }
      progress.finish()
      return RestoreReport(
        backup: plan.backup, collections: [], metaOnly: false, warnings: plan.warnings, isDryRun: true)
    }
    ledger.note { record in
      record = plan.record
      if let staging { record.temporary.append(staging.directory) }
    }
    do {
      let collections = try await context.withMilvus { service in
        let run = RestoreRun(
          plan: plan, service: service, importer: plan.request.usesREST ? context.jobImporter : nil,
          progress: progress, ledger: ledger, layout: layout, staging: staging)
        return try await run.restore()
      }
      if let left = await removeTemporaries(ledger, context) { progress.warn(left) }
      progress.finish()
      return RestoreReport(
        backup: plan.backup, collections: collections, metaOnly: plan.request.metaOnly,
        warnings: progress.snapshot.warnings)
    } catch {
      let failure = EngineError(error, during: "Restoring the backup \(plan.backup) in \(context.storeName)")
      if failure.code == .cancelled, ledger.isSuspended { throw failure }
      progress.note("undoing what was not finished")
      // Who cancels wants it gone; after a failure there may be another try.
      let keeping = plan.request.resume && failure.code != .cancelled
      let usesTasks = !plan.request.usesREST
      let undone = await uncancelled {
        await ledger.undo(context.milvusConnector, keeping: keeping) { tasks, service in
          if usesTasks { await settle(tasks, service, progress, context) }
        }
      }
      let left = await removeTemporaries(ledger, context)
      let aftermath = [undone, left].compactMap { $0 }.joined(separator: " ")
      context.logger.notice(
        "backup not restored",
        metadata: ["backup": "\(plan.backup)", "error": "\(failure)", "aftermath": "\(aftermath)"])
      throw failure.adding(aftermath: aftermath)
    }
  }

  /// Waits, within bounds, until import tasks have ended.
  private static func settle(
    _ tasks: [Int64], _ service: any MilvusService, _ progress: JobProgress, _ context: EngineContext
  ) async {
    let deadline = ContinuousClock.now + .seconds(context.limits.undoPatience)
    var open = tasks
    var backoff = Backoff(context.pace.importPoll)
    while ContinuousClock.now < deadline {
      var busy: [Int64] = []
      for task in open {
        // A task that cannot be asked for is not waited for.
        if let state = try? await service.importState(of: task).state, state.readsFiles { busy.append(task) }
      }
      guard !busy.isEmpty else { return }
      open = busy
      progress.note("waiting for \(open.count.counted("import task")) that Milvus cannot be told to stop")
      guard (try? await backoff.wait()) != nil else { return }
    }
  }

  /// Removes the copies in Milvus' bucket, and notes what has to stay.
  /// - Returns: a sentence that tells what is left; nil if nothing is.
  private static func removeTemporaries(_ ledger: RestoreLedger, _ context: EngineContext) async -> String? {
    let record = ledger.record
    guard !record.temporary.isEmpty else { return nil }
    let remains = await uncancelled { await StagingArea.removeRemains(of: record, in: context) }
    ledger.note { $0.temporary = remains.staying }
    return remains.sentence
  }
}
