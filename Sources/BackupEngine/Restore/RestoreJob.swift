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
    try await during("Preparing the restore of the backup \(request.backup) in \(context.storeName)") {
      let reader = BackupReader(
        store: context.backups, layout: BackupLayout(rootPath: context.backupRoot, backupName: request.backup))
      let reading = try await reader.metadata()
      let choice = try RestoreChoice(request, reading.info)
      let warnings = reading.warnings + choice.warnings
      let plan = try await context.withMilvus { service in
        let check = TargetCheck(service: service, request: request, context: context)
        return try await check.plan(choice, reading.info, warnings: warnings)
      }
      // Last, because it takes longest.
      if !request.metaOnly { try await reader.checkObjects(of: choice.collections.map(\.source)) }
      return plan
    }
  }

  /// Restores. When it returns, all rows are in Milvus and were counted.
  /// - Throws: `EngineError`; collections that this job created and did not finish are dropped then, and `aftermath`
  ///   tells what stays.
  public static func run(
    _ plan: RestorePlan, _ progress: JobProgress
  ) async throws(EngineError) -> RestoreReport {
    let context = plan.context
    let ledger = RestoreLedger()
    let layout = BackupLayout(rootPath: context.backupRoot, backupName: plan.backup)
    let staging = RestorePlan.isInPlace(context) ? nil : StagingArea(context: context, layout: layout)
    for warning in plan.warnings { progress.warn(warning) }
    do {
      let collections = try await context.withMilvus { service in
        let run = RestoreRun(
          plan: plan, service: service, progress: progress, ledger: ledger, layout: layout, staging: staging)
        return try await run.restore()
      }
      if let left = await removeTemporaries(staging) { progress.warn(left) }
      progress.finish()
      return RestoreReport(
        backup: plan.backup, collections: collections, metaOnly: plan.request.metaOnly,
        warnings: progress.snapshot.warnings)
    } catch {
      let failure = EngineError(error, during: "Restoring the backup \(plan.backup) in \(context.storeName)")
      progress.note("undoing what was not finished")
      let undone = await uncancelled { await ledger.undo(context.milvusConnector) }
      let left = await removeTemporaries(staging)
      let aftermath = [undone, left].compactMap { $0 }.joined(separator: " ")
      context.logger.notice(
        "backup not restored",
        metadata: ["backup": "\(plan.backup)", "error": "\(failure)", "aftermath": "\(aftermath)"])
      throw failure.adding(aftermath: aftermath)
    }
  }

  /// Removes the copies in Milvus' bucket.
  /// - Returns: a sentence that tells what could not be removed; nil if nothing is left.
  private static func removeTemporaries(_ staging: StagingArea?) async -> String? {
    guard let staging else { return nil }
    return await uncancelled {
      do {
        try await staging.remove()
        return nil
      } catch {
        return """
          Temporary copies below \(staging.directory) in \(staging.context.milvusObjects.location) could not be removed: \
          \(EngineError.sentence(error)) Delete that directory.
          """
      }
    }
  }
}
