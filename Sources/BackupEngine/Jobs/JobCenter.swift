// Starts jobs, keeps the latest of each target, and lets others look at them, cancel them and wait for them.
//
// Invariants: at most one job runs per target, and at most one restore per target collection of one Milvus; a job that
// was refused is kept like one that failed, so that its reason can be read later; after `shutdown` nothing runs and
// nothing starts.

import MilvusClient
import Synchronization

/// All jobs of a process.
public final class JobCenter: Sendable {
  private struct Entry {
    let id: String
    let kind: JobKind
    let target: JobTarget
    let progress = JobProgress()
    let started = UTCTime.now()
    let begin = ContinuousClock.now
    var end: ContinuousClock.Instant?
    var result: String?
    var error: EngineError?
    /// What no other job may work on meanwhile, beside the target.
    var claims: [String] = []
    /// Stops the work under way; nil between two pieces of it.
    var stop: (@Sendable () -> Void)?
    var isCancelled = false
    /// Callers of `finished`.
    var waiters: [CheckedContinuation<Void, Never>] = []

    var isRunning: Bool { end == nil }

    var snapshot: JobSnapshot {
      let progress = progress.snapshot
      let success: JobState = progress.problems.isEmpty ? .done : .partial
      let state: JobState = isRunning ? .running : error.map { $0.code == .cancelled ? .cancelled : .failed } ?? success
      return JobSnapshot(
        id: id, kind: kind, target: target, state: state, progress: progress, result: result, error: error,
        started: started.secondsSince1970, elapsed: ((end ?? ContinuousClock.now) - begin) / .seconds(1))
    }
  }

  /// What a job does to what.
  private struct Purpose: Hashable {
    var kind: JobKind
    var target: JobTarget
  }

  private struct State {
    var entries: [String: Entry] = [:]
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

  private let state = Mutex(State())

  /// Makes a center without jobs.
  public init() {}

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
      return Prepared { progress throws(EngineError) in try await CreateJob.run(plan, progress).summary }
    }
  }

  /// Checks a request for a restore and starts it.
  /// - Returns: the job as it starts.
  /// - Throws: `EngineError` as `startCreate` does.
  public func startRestore(
    _ request: RestoreRequest, in context: EngineContext
  ) async throws(EngineError) -> JobSnapshot {
    let target = JobTarget(store: context.storeName, backup: request.backup)
    return try await start(.restore, target) { () throws(EngineError) in
      let plan = try await RestoreJob.prepare(context, request)
      let claims = plan.targets.map { "collection \($0) of the Milvus at \(context.milvus.address)" }
      return Prepared(claims: claims) { progress throws(EngineError) in
        try await RestoreJob.run(plan, progress).summary
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
      state.order.last { id in state.entries[id].map { $0.kind == kind && $0.target.store == store } ?? false }
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

  /// Takes no more jobs, cancels the running ones and waits until they have cleaned up.
  public func shutdown() async {
    let running = state.withLock { state in
      state.isClosed = true
      return state.entries.values.filter(\.isRunning).map(\.id)
    }
    for id in running { cancel(id) }
    for id in running { _ = await finished(id) }
  }

  /// Reserves the target, prepares in the caller's task, then runs in a task of its own.
  func start(
    _ kind: JobKind, _ target: JobTarget, prepare: @escaping @Sendable () async throws(EngineError) -> Prepared
  ) async throws(EngineError) -> JobSnapshot {
    let (id, progress) = try reserve(kind, target)
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

  private func launch(_ id: String, _ progress: JobProgress, _ prepared: Prepared) {
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

  private func reserve(_ kind: JobKind, _ target: JobTarget) throws(EngineError) -> (String, JobProgress) {
    let reserved = state.withLock { state -> Result<(String, JobProgress), EngineError> in
      if state.isClosed {
        return .failure(EngineError(.cancelled, "No job can be started: the program is shutting down."))
      }
      if let running = state.entries.values.first(where: { $0.isRunning && $0.target == target }) {
        return .failure(.busy("the backup \(target)", job: running.id))
      }
      let number = state.counters[kind, default: 0] + 1
      state.counters[kind] = number
      let entry = Entry(id: "\(kind.rawValue)-\(number)", kind: kind, target: target)
      if let old = state.latest.updateValue(entry.id, forKey: Purpose(kind: kind, target: target)) {
        state.entries[old] = nil
        state.order.removeAll { $0 == old }
      }
      state.entries[entry.id] = entry
      state.order.append(entry.id)
      return .success((entry.id, entry.progress))
    }
    return try reserved.get()
  }

  private func claim(_ claims: [String], for id: String, _ target: JobTarget) throws(EngineError) {
    let conflict = state.withLock { state -> EngineError? in
      if state.isClosed || state.entries[id]?.isCancelled != false {
        return EngineError(.cancelled, "The job \(id) on \(target) was cancelled before it began; nothing was changed.")
      }
      for (other, entry) in state.entries where entry.isRunning && other != id {
        if let claim = claims.first(where: entry.claims.contains) { return .busy(claim, job: other) }
      }
      state.entries[id]?.claims = claims
      return nil
    }
    if let conflict { throw conflict }
  }

  /// Keeps how to stop the work under way, and stops it at once when that was asked for already.
  private func setStop(_ id: String, _ stop: @escaping @Sendable () -> Void) {
    let isCancelled = state.withLock { state in
      state.entries[id]?.stop = stop
      return state.entries[id]?.isCancelled ?? true
    }
    if isCancelled { stop() }
  }

  private func settle(_ id: String, _ outcome: Result<String, EngineError>) {
    let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      guard var entry = state.entries[id] else { return [] }
      switch outcome {
      case .success(let result):
        entry.result = result
        entry.progress.finish()
      case .failure(let error):
        entry.error = error
      }
      entry.end = ContinuousClock.now
      entry.claims = []
      entry.stop = nil
      let waiters = entry.waiters
      entry.waiters = []
      state.entries[id] = entry
      return waiters
    }
    for waiter in waiters { waiter.resume() }
  }
}

extension EngineError {
  static func busy(_ what: String, job: String) -> EngineError {
    EngineError(
      .busy, "Another job, \(job), is working on \(what).",
      aftermath: "Wait until it has ended, or cancel it, and try again.")
  }
}
