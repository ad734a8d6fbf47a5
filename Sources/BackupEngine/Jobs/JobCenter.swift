// Starts jobs, keeps the latest of each target, and lets others look at them, cancel them and wait for them.
//
// Invariants: at most one job runs per target, and at most one restore per target collection of one Milvus, other processes
// with the same journal included; a job that was refused is kept like one that failed, so that its reason can be read
// later; after `shutdown` nothing runs and nothing starts.

import MilvusClient
import ObjectStore
import Synchronization

/// All jobs of a process.
public final class JobCenter: Sendable {
  /// What a job does to what.
  struct Purpose: Hashable {
    var kind: JobKind
    var target: JobTarget
  }

  struct State {
    var entries: [String: JobEntry] = [:]
    var latest: [Purpose: String] = [:]
    /// Order of starting, for listings.
    var order: [String] = []
    var counters: [JobKind: Int] = [:]
    var isClosed = false
  }

  /// What `prepare` of a job yields: what must not be worked on meanwhile, and the work.
  struct Prepared: Sendable {
    var claims: [String] = []
    var run: @Sendable (JobProgress) async throws(EngineError) -> String
  }

  let state = Mutex(State())
  /// Where jobs are written down; nil keeps them in memory only.
  let journal: JobJournal?

  /// Makes a center without jobs.
  public init(journal: JobJournal? = nil) { self.journal = journal }

  /// Checks a request for a backup and starts it.
  /// - Returns: the job as it starts.
  /// - Throws: `EngineError` when the request is refused; the refusal is also the target's latest job, unless the code is
  ///   `.busy`: then the running one is.
  public func startCreate(
    _ request: CreateRequest, in context: EngineContext
  ) async throws(EngineError) -> JobSnapshot {
    var request = request
    let name = request.name ?? UTCTime.now().backupName
    request.name = name
    let named = request
    return try await start(.create, JobTarget(store: context.storeName, backup: name)) { () throws(EngineError) in
      let plan = try await CreateJob.prepare(context, named)
      let claims = ["the backup \(name) in \(context.backups.location)"]
      return Prepared(claims: claims) { progress throws(EngineError) in
        try await CreateJob.run(plan, progress).summary
      }
    }
  }

  /// Checks a request for a restore and starts it.
  /// - Returns: the job as it starts.
  /// - Throws: `EngineError` as `startCreate` does.
  public func startRestore(
    _ request: RestoreRequest, in context: EngineContext
  ) async throws(EngineError) -> JobSnapshot {
    let target = JobTarget(store: context.storeName, backup: request.backup)
    let ledger = RestoreLedger()
    let earlier = pastRestores()
    return try await start(.restore, target, request, ledger) { () throws(EngineError) in
      let plan = try await RestoreJob.prepare(context, request, earlier: earlier)
      return Prepared(claims: request.dryRun ? [] : plan.claims) { progress throws(EngineError) in
        try await RestoreJob.run(plan, progress, ledger).summary
      }
    }
  }

  /// Checks a request for a verification and starts it; problems of the backup make the job fail.
  /// - Returns: the job as it starts.
  /// - Throws: `EngineError` as `startCreate` does.
  public func startVerify(
    _ request: VerifyRequest, in context: EngineContext
  ) async throws(EngineError) -> JobSnapshot {
    let target = JobTarget(store: context.storeName, backup: request.backup)
    return try await start(.verify, target) { () throws(EngineError) in
      let plan = try await VerifyJob.prepare(context, request)
      return Prepared { progress throws(EngineError) in
        let report = try await VerifyJob.run(plan, progress)
        for warning in report.warnings { progress.warn(warning) }
        for problem in report.problems { progress.report(problem.line) }
        guard report.sound else { throw EngineError(.incomplete, report.summary, aftermath: report.remedy) }
        return report.summary
      }
    }
  }

  /// The latest job of a target, running or ended; nil if there was none.
  public func snapshot(_ target: JobTarget) -> JobSnapshot? {
    state.withLock { state in
      state.order.last { id in state.entries[id]?.target == target }.flatMap { state.entries[$0]?.snapshot }
    }
  }

