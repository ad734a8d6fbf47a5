// Jobs across processes: what other processes work on, what a process that ended has left, and going on with it.

import Logging
import MilvusClient
import ObjectStore
import Synchronization

extension RestorePlan {
  /// What no other job may work on meanwhile.
  var claims: [String] { targets.map { "collection \($0) of the Milvus at \(context.milvus.address)" } }
}

extension JobCenter {
  /// All jobs that are written down, of this process and of others, in the order of their begin.
  public static func written(in journal: JobJournal) -> [JobSnapshot] { journal.records().map(\.snapshot) }

  /// Deals with the jobs of processes that have ended: a daemon goes on with the restores of a daemon; of all others the
  /// temporary copies are removed, and they are marked as failed. Shows what other jobs came to.
  ///
  /// - Parameter contexts: the stores of this process; jobs of other stores are left alone.
  /// - Returns: a sentence about each job dealt with.
  @discardableResult
  public func recover(in contexts: [EngineContext]) async -> [String] {
    guard let journal else { return [] }
    var sentences: [String] = []
    for record in journal.records() {
      guard let context = contexts.first(where: { $0.storeName == record.store }) else { continue }
      guard record.isOrphaned else {
        if record.state != .running { show(record) }
        continue
      }
      guard let mine = adopt(record) else { continue }
      if journal.isService, mine.isService, let request = mine.request, !request.dryRun {
        goOn(with: mine, request, in: context)
        sentences.append("The restore \(mine.id) of \(mine.store)/\(mine.backup) is gone on with.")
      } else {
        sentences.append(await bury(mine, in: context))
      }
    }
    await removeRemains(in: contexts)
    journal.prune()
    return sentences
  }

  /// Removes temporary copies that had to stay when their restore ended, as far as Milvus is done with them.
  /// - Returns: whether some still have to stay.
  @discardableResult
  public func removeRemains(in contexts: [EngineContext]) async -> Bool {
    guard let journal else { return false }
    var stays = false
    for record in journal.records() where record.state != .running && record.restore?.temporary.isEmpty == false {
      guard let context = contexts.first(where: { $0.storeName == record.store }) else { continue }
      var record = record
      let before = record.restore
      _ = await removeTemporaries(&record, in: context)
      if record.restore != before { journal.save(record) }
      if record.restore?.temporary.isEmpty == false { stays = true }
    }
    return stays
  }

  /// - Returns: a sentence that tells what is left; nil if nothing is.
  private func removeTemporaries(_ record: inout JobRecord, in context: EngineContext) async -> String? {
    guard let restore = record.restore, restore.temporaryPlace == context.milvusObjects.location.description else {
      return nil
    }
    let remains = await StagingArea.removeRemains(of: restore, in: context)
    record.restore?.temporary = remains.staying
    return remains.sentence
  }

  /// Restores that ended, or whose process ended, the latest first: what a request to resume may go on with.
  func pastRestores() -> [RestoreRecord] {
    (journal?.records() ?? []).reversed().filter { !$0.isAlive }.compactMap(\.restore)
  }

  /// Writes a job down as it is.
  func writeDown(_ id: String) {
    guard let journal, let record = state.withLock({ $0.entries[id]?.record }) else { return }
    journal.save(record)
  }

  /// Writes down how far a restore is.
  func noted(_ restore: RestoreRecord, of id: String) {
    let record = state.withLock { state in
      state.entries[id]?.record.restore = restore
      return state.entries[id]?.record
    }
    if let record { journal?.save(record, must: false) }
  }

  /// Claims things among all processes.
  func claimOnDisk(_ claims: [String], for id: String) throws(EngineError) {
    guard let journal else { return }
    let conflict = journal.withLock { () -> (job: String, claim: String)? in
      if let conflict = journal.conflict(with: claims, except: id) { return conflict }
      writeDown(id)
      return nil
    }
    if let conflict { throw .busy(conflict.claim, job: "\(conflict.job) of another process") }
  }

  /// Takes an orphaned job over; nil when another process was faster.
  private func adopt(_ record: JobRecord) -> JobRecord? {
    guard let journal else { return nil }
    return journal.withLock {
      guard let current = journal.records().first(where: { $0.id == record.id }), current.isOrphaned else { return nil }
      var mine = current
      mine.process = .current
      journal.save(mine)
      return mine
    }
  }

  /// Shows an ended job of another process, unless there is a later one of its target.
  private func show(_ record: JobRecord) {
    state.withLock { state in
      let entry = JobEntry(record, isPast: true)
      if let id = state.latest[entry.purpose], state.entries[id]?.isPast == false { return }
      state.add(entry)
    }
  }

  private func goOn(with record: JobRecord, _ request: RestoreRequest, in context: EngineContext) {
    let ledger = RestoreLedger()
    let entry = JobEntry(record, ledger: ledger)
    state.withLock { $0.add(entry) }
    let id = record.id
    // Until it has its own: what is known must not be lost when this process ends as well.
    ledger.note { $0 = record.restore ?? RestoreRecord() }
    ledger.attach { [weak self] restore in self?.noted(restore, of: id) }
    entry.progress.enter("going on after a restart of the program", percent: 0...1)
    let earlier = [record.restore].compactMap { $0 }
    var resuming = request
    resuming.resume = true
    let request = resuming
    let prepared = Prepared { progress throws(EngineError) in
      let plan = try await Self.prepare(context, request, earlier: earlier, progress)
      return try await RestoreJob.run(plan, progress, ledger).summary
    }
    launch(id, entry.progress, prepared)
  }

  /// Prepares while Milvus or the store may still be starting, as after a restart of the machine.
  private static func prepare(
    _ context: EngineContext, _ request: RestoreRequest, earlier: [RestoreRecord], _ progress: JobProgress
  ) async throws(EngineError) -> RestorePlan {
    let begin = ContinuousClock.now
    var backoff = Backoff(0.5...5)
    while true {
      do throws(EngineError) {
        return try await RestoreJob.prepare(context, request, earlier: earlier)
      } catch {
        let isAway = error.code == .unreachable || error.code == .timedOut
        guard isAway, ContinuousClock.now - begin < .seconds(context.limits.milvusPatience) else { throw error }
        progress.note("waiting for Milvus and the store to come back")
        do { try await backoff.wait() } catch { throw EngineError(error, during: "Waiting for Milvus") }
      }
    }
  }

  /// Removes what an orphaned job left in Milvus' bucket, and marks it as failed.
  private func bury(_ record: JobRecord, in context: EngineContext) async -> String {
    var record = record
    var left: [String] = []
    if let sentence = await removeTemporaries(&record, in: context) { left.append(sentence) }
    let unfinished = record.restore?.collections.filter { $0.stage != .finished }.map(\.target) ?? []
    if !unfinished.isEmpty {
      left.append("\(unfinished.listed()) may be incomplete: restore with --resume to go on, or drop it.")
    } else if record.kind == .create {
      left.append("What it had written of the backup \(record.backup) may still be there: delete it.")
    }
    let error = EngineError(
      .cancelled, "The program ended while \(record.id) was at work on \(record.store)/\(record.backup).",
      aftermath: left.joined(separator: " "))
    record.failure = JobRecord.Failure(error)
    record.state = .failed
    record.ended = UTCTime.now().secondsSince1970
    record.claims = []
    journal?.save(record)
    show(record)
    return error.description
  }
}
