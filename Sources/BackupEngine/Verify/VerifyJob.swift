// Compares a backup with what its metadata promises: objects and sizes, the headers of the logs, and with `deep` the rows.
//
// Invariant: nothing is written, so that a backup in a bucket that only can be read is verified as well.

import BackupFormat
import ObjectStore

/// The verification of a backup.
public enum VerifyJob {
  /// A verification whose backup has readable metadata.
  public struct Plan: Sendable {
    let context: EngineContext
    let request: VerifyRequest
    let layout: BackupLayout
    let reading: MetaFiles.Reading
  }

  /// Reads the metadata.
  /// - Throws: `EngineError` `.notFound` (no such backup), `.incomplete` (no complete metadata), `.corrupted` (damaged
  ///   metadata), `.unsupported` (another format), or what the store reports.
  public static func prepare(_ context: EngineContext, _ request: VerifyRequest) async throws(EngineError) -> Plan {
    try await during("Verifying the backup \(request.backup) in \(context.storeName)") {
      let layout = BackupLayout(rootPath: context.backupRoot, backupName: request.backup)
      let reading = try await BackupReader(store: context.backups, layout: layout).metadata()
      return Plan(context: context, request: request, layout: layout, reading: reading)
    }
  }

  /// Verifies.
  /// - Returns: what was found; problems of the backup are no errors.
  /// - Throws: `EngineError` when it cannot be found out whether the backup is sound.
  public static func run(_ plan: Plan, _ progress: JobProgress) async throws(EngineError) -> VerifyReport {
    try await during("Verifying the backup \(plan.request.backup) in \(plan.context.storeName)") {
      try await plan.verify(progress)
    }
  }
}

extension VerifyJob.Plan {
  fileprivate func verify(_ progress: JobProgress) async throws -> VerifyReport {
    let problems = ProblemList()
    let info = reading.info
    var report = VerifyReport(
      backup: request.backup, place: "below \(layout.directory) in \(context.backups.location)", deep: request.deep,
      milvusVersion: info.milvusVersion)
    report.warnings = reading.warnings
    if info.name != request.backup {
      report.warnings.append("The metadata calls the backup \(info.name); it was renamed by copying it.")
    }
    progress.enter("comparing the metadata files", percent: 0...1)
    report.bytesRead = try await MetadataAudit(store: context.backups, layout: layout).check(reading, problems)

    let audit = SegmentAudit(info, layout: layout)
    var segments: [PromisedSegment] = []
    var encrypted: Set<Int> = []
    let keys = Set(info.databaseBackups.filter { !$0.ezk.isEmpty }.map(\.dbName))
    for collection in info.collectionBackups {
      let own = BackupContents(collections: [collection])
      // What is empty is told by the audit, with its place.
      report.warnings += own.unnamedLogs
      audit.check(collection, own.segments, problems)
      if keys.contains(collection.databaseName) {
        encrypted.formUnion(segments.count..<segments.count + own.segments.count)
        report.warnings.append(
          "\(collection.qualifiedName) is encrypted: of its logs only the headers were read, and no rows counted.")
      }
      segments += own.segments
    }
    let totals = BackupContents(info).totals
    (report.collections, report.segments, report.rows) = (totals.collections, totals.segments, totals.rows)
    (report.objects, report.bytes) = (totals.objects, totals.bytes)

    progress.enter("listing the objects", percent: 1...5)
    let missing = try await compareObjects(segments.flatMap(\.objects), problems)
    progress.enter(request.deep ? "reading all logs" : "reading the beginnings of the logs", percent: 5...99)
    let logs = LogReading(context, layout, deep: request.deep, progress, problems)
    try await logs.read(segments, missing: missing, encrypted: encrypted)
    report.bytesRead += logs.bytesRead
    if request.deep { report.rowsCounted = compareRows(segments, logs.tallies, problems) }
    problems.write(to: &report)
    progress.finish()
    return report
  }

  /// Compares a listing with what is promised.
  /// - Returns: the objects that are missing.
  private func compareObjects(_ promised: [PromisedObject], _ problems: ProblemList) async throws -> Set<LogKey> {
    var check = CompletenessCheck(promised: promised)
    try await context.backups.listAll(ObjectKey(layout.directory)) { page in
      for object in page.objects {
        if let path = layout.path(ofKey: object.key.string) { check.add(path: path, size: object.size) }
      }
    }
    let result = check.finish()
    for object in result.missing { problems.add(.missing, layout.key(object.path)) }
    for wrong in result.wrongSizes {
      let promised = (wrong.promised.size ?? 0).counted("byte")
      problems.add(
        .size, layout.key(wrong.promised.path), "\(wrong.actualSize.counted("byte")) instead of \(promised)")
    }
    for path in result.extra { problems.add(.extra, layout.key(path)) }
    return Set(result.missing.map(\.key))
  }

  /// Compares the rows that were counted with the metadata.
  /// - Returns: the rows counted, of each segment those of its first whole field.
  private func compareRows(
    _ segments: [PromisedSegment], _ tallies: [LogReading.Field: LogReading.Tally], _ problems: ProblemList
  ) -> Int64 {
    var ofSegment: [Int: [(fieldID: Int64, tally: LogReading.Tally)]] = [:]
    for (field, tally) in tallies { ofSegment[field.segment, default: []].append((field.fieldID, tally)) }
    var counted: Int64 = 0
    for (index, segment) in segments.enumerated() {
      // What misses a log has a problem already, and no number to compare.
      let whole = (ofSegment[index] ?? []).filter { !$0.tally.isPartial }.sorted { $0.fieldID < $1.fieldID }
      counted += whole.first?.tally.rows ?? 0
      for field in whole where field.tally.rows != segment.info.numOfRows {
        guard let first = segment.inserts.first else { continue }
        problems.add(
          .rows, layout.key(first.key.segmentDirectory) + "/\(field.fieldID)/",
          "\(field.tally.rows.counted("row")) instead of \(segment.info.numOfRows.grouped)")
      }
    }
    return counted
  }
}