  /// The latest job of a kind of a target.
  public func snapshot(_ kind: JobKind, of target: JobTarget) -> JobSnapshot? {
    state.withLock { state in
      state.latest[Purpose(kind: kind, target: target)].flatMap { state.entries[$0]?.snapshot }
    }
  }

  /// The job with this id, as long as it is the latest of its kind of its target.
  public func snapshot(id: String) -> JobSnapshot? {
    state.withLock { $0.entries[id]?.snapshot }
  }

  /// The job of a kind that was started last in a store.
  public func latest(_ kind: JobKind, inStore store: String) -> JobSnapshot? {
    state.withLock { state in
      state.order.last { id in state.entries[id].map { $0.record.kind == kind && $0.record.store == store } ?? false }
        .flatMap { state.entries[$0]?.snapshot }
    }
  }

  /// The latest job of each kind of each target in the order they were started.
  public var snapshots: [JobSnapshot] {
    state.withLock { state in state.order.compactMap { state.entries[$0]?.snapshot } }
  }

  /// Asks a running job to stop; it ends soon after, once it has cleaned up.
  /// - Returns: whether there was a running job with this id.
  @discardableResult
  public func cancel(_ id: String) -> Bool {
    let stop = state.withLock { state -> (@Sendable () -> Void)?? in
      guard let entry = state.entries[id], entry.isRunning else { return nil }
      state.entries[id]?.isCancelled = true
      return .some(entry.stop)
    }
    guard let stop else { return false }
    stop?()
    return true
  }

  /// Waits until a job has ended. Cancelling the caller does not end the wait; cancel the job for that.
  /// - Returns: the ended job; nil if there is none with this id.
  public func finished(_ id: String) async -> JobSnapshot? {
    await withCheckedContinuation { continuation in
      let mustWait = state.withLock { state in
        guard let entry = state.entries[id], entry.isRunning else { return false }
        state.entries[id]?.waiters.append(continuation)
        return true
      }
      if !mustWait { continuation.resume() }
    }
    return snapshot(id: id)
  }

  /// Takes no more jobs, stops the running ones and waits until they have. Restores that are written down as a daemon's
  /// are left as they are, for the next daemon to go on with; all others are cancelled and clean up.
  public func shutdown() async {
    let ledgers = state.withLock { state in state.entries.values.filter(\.isRunning).compactMap(\.ledger) }
    if journal?.isService == true { for ledger in ledgers { ledger.suspend() } }
    let running = state.withLock { state in
      state.isClosed = true
      return state.entries.values.filter(\.isRunning).map(\.record.id)
    }
    for id in running { cancel(id) }
    for id in running { _ = await finished(id) }
  }

  /// Reserves the target, prepares in the caller's task, then runs in a task of its own.
  func start(
    _ kind: JobKind, _ target: JobTarget, _ request: RestoreRequest? = nil, _ ledger: RestoreLedger? = nil,
    prepare: @escaping @Sendable () async throws(EngineError) -> Prepared
  ) async throws(EngineError) -> JobSnapshot {
    let (id, progress) = try reserve(kind, target, request, ledger)
    progress.enter("checking the request", percent: 0...1)
    let preparing = Task { () -> Result<Prepared, EngineError> in
      do throws(EngineError) { return .success(try await prepare()) } catch { return .failure(error) }
    }
    setStop(id) { preparing.cancel() }
    let outcome = await withTaskCancellationHandler {
      await preparing.value
    } onCancel: {
      preparing.cancel()
    }
    do throws(EngineError) {
      let prepared = try outcome.get()
      try claim(prepared.claims, for: id, target)
      launch(id, progress, prepared)
    } catch {
      settle(id, .failure(error))
      throw error
    }
    guard let snapshot = snapshot(id: id) else {
      throw EngineError(.cancelled, "The job \(id) ended before it could be looked at.")
    }
    return snapshot
  }

  func launch(_ id: String, _ progress: JobProgress, _ prepared: Prepared) {
    let running = Task {
      let outcome: Result<String, EngineError>
      do throws(EngineError) {
        outcome = .success(try await prepared.run(progress))
      } catch {
        outcome = .failure(error)
      }
      settle(id, outcome)
    }
    setStop(id) { running.cancel() }
  }

