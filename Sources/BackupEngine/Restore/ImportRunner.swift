// One import unit from the call to its end, across servers that go away and come back.
//
// Every state leads out: 6 is success, 1 and 7 are failures, a task that Milvus does not know is one too, and a Milvus
// that stays away ends the wait. Only a task that Milvus itself calls running is waited for without limit, and then the
// phase says how long it has not moved. A unit is imported again only when Milvus says that the task failed because it was
// restarted, gives it up after it was away, or does not have the task that it was asked for: never while it may still be
// at work.

import BackupFormat
import MilvusClient

/// Starts import tasks and watches them.
struct ImportRunner: Sendable {
  /// Seconds without any progress after which the phase says so.
  static let silence = 120.0
  /// Times a unit is imported before a server that is restarted again and again is given up on.
  static let attempts = 4

  let run: RestoreRun
  let collection: RestorePlan.Collection

  private var context: EngineContext { run.plan.context }
  private var target: CollectionName { collection.target }

  /// Imports one bundle, or goes on with what an earlier process began.
  /// - Returns: rows as Milvus counts them, deletes applied.
  func rows(of bundle: ImportBundle) async throws -> Int64 {
    let what = "partition \(bundle.partitionName) of \(target)"
    if let unit = run.ledger.unit(bundle.name, of: target), let rows = try await goOn(unit, with: bundle, what) {
      return rows
    }
    return try await run.withDirectories(of: bundle) { base in
      try await importAnew(bundle, what, base: base)
    }
  }

  private func importAnew(_ bundle: ImportBundle, _ what: String, base: String) async throws -> Int64 {
    var attempt = 1
    while true {
      run.ledger.willImport(bundle.name, into: target, base: base)
      let task: Int64
      do {
        task = try await start(bundle, what, base: base)
      } catch {
        // Only what surely did not happen is forgotten.
        if (error as? EngineError)?.mayHaveHappened != true { run.ledger.didNotImport(bundle.name, into: target) }
        throw error
      }
      run.ledger.began(bundle.name, into: target, task: task)
      let outcome = try await watch(task, what, bundle)
      switch outcome {
      case .success(let rows): return rows
      case .failure(let failure) where failure.isRestart && attempt < Self.attempts:
        attempt += 1
        run.progress.warn("Milvus was restarted while it imported the \(what); the import was begun again.")
      case .failure(let failure): throw failure.error
      }
    }
  }

  /// What became of an import that an earlier process began; nil if it has to be done again.
  private func goOn(_ unit: RestoreRecord.Unit, with bundle: ImportBundle, _ what: String) async throws -> Int64? {
    if let rows = unit.rows {
      run.progress.credit(bytes: bundle.bytes, objects: bundle.objects, rows: rows)
      return rows
    }
    let known: Int64? =
      if let task = unit.task { task } else { try await find(bundle, base: unit.base, what) }
    guard let task = known else {
      run.ledger.didNotImport(bundle.name, into: target)
      return nil
    }
    run.ledger.began(bundle.name, into: target, task: task)
    let outcome = try await watch(task, what, bundle)
    await run.free(unit.base)
    guard case .success(let rows) = outcome else {
      // Whatever the reason was: it is tried anew, and then a failure counts.
      return nil
    }
    return rows
  }

  private func start(_ bundle: ImportBundle, _ what: String, base: String) async throws -> Int64 {
    let path = { (path: String) in path.isEmpty ? "" : context.milvusImportPrefix + base + path }
    let options = ImportOptions(
      backup: bundle.kind == .segments, l0Import: bundle.kind == .deletes,
      storageVersion: bundle.units.map(\.storageVersion).max() ?? 0, encryptionKey: collection.encryptionKey)
    return try await during("Starting the import of the \(what)") {
      do {
        return try await run.patiently("starting the import of the \(what)", twice: false) {
          if let importer = run.importer {
            return try await importer.start(
              bundle.pathGroups.map { $0.map(path) }, into: target.collection, partition: bundle.partitionName,
              in: target.database, options: options)
          }
          return try await run.service.importFiles(
            bundle.paths.map(path), into: target.collection, partition: bundle.partitionName, in: target.database,
            options: options)
        }
      } catch let error as MilvusError where error.mayHaveHappened {
        guard let task = try await find(bundle, base: base, what) else {
          throw EngineError(
            .milvus,
            """
            It is not known whether Milvus at \(context.milvus.address) imports the \(what): the connection broke behind \
            the request (\(error)), and Milvus names no such task. Drop the collection and restore again.
            """, cause: error)
        }
        return task
      }
    }
  }

