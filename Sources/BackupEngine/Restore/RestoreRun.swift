// The course of one restore: databases, then collections side by side, within common bounds.

import BackupFormat
import Logging
import MilvusClient
import ObjectStore
import Synchronization

/// What the parts of one restore share.
final class RestoreRun: Sendable {
  let plan: RestorePlan
  let service: any MilvusService
  let progress: JobProgress
  let ledger: RestoreLedger
  /// Import tasks, of all collections together.
  let slots: ByteBudget
  /// Where the backup is copied for Milvus to read; nil if it lies in Milvus' own bucket.
  let staging: StagingArea?
  private let layout: BackupLayout
  private let counter = Atomic(0)

  /// Prepares the course; nothing is done yet.
  init(
    plan: RestorePlan, service: any MilvusService, progress: JobProgress, ledger: RestoreLedger,
    layout: BackupLayout, staging: StagingArea?
  ) {
    self.plan = plan
    self.service = service
    self.progress = progress
    self.ledger = ledger
    self.layout = layout
    self.staging = staging
    let limits = plan.context.limits
    slots = ByteBudget(capacity: staging == nil ? limits.importsInFlight : limits.stagedUnitsInFlight)
  }

  /// Restores everything.
  func restore() async throws -> [RestoreReport.Collection] {
    progress.enter("creating databases and collections", percent: 1...98)
    let bundles = plan.collections.flatMap(\.bundles)
    progress.expect(
      bytes: bundles.reduce(0) { $0 + $1.bytes }, objects: bundles.reduce(0) { $0 + $1.objects },
      rows: bundles.reduce(0) { $0 + $1.rows })
    for name in plan.newDatabases {
      try await during("Creating the database \(name)") { try await service.createDatabase(name, properties: []) }
      ledger.createdDatabase(name)
    }
    return try await mapConcurrently(plan.collections, limit: plan.context.limits.collectionsInFlight) { collection in
      try await CollectionRestorer(run: self, collection: collection).restore()
    }
  }

  /// Runs `body` with the key prefix, in Milvus' bucket, below which the bundle's directories lie.
  func withDirectories(
    of bundle: ImportBundle, _ body: (_ base: String) async throws -> Int64
  ) async throws -> Int64 {
    guard let staging else { return try await body(layout.directory) }
    let number = counter.add(1, ordering: .relaxed).newValue
    progress.note("copying the partition \(bundle.partitionName) into Milvus' bucket")
    let base = try await during(
      "Copying the partition \(bundle.partitionName) into \(plan.context.milvusObjects.location)"
    ) {
      try await staging.stage(bundle, as: number)
    }
    let rows = try await body(base)
    do {
      try await staging.remove(number)
    } catch {
      // The whole directory is removed once more when the restore has ended.
      plan.context.logger.warning("temporary copies not removed yet", metadata: ["error": "\(error)"])
    }
    return rows
  }
}
