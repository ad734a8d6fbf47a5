// The course of one restore: access control, databases, then collections side by side, within common bounds.
//
// A collection that fails does not keep the others from being restored, unless what failed it will fail them too.

import BackupFormat
import Logging
import MilvusClient
import ObjectStore
import Synchronization

/// What the parts of one restore share.
final class RestoreRun: Sendable {
  let plan: RestorePlan
  let service: any MilvusService
  /// Imports by REST; nil for gRPC.
  let importer: (any JobImporter)?
  let progress: JobProgress
  let ledger: RestoreLedger
  /// Import tasks, of all collections together.
  let slots: ByteBudget
  /// Where the backup is copied for Milvus to read; nil if it lies in Milvus' own bucket.
  let staging: StagingArea?
  private let stagedBytes: ByteBudget
  private let layout: BackupLayout
  private let counter = Atomic(0)
  private let outages = Atomic(0)

  /// Prepares the course; nothing is done yet.
  init(
    plan: RestorePlan, service: any MilvusService, importer: (any JobImporter)?, progress: JobProgress,
    ledger: RestoreLedger, layout: BackupLayout, staging: StagingArea?
  ) {
    self.plan = plan
    self.service = service
    self.importer = importer
    self.progress = progress
    self.ledger = ledger
    self.layout = layout
    self.staging = staging
    let limits = plan.context.limits
    let runsManyAtOnce = service.features.version >= ServerVersion(2, 4, 0)
    slots = ByteBudget(capacity: runsManyAtOnce ? limits.parallelImportsInFlight : limits.importsInFlight)
    stagedBytes = ByteBudget(capacity: limits.stagedUnitsInFlight * Int(clamping: limits.importUnitBytes))
  }

  /// Restores everything.
  func restore() async throws -> [RestoreReport.Collection] {
    progress.enter("creating databases and collections", percent: 1...98)
    let bundles = plan.collections.flatMap(\.bundles)
    progress.expect(
      bytes: bundles.reduce(0) { $0 + $1.bytes }, objects: bundles.reduce(0) { $0 + $1.objects },
      rows: bundles.reduce(0) { $0 + $1.rows })
    if let missing = plan.accessControl, !missing.isEmpty {
      try await during("Restoring users, roles and grants") { try await service.restoreAccessControl(missing) }
    }
    for database in plan.newDatabases {
      try await during("Creating the database \(database.name)") {
        try await service.createDatabase(database.name, properties: database.properties)
      }
      ledger.createdDatabase(database.name)
    }
    let outcomes = try await mapConcurrently(
      plan.collections, limit: plan.context.limits.collectionsInFlight
    ) { collection -> Result<RestoreReport.Collection, EngineError> in
      do {
        return .success(try await CollectionRestorer(run: self, collection: collection).restore())
      } catch {
        let failure = EngineError(error, during: "Restoring the collection \(collection.target)")
        if failure.concernsAll { throw failure }
        self.progress.warn("\(collection.target) was not restored: \(failure.message)")
        return .failure(failure)
      }
    }
    return try Self.reports(outcomes)
  }

  /// All reports, or why some are missing.
  private static func reports(
    _ outcomes: [Result<RestoreReport.Collection, EngineError>]
  ) throws(EngineError) -> [RestoreReport.Collection] {
    var reports: [RestoreReport.Collection] = []
    var failures: [EngineError] = []
    for outcome in outcomes {
      switch outcome {
      case .success(let report): reports.append(report)
      case .failure(let failure): failures.append(failure)
      }
    }
    guard let first = failures.first else { return reports }
    guard failures.count > 1 else { throw first }
    throw EngineError(
      first.code,
      """
      \(failures.count.grouped) of \(outcomes.count.grouped) collections were not restored: \
      \(failures.map(\.message).listed(3))
      """, cause: first.cause)
  }

  /// Runs `body` with the key prefix, in Milvus' bucket, below which the bundle's directories lie.
  func withDirectories(
    of bundle: ImportBundle, _ body: (_ base: String) async throws -> Int64
  ) async throws -> Int64 {
    guard let staging else { return try await body(layout.directory) }
    return try await stagedBytes.withBytes(Int(clamping: max(1, bundle.bytes))) {
      let number = counter.add(1, ordering: .relaxed).newValue
      progress.note("copying the partition \(bundle.partitionName) into Milvus' bucket")
      let base = try await during(
        "Copying the partition \(bundle.partitionName) into \(plan.context.milvusObjects.location)"
      ) {
        try await staging.stage(bundle, as: number)
      }
      let rows = try await body(base)
      await free(base)
      return rows
    }
  }

  /// Removes a bundle's temporary copies, if it has any.
  func free(_ base: String) async {
    guard ledger.record.temporary.contains(where: base.hasPrefix) else { return }
    do {
      try await StagingArea.remove(base, in: plan.context)
    } catch {
      // The whole directory is removed once more when the restore has ended.
      plan.context.logger.warning("temporary copies not removed yet", metadata: ["error": "\(error)"])
    }
  }

  /// How often Milvus went away so far.
  var outagesSeen: Int { outages.load(ordering: .relaxed) }

  /// Repeats a call while Milvus is away, within the patience of the restore.
  /// - Parameter twice: whether the call may be carried out twice; if not, it is repeated only when it surely was not.
  func patiently<Value: Sendable>(
    _ phase: String, twice: Bool = true, _ body: () async throws -> Value
  ) async throws -> Value {
    let limits = plan.context.limits
    var backoff = Backoff(plan.context.pace.importPoll)
    var away: ContinuousClock.Instant?
    while true {
      do {
        return try await body()
      } catch let error as MilvusError where error.isOutage && (twice || !error.mayHaveHappened) {
        if away == nil { outages.add(1, ordering: .relaxed) }
        let since = away ?? ContinuousClock.now
        away = since
        guard ContinuousClock.now - since < .seconds(limits.milvusPatience) else { throw error }
        progress.note("\(phase); waiting for Milvus to come back")
        try await backoff.wait()
      }
    }
  }
}

extension MilvusError {
  /// Whether the server is away, so that asking later may help.
  var isOutage: Bool { code == .unreachable || code == .timedOut }
}

extension EngineError {
  /// Whether whatever is done next will fail for the same reason.
  var concernsAll: Bool { [.cancelled, .unreachable, .accessDenied, .noSpace].contains(code) }
  /// Whether Milvus may have carried out what failed here.
  var mayHaveHappened: Bool { (cause as? MilvusError)?.mayHaveHappened ?? false }
}
