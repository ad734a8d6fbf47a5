// Temporary copies of restores that ended while Milvus may still be reading them.
//
// Invariant: copies are removed only when nobody reads them any more. Milvus 2.3 goes on with an import whatever becomes of
// the program that asked for it, and an import that finds its directory empty ends with success and without rows.

import BackupFormat
import MilvusClient
import ObjectStore

/// What became of a restore's temporary copies.
struct StagingRemains: Sendable {
  /// Key prefixes that are still there.
  var staying: [String] = []
  /// What to tell about them; nil if nothing is left.
  var sentence: String?
}

extension StagingArea {
  /// Removes the copies of a restore that has ended, except those that Milvus may still be importing.
  static func removeRemains(of record: RestoreRecord, in context: EngineContext) async -> StagingRemains {
    guard !record.temporary.isEmpty else { return StagingRemains() }
    let busy = await basesInUse(record, in: context)
    var remains = StagingRemains(staying: busy)
    var failures: [String] = []
    for directory in record.temporary {
      do {
        try await remove(directory, except: busy, in: context)
      } catch {
        remains.staying.append(directory)
        failures.append(
          """
          Temporary copies below \(directory) in \(context.milvusObjects.location) could not be removed: \
          \(EngineError.sentence(error)) Delete that directory.
          """)
      }
    }
    if !busy.isEmpty {
      failures.append(
        """
        The copies below \(busy.sorted().listed()) in \(context.milvusObjects.location) stay until Milvus has imported \
        them: the next command or mount that finds it done removes them.
        """)
    }
    if !failures.isEmpty { remains.sentence = failures.joined(separator: " ") }
    return remains
  }

  /// Removes everything below a key prefix in Milvus' bucket, apart from what lies below `kept`.
  static func remove(_ directory: String, except kept: [String] = [], in context: EngineContext) async throws {
    let keys = try await context.milvusObjects.listAll(ObjectKey(directory)).map(\.key)
    let gone = keys.filter { key in !kept.contains { key.string.hasPrefix($0) } }
    try await forEachConcurrently(gone, limit: context.limits.copiesInFlight) {
      try await context.milvusObjects.delete($0)
    }
  }

  /// Key prefixes from which a task may be importing; all that are not known to be done when Milvus cannot be asked.
  private static func basesInUse(_ record: RestoreRecord, in context: EngineContext) async -> [String] {
    let open = record.collections.filter { $0.stage != .finished }.flatMap { collection in
      collection.units.values.filter { unit in
        unit.rows == nil && record.temporary.contains(where: unit.base.hasPrefix)
      }.map { (target: collection.target, unit: $0) }
    }
    guard !open.isEmpty else { return [] }
    guard let service = try? await context.milvusConnector.connect() else { return open.map(\.unit.base) }
    var busy: [String] = []
    for (target, unit) in open where await mayBeReading(unit, target, service) { busy.append(unit.base) }
    await service.close()
    return busy
  }

  private static func mayBeReading(
    _ unit: RestoreRecord.Unit, _ target: CollectionName, _ service: any MilvusService
  ) async -> Bool {
    do throws(MilvusError) {
      guard let task = unit.task else {
        // The answer that names the task was lost, or the process ended before it came.
        return try await service.importTasks(of: target.collection, in: target.database, limit: 0)
          .contains { $0.state.readsFiles }
      }
      return try await service.importState(of: task).state.readsFiles
    } catch {
      // A task, or a collection, that Milvus does not know reads nothing.
      return error.isOutage
    }
  }
}

extension ImportState {
  /// Whether a task in this state may still read the files it was given.
  var readsFiles: Bool { !isFinished && self != .persisted && self != .flushed }
}