  /// The task that imports a bundle from `base`, if Milvus has one that has not failed.
  private func find(_ bundle: ImportBundle, base: String, _ what: String) async throws -> Int64? {
    let first = context.milvusImportPrefix + base + (bundle.paths.first ?? "")
    let tasks = try await during("Looking for the import of the \(what)") {
      try await run.patiently("looking for the import of the \(what)") {
        try await run.service.importTasks(of: target.collection, in: target.database, limit: 0)
      }
    }
    let alive = tasks.filter { !$0.state.isFailure }
    let match = alive.last { task in
      task.infos.contains { $0.key == "files" && $0.value.split(separator: ",").contains { $0 == first } }
    }
    guard match == nil else { return match?.taskID }
    let known = Set(run.ledger.record[target]?.units.values.compactMap(\.task) ?? [])
    // From 2.4 on tasks do not tell their files: then nobody knows which one this is.
    guard !alive.contains(where: { task in !known.contains(task.taskID) && !task.infos.contains { $0.key == "files" } })
    else {
      throw EngineError(
        .milvus,
        """
        It cannot be told whether Milvus at \(context.milvus.address) imports the \(what) already: it has import tasks \
        of \(target) that this program does not know. Drop the collection and restore again.
        """)
    }
    return nil
  }

  private struct Failure: Error {
    var error: EngineError
    /// Milvus gave the task up because it was restarted.
    var isRestart: Bool
  }

  private func watch(_ task: Int64, _ what: String, _ bundle: ImportBundle) async throws -> Result<Int64, Failure> {
    run.progress.note("importing \(what)")
    var reported: Int64 = 0
    do {
      let outcome = try await watch(task, what, bundle, &reported)
      run.progress.add(bytes: -reported)
      return outcome
    } catch {
      run.progress.add(bytes: -reported)
      throw error
    }
  }

  private func watch(
    _ task: Int64, _ what: String, _ bundle: ImportBundle, _ reported: inout Int64
  ) async throws -> Result<Int64, Failure> {
    var backoff = Backoff(context.pace.importPoll)
    let outages = run.outagesSeen
    var last: (state: ImportState, percent: Int)?
    var moved = ContinuousClock.now
    while true {
      try await backoff.wait()
      let now = try await during("Watching the import task \(task) of the \(what)") {
        try await run.patiently("importing \(what)") {
          if let importer = run.importer { return try await importer.state(of: task, in: target.database) }
          return try await run.service.importState(of: task)
        }
      }
      if now.state == .completed {
        let rows = now.rowCount
        run.ledger.imported(bundle.name, into: target, rows: rows)
        run.progress.add(bytes: bundle.bytes - reported, objects: bundle.objects, rows: rows)
        reported = 0
        return .success(rows)
      }
      if now.state.isFailure {
        run.ledger.didNotImport(bundle.name, into: target)
        return .failure(failure(of: task, what, now, wasAway: run.outagesSeen > outages))
      }
      let percent = now.state == .persisted ? 99 : min(99, max(0, now.percent ?? 0))
      if last == nil || last?.state != now.state || last?.percent != percent { moved = ContinuousClock.now }
      last = (now.state, percent)
      let done = bundle.bytes / 100 * Int64(percent)
      run.progress.add(bytes: done - reported)
      reported = done
      tell(
        what, now.state, silentFor: (ContinuousClock.now - moved) / .seconds(1), wasAway: run.outagesSeen > outages)
    }
  }

  private func tell(_ what: String, _ state: ImportState, silentFor seconds: Double, wasAway: Bool) {
    var words = "importing \(what) (\(state))"
    if seconds >= Self.silence {
      words += "; Milvus has reported no progress for \(Int(seconds)) seconds"
      if wasAway {
        words += " and was away meanwhile: a task that it lost it gives up after rootCoord.importTaskExpiration seconds"
      }
    }
    run.progress.note(words)
  }

  private func failure(of task: Int64, _ what: String, _ state: ImportProgress, wasAway: Bool) -> Failure {
    let reason = state.failedReason ?? "no reason is given"
    let remedy = Self.remedies.first { reason.contains($0.word) }.map { " \($0.remedy)" } ?? ""
    let error = EngineError(
      .milvus,
      """
      Milvus at \(context.milvus.address) failed to import the \(what) (import task \(task), \(state.state)): \
      \(reason).\(remedy)
      """)
    let isRestart = reason.contains(Self.restarted) || wasAway && reason.contains(Self.expired)
    return Failure(error: error, isRestart: isRestart)
  }

  /// Words by which Milvus 2.3 says that it forgot what it was doing.
  private static let restarted = "service restarted"
  /// And those by which it gives up a task: one of a data node that was restarted, too, which nobody works on any more (seen
  /// on 2.3.5: such a task stays "started" until then). What it had brought in is dropped with it.
  private static let expired = "timed out"
  /// What to do about failures that are known, by a word of Milvus' reason.
  private static let remedies: [(word: String, remedy: String)] = [
    (
      "timed out",
      "Milvus gives up tasks after rootCoord.importTaskExpiration seconds; raise it in Milvus' configuration."
    ),
    ("service restarted", "Start the restore again."),
  ]
}