  private func reserve(
    _ kind: JobKind, _ target: JobTarget, _ request: RestoreRequest?, _ ledger: RestoreLedger?
  ) throws(EngineError) -> (String, JobProgress) {
    let taken = journal?.take(kind)
    let reserved = state.withLock { state -> Result<(String, JobProgress), EngineError> in
      if state.isClosed {
        return .failure(EngineError(.cancelled, "No job can be started: the program is shutting down."))
      }
      if let running = state.entries.values.first(where: { $0.isRunning && $0.target == target }) {
        return .failure(.busy("the backup \(target)", job: running.record.id))
      }
      let number = state.counters[kind, default: 0] + 1
      if taken == nil { state.counters[kind] = number }
      let record = JobRecord(
        id: taken ?? "\(kind.rawValue)-\(number)", kind: kind, store: target.store, backup: target.backup,
        process: .current, isService: journal?.isService ?? false, started: UTCTime.now().secondsSince1970,
        request: request)
      let entry = JobEntry(record, ledger: ledger)
      state.add(entry)
      return .success((record.id, entry.progress))
    }
    if case .failure = reserved, let taken { journal?.giveBack(taken) }
    let (id, progress) = try reserved.get()
    writeDown(id)
    ledger?.attach { [weak self] restore in self?.noted(restore, of: id) }
    return (id, progress)
  }

  func claim(_ claims: [String], for id: String, _ target: JobTarget) throws(EngineError) {
    let conflict = state.withLock { state -> EngineError? in
      if state.isClosed || state.entries[id]?.isCancelled != false {
        return EngineError(.cancelled, "The job \(id) on \(target) was cancelled before it began; nothing was changed.")
      }
      for (other, entry) in state.entries where entry.isRunning && other != id {
        if let claim = claims.first(where: entry.record.claims.contains) { return .busy(claim, job: other) }
      }
      state.entries[id]?.record.claims = claims
      return nil
    }
    if let conflict { throw conflict }
    try claimOnDisk(claims, for: id)
  }

  /// Keeps how to stop the work under way, and stops it at once when that was asked for already.
  func setStop(_ id: String, _ stop: @escaping @Sendable () -> Void) {
    let isCancelled = state.withLock { state in
      state.entries[id]?.stop = stop
      return state.entries[id]?.isCancelled ?? true
    }
    if isCancelled { stop() }
  }

  func settle(_ id: String, _ outcome: Result<String, EngineError>) {
    // Asked before the center is locked: a ledger that is locked waits for the center.
    let isSuspended = state.withLock { $0.entries[id]?.ledger }?.isSuspended ?? false
    let (waiters, final) = state.withLock { state -> ([CheckedContinuation<Void, Never>], JobRecord?) in
      guard var entry = state.entries[id] else { return ([], nil) }
      switch outcome {
      case .success(let result):
        entry.record.result = result
        entry.progress.finish()
      case .failure(let error):
        entry.error = error
      }
      entry.end = ContinuousClock.now
      entry.stop = nil
      let waiters = entry.waiters
      entry.waiters = []
      // A restore that was left for the next daemon has not ended.
      let isLeft = isSuspended && entry.error?.code == .cancelled && entry.record.restore != nil
      if !isLeft { entry.record = entry.finalRecord(at: UTCTime.now().secondsSince1970) }
      entry.record.claims = []
      state.entries[id] = entry
      return (waiters, entry.record)
    }
    if let final { journal?.save(final) }
    for waiter in waiters { waiter.resume() }
  }
}

extension JobCenter.State {
  /// Takes a job in as the latest of its kind of its target.
  mutating func add(_ entry: JobEntry) {
    let id = entry.record.id
    if let old = latest.updateValue(id, forKey: entry.purpose), old != id {
      entries[old] = nil
      order.removeAll { $0 == old }
    }
    if entries.updateValue(entry, forKey: id) == nil { order.append(id) }
  }
}

extension EngineError {
  static func busy(_ what: String, job: String) -> EngineError {
    EngineError(
      .busy, "Another job, \(job), is working on \(what).",
      aftermath: "Wait until it has ended, or cancel it, and try again.")
  }
}
