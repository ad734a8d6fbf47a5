// The living record of one restore: every change is handed on, to be kept on disk.
//
// Invariant: only collections noted here as created are ever dropped.

import BackupFormat
import Synchronization

/// The ledger of one restore.
final class RestoreLedger: Sendable {
  private struct State {
    var record = RestoreRecord()
    var isSuspended = false
    var save: (@Sendable (RestoreRecord) -> Void)?
  }

  private let state = Mutex(State())

  /// What was done so far.
  var record: RestoreRecord { state.withLock { $0.record } }

  /// From now on each change is given to `save`, in order.
  func attach(_ save: @escaping @Sendable (RestoreRecord) -> Void) { state.withLock { $0.save = save } }

  /// The restore is going to be cancelled only to be gone on with by another process: nothing is undone.
  func suspend() { state.withLock { $0.isSuspended = true } }
  var isSuspended: Bool { state.withLock { $0.isSuspended } }

  /// Makes a change and hands the record on. Saved under the lock, so that no older state overwrites a newer one.
  func note(_ change: (inout RestoreRecord) -> Void) {
    state.withLock { state in
      change(&state.record)
      state.save?(state.record)
    }
  }

  func createdDatabase(_ name: String) { note { $0.databases.append(name) } }
  func dropped(_ name: CollectionName) { note { $0.dropped.append(name) } }
  func willCreate(_ name: CollectionName) { note { $0[name] = .init(target: name, stage: .creating) } }
  /// Milvus refused to create it: whatever has that name is someone else's.
  func didNotCreate(_ name: CollectionName) { note { $0[name] = nil } }
  func created(_ name: CollectionName, id: Int64) {
    note { $0[name] = .init(target: name, stage: .created, collectionID: id) }
  }
  func willAdd(to name: CollectionName, id: Int64, rowsBefore: Int64) {
    note { $0[name] = .init(target: name, stage: .existing, collectionID: id, rowsBefore: rowsBefore) }
  }
  func finished(_ name: CollectionName) { note { $0[name]?.stage = .finished } }

  /// What is known of an import.
  func unit(_ unit: String, of name: CollectionName) -> RestoreRecord.Unit? { record[name]?.units[unit] }
  func willImport(_ unit: String, into name: CollectionName, base: String) {
    note { $0[name]?.units[unit] = .init(base: base) }
  }
  func began(_ unit: String, into name: CollectionName, task: Int64) { note { $0[name]?.units[unit]?.task = task } }
  func imported(_ unit: String, into name: CollectionName, rows: Int64) {
    note { $0[name]?.units[unit]?.rows = rows }
  }
  /// The import surely did not happen, or failed for good.
  func didNotImport(_ unit: String, into name: CollectionName) { note { $0[name]?.units[unit] = nil } }

  /// Drops what was created and not finished, unless it shall be gone on with.
  /// - Parameter wait: what to wait for before a collection is dropped.
  /// - Returns: sentences that tell what was undone, what stays and what to do about it.
  func undo(
    _ connector: any MilvusConnector, keeping: Bool,
    after wait: (_ tasks: [Int64], any MilvusService) async -> Void = { _, _ in }
  ) async -> String {
    let before = record
    let own = before.collections.filter { [.creating, .created].contains($0.stage) }.map(\.target)
    var gone: [CollectionName] = []
    if !keeping, !own.isEmpty, let service = try? await connector.connect() {
      await wait(own.flatMap { tasksUnderWay(in: $0) }, service)
      // At most as many as are worked on at the same time.
      for name in own where (try? await service.dropCollection(name.collection, in: name.database)) != nil {
        gone.append(name)
        note { $0[name] = nil }
      }
      await service.close()
    }
    return tell(before, gone: gone, keeping: keeping)
  }

  private func tasksUnderWay(in name: CollectionName) -> [Int64] {
    record[name]?.units.values.filter { $0.rows == nil }.compactMap(\.task) ?? []
  }

  private func tell(_ record: RestoreRecord, gone: [CollectionName], keeping: Bool) -> String {
    var sentences: [String] = []
    let left = record.collections.filter { [.creating, .created].contains($0.stage) && !gone.contains($0.target) }
    let finished = record.collections.filter { $0.stage == .finished }.map(\.target)
    if !gone.isEmpty { sentences.append("\(gone.listed(10)), which this restore had created, was dropped again.") }
    if !left.isEmpty {
      let what = "\(left.map(\.target).listed(10)), which this restore had created,"
      sentences.append(
        keeping
          ? "\(what) is incomplete and was kept: restore with --resume to go on, or drop it."
          : "\(what) could not be dropped and is incomplete: drop it before you restore again, or go on with --resume.")
    }
    if !record.dropped.isEmpty {
      sentences.append("What was called \(record.dropped.listed(10)) before had been dropped, as asked for.")
    }
    for collection in record.collections where collection.stage == .existing {
      sentences.append(
        """
        \(collection.target) existed before and stays; it may hold a part of the backup's rows now \
        (\(collection.rows.grouped) for certain), and restoring into it again would bring those in twice, except with \
        --resume.
        """)
    }
    if !finished.isEmpty { sentences.append("Completely restored and kept: \(finished.listed(10)).") }
    if !record.databases.isEmpty { sentences.append("The new databases stay: \(record.databases.listed(10)).") }
    sentences += tasks(record.collections.filter { !gone.contains($0.target) })
    return sentences.isEmpty ? "Nothing had been changed in Milvus." : sentences.joined(separator: " ")
  }

  /// What becomes of tasks under way: Milvus 2.3 cannot be told to stop one.
  private func tasks(_ collections: [RestoreRecord.Collection]) -> [String] {
    let running = collections.flatMap { collection in
      collection.units.values.filter { $0.rows == nil }.compactMap { unit in
        unit.task.map { (task: $0, target: collection.target) }
      }
    }
    guard !running.isEmpty else { return [] }
    let targets = Set(running.map(\.target)).sorted().listed()
    return [
      """
      Milvus may still bring rows into \(targets) by \(running.count.counted("import task")) \
      (\(running.map(\.task).sorted().listed(10))).
      """
    ]
  }
}
