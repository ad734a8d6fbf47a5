// One import task of Milvus from its start to its end.
//
// Every state leads out: 6 is success, 1 and 7 are failures, a task that Milvus does not know is one too, and a Milvus
// that stays away ends the wait. Only a task that Milvus itself calls running is waited for without limit, and then the
// phase says how long it has not moved.

import BackupFormat
import MilvusClient

/// Starts import tasks and watches them.
struct ImportRunner: Sendable {
  /// Seconds without any progress after which the phase says so.
  static let silence = 120.0

  let service: any MilvusService
  let context: EngineContext
  let progress: JobProgress
  let ledger: RestoreLedger

  /// Imports one bundle.
  /// - Parameters:
  ///   - base: key prefix, in Milvus' bucket, of the bundle's directories.
  /// - Returns: rows as Milvus counts them, deletes applied.
  func run(_ bundle: ImportBundle, of collection: RestorePlan.Collection, base: String) async throws -> Int64 {
    let target = collection.target
    let what = "partition \(bundle.partitionName) of \(target)"
    let task = try await during("Starting the import of \(what)") {
      try await service.importFiles(
        bundle.paths.map { $0.isEmpty ? "" : context.milvusImportPrefix + base + $0 }, into: target.collection,
        partition: bundle.partitionName,
        in: target.database, options: options(bundle, collection))
    }
    ledger.began(task: task, into: target)
    progress.note("importing \(what)")
    var reported: Int64 = 0
    do {
      let rows = try await watch(task, what, bytes: bundle.bytes, &reported)
      ledger.ended(task: task)
      progress.add(bytes: bundle.bytes - reported, objects: bundle.objects, rows: rows)
      return rows
    } catch {
      progress.add(bytes: -reported)
      throw error
    }
  }

  private func options(_ bundle: ImportBundle, _ collection: RestorePlan.Collection) -> ImportOptions {
    ImportOptions(
      backup: bundle.kind == .segments, l0Import: bundle.kind == .deletes,
      storageVersion: bundle.units.map(\.storageVersion).max() ?? 0, encryptionKey: collection.encryptionKey)
  }

  private func watch(_ task: Int64, _ what: String, bytes: Int64, _ reported: inout Int64) async throws -> Int64 {
    var backoff = Backoff(context.pace.importPoll)
    var last: (state: ImportState, percent: Int)?
    var moved = ContinuousClock.now
    var away: ContinuousClock.Instant?
    while true {
      try await backoff.wait()
      let now: ImportProgress
      do throws(MilvusError) {
        now = try await service.importState(of: task)
        away = nil
      } catch  where error.code == .unreachable || error.code == .timedOut {
        let since = away ?? ContinuousClock.now
        away = since
        guard ContinuousClock.now - since < .seconds(context.limits.milvusPatience) else {
          throw EngineError(error, during: "Watching the import task \(task) of \(what)")
        }
        progress.note("importing \(what); waiting for Milvus to come back")
        continue
      } catch {
        throw EngineError(error, during: "Watching the import task \(task) of \(what)")
      }
      if now.state.isFailure { ledger.ended(task: task) }
      if now.state == .completed { return now.rowCount }
      guard !now.state.isFailure else { throw failure(of: task, what, now) }
      let percent = now.state == .persisted ? 99 : min(99, max(0, now.percent ?? 0))
      if last == nil || last?.state != now.state || last?.percent != percent { moved = ContinuousClock.now }
      last = (now.state, percent)
      let done = bytes / 100 * Int64(percent)
      progress.add(bytes: done - reported)
      reported = done
      tell(what, now.state, silentFor: (ContinuousClock.now - moved) / .seconds(1))
    }
  }

  private func tell(_ what: String, _ state: ImportState, silentFor seconds: Double) {
    let silence = seconds < Self.silence ? "" : "; Milvus has reported no progress for \(Int(seconds)) seconds"
    progress.note("importing \(what) (\(state))\(silence)")
  }

  private func failure(of task: Int64, _ what: String, _ state: ImportProgress) -> EngineError {
    let reason = state.failedReason ?? "no reason is given"
    let remedy = Self.remedies.first { reason.contains($0.word) }.map { " \($0.remedy)" } ?? ""
    return EngineError(
      .milvus,
      """
      Milvus at \(context.milvus.address) failed to import the \(what) (import task \(task), \(state.state)): \
      \(reason).\(remedy)
      """)
  }

  /// What to do about failures that are known, by a word of Milvus' reason.
  private static let remedies: [(word: String, remedy: String)] = [
    (
      "timed out",
      "Milvus gives up tasks after rootCoord.importTaskExpiration seconds; raise it in Milvus' configuration."
    ),
    ("service restarted", "Start the restore again."),
  ]
}
