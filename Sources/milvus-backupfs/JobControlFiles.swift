// Control files that start the engine's jobs.

import BackupEngine
import BackupFileSystem
import Configuration
import Logging
import ObjectStore
import Synchronization
import SystemPackage

/// What is written to `create` and `restore` becomes jobs; what they show is the state of the latest one.
final class JobControlFiles: ControlFiles {
  private let stores: [String: EngineContext]
  private let metrics: [(store: String, metrics: StoreMetrics)]
  private let jobs: JobCenter
  /// The latest refusal of each file, until a job is accepted there.
  private let refusals = Mutex<[ControlTarget: String]>([:])

  private let logger: Logger

  init(stores: [OpenStore], jobs: JobCenter, logger: Logger) {
    self.logger = logger
    self.stores = Dictionary(
      stores.map { ($0.configuration.name, $0.context) }, uniquingKeysWith: { first, _ in first })
    metrics = stores.map { ($0.configuration.name, $0.metrics) }.sorted { $0.0 < $1.0 }
    self.jobs = jobs
  }

  func submit(_ line: String, to target: ControlTarget) async throws(FileSystemError) {
    do {
      try await start(line, target)
      refusals.withLock { $0[target] = nil }
    } catch is CancellationError {
      throw FileSystemError(.interrupted, "waiting for the job of \(target.path) was interrupted; the job goes on")
    } catch let failure as WaitedJobFailure {
      // The job was accepted: its own state tells.
      refusals.withLock { $0[target] = nil }
      throw FileSystemError(refusing: failure.error)
    } catch {
      let refusal = FileSystemError(refusing: error)
      refusals.withLock { $0[target] = refusal.message }
      logger.notice("refused a request to \(target.path): \(refusal)")
      throw refusal
    }
  }

  func text(of target: ControlTarget) -> String {
    if let refusal = refusals.withLock({ $0[target] }) { return "state: refused\nerror: \(refusal)\n" }
    switch target {
    case .stats: return statistics
    case .refresh: return ""
    case .version: return "milvus-backupfs \(MilvusBackupFS.release)\n"
    case .job(let name): return jobs.snapshots.first { $0.id == name }?.text ?? "state: none\n"
    case .create(let store):
      return jobs.latest(.create, inStore: store)?.text
        ?? "state: none\nhint: write options to this file to make a backup, such as: -c coll -n my_backup\n"
    case .restore(let store, let backup):
      let job = jobs.snapshot(.restore, of: JobTarget(store: store, backup: backup))
      return job?.text
        ?? "state: none\nhint: write the new name of the collection to this file to restore it, or options: -s _bak\n"
    case .verify(let store, let backup):
      let job = jobs.snapshot(.verify, of: JobTarget(store: store, backup: backup))
      return job?.text ?? "state: none\nhint: write a line to this file to verify the backup; --deep reads everything\n"
    }
  }

  /// What each store was asked: lines of `store.NAME.OPERATION.FIGURE value`.
  private var statistics: String {
    var text = ""
    for (store, metrics) in metrics {
      let snapshot = metrics.snapshot
      for operation in StoreOperation.allCases {
        guard let figures = snapshot[operation], figures.requests > 0 else { continue }
        for (name, value) in [
          ("requests", figures.requests), ("failures", figures.failures.values.reduce(0, +)),
          ("in_flight", figures.inFlight), ("received_bytes", Int(figures.received)), ("sent_bytes", Int(figures.sent)),
          ("milliseconds", Int(figures.seconds * 1000)),
        ] {
          text += "store.\(store).\(operation.rawValue).\(name) \(value)\n"
        }
      }
    }
    return text
  }

  var jobNames: [String] { jobs.snapshots.map(\.id) }

  private func start(_ line: String, _ target: ControlTarget) async throws {
    switch target {
    case .create(let store):
      switch try ControlLine.createOrder(line) {
      case .cancel: try cancel(jobs.latest(.create, inStore: store), target)
      case .start(let request, let waits):
        let job = try await jobs.startCreate(request, in: try context(store))
        if waits { try await wait(for: job.id) }
      }
    case .restore(let store, let backup):
      switch try ControlLine.restoreOrder(line, backup: backup) {
      case .cancel: try cancel(jobs.snapshot(.restore, of: JobTarget(store: store, backup: backup)), target)
      case .start(let request, let waits):
        let job = try await jobs.startRestore(request, in: try context(store))
        if waits { try await wait(for: job.id) }
      }
    case .verify(let store, let backup):
      _ = try await jobs.startVerify(try ControlLine.verify(line, backup: backup), in: try context(store))
    case .job(let id):
      guard try ControlLine.words(line).first.map({ ["cancel", "--cancel"].contains($0) }) ?? false else {
        throw ControlLine.Malformed(message: "A job takes one word: cancel.")
      }
      try cancel(jobs.snapshot(id: id), target)
    case .refresh, .stats, .version:
      throw FileSystemError(.notPermitted, "\(target.path) takes no requests")
    }
  }

  private func cancel(_ job: JobSnapshot?, _ target: ControlTarget) throws(FileSystemError) {
    guard let job, jobs.cancel(job.id) else {
      throw FileSystemError(.noSuchProcess, "no job is running at \(target.path) that could be cancelled")
    }
  }

  /// Waits for a job's end; a writer that is interrupted goes, and the job stays.
  private func wait(for id: String) async throws {
    while let job = jobs.snapshot(id: id) {
      if let error = job.error { throw WaitedJobFailure(error: error) }
      guard job.state == .running else { return }
      try await Task.sleep(for: .milliseconds(100))
    }
  }

  private func context(_ store: String) throws -> EngineContext {
    guard let context = stores[store] else {
      throw FileSystemError(.noSuchFileOrDirectory, "there is no store \(store)")
    }
    return context
  }
}

/// A job that a writer waited for has failed.
private struct WaitedJobFailure: Error {
  var error: EngineError
}

extension ControlTarget {
  /// Where it is in the mount.
  var path: String {
    switch self {
    case .create(let store): "\(store)/create"
    case .restore(let store, let backup): "\(store)/\(backup)/restore"
    case .verify(let store, let backup): "\(store)/\(backup)/verify"
    case .refresh: ".milvus-backupfs/refresh"
    case .stats: ".milvus-backupfs/stats"
    case .version: ".milvus-backupfs/version"
    case .job(let name): ".milvus-backupfs/jobs/\(name)"
    }
  }
}

extension FileSystemError {
  /// What the write of a refused line answers.
  init(refusing error: any Error) {
    switch error {
    case let error as ControlLine.Malformed: self.init(.invalidArgument, error.message)
    case let error as EngineError: self.init(Errno(error.code), error.description)
    case let error as FileSystemError: self = error
    default: self.init(.ioError, "\(error)")
    }
  }
}

extension Errno {
  /// What a program is told of an engine's failure.
  init(_ code: EngineError.Code) {
    switch code {
    case .invalidRequest: self = .invalidArgument
    case .notFound: self = .noSuchFileOrDirectory
    case .alreadyExists: self = .fileExists
    case .busy: self = .resourceBusy
    case .accessDenied: self = .permissionDenied
    case .unreachable: self = .noRouteToHost
    case .timedOut: self = .timedOut
    case .noSpace: self = .noSpace
    case .unsupported: self = .notSupported
    case .changed: self = .staleNFSFileHandle
    case .cancelled: self = .interrupted
    default: self = .ioError
    }
  }
}
