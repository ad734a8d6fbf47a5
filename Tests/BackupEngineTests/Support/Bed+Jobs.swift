// Jobs on a bed in one call each, and what they left in its Milvus.

import BackupFormat
import ObjectStore
import Synchronization

@testable import BackupEngine
@testable import MilvusClient

extension Bed {
  /// Prepares and makes a backup.
  @discardableResult
  func create(
    _ request: CreateRequest = CreateRequest(name: "bk"), _ progress: JobProgress = JobProgress()
  ) async throws(EngineError) -> CreateReport {
    try await CreateJob.run(try await CreateJob.prepare(context, request), progress)
  }

  /// Prepares and makes a restore.
  @discardableResult
  func restore(
    _ request: RestoreRequest, _ progress: JobProgress = JobProgress()
  ) async throws(EngineError) -> RestoreReport {
    try await RestoreJob.run(try await RestoreJob.prepare(context, request), progress)
  }

  /// A bed with the backup `bk` of `coll`, copied from another bed, and an empty Milvus.
  static func withBackup(
    shared: Bool, version: String = "v2.3.5", limits: EngineLimits = EngineLimits()
  ) async throws -> Bed {
    let source = Bed(name: "source")
    try await source.fill()
    try await source.create()
    let target = Bed(shared: shared, version: version, name: "target", limits: limits)
    try await source.transfer("bk", to: target)
    return target
  }

  /// Rows of a collection; nil if there is none.
  func rows(_ name: CollectionName = .restored) -> Int64? {
    milvus[name]?.segments.reduce(0) { $0 + $1.numOfRows }
  }

  /// The import tasks, in the order they were started.
  var imports: [FakeMilvus.Import] {
    milvus.state.withLock { state in state.imports.sorted { $0.key < $1.key }.map(\.value) }
  }
}
