// What a restore has done to Milvus, so that what it did not finish can be undone and what stays can be told.
//
// Invariant: a collection is noted as created before Milvus is asked to create it, because a request whose answer was
// lost may have been carried out; only collections noted here are ever dropped.

import BackupFormat
import Synchronization

/// The ledger of one restore.
final class RestoreLedger: Sendable {
  private struct State {
    var databases: [String] = []
    var dropped: [CollectionName] = []
    var created: [CollectionName] = []
    var finished: [CollectionName] = []
    /// Rows imported into collections that existed before.
    var added: [CollectionName: Int64] = [:]
    /// Import tasks that have not ended, as far as is known.
    var tasks: [Int64: CollectionName] = [:]
  }

  private let state = Mutex(State())

  func createdDatabase(_ name: String) { state.withLock { $0.databases.append(name) } }
  func dropped(_ name: CollectionName) { state.withLock { $0.dropped.append(name) } }
  func willCreate(_ name: CollectionName) { state.withLock { $0.created.append(name) } }
  /// Milvus refused to create it: whatever has that name is someone else's.
  func didNotCreate(_ name: CollectionName) { state.withLock { $0.created.removeAll { $0 == name } } }
  func willAdd(to name: CollectionName) { state.withLock { $0.added[name] = 0 } }
  func finished(_ name: CollectionName) { state.withLock { $0.finished.append(name) } }
  func began(task: Int64, into name: CollectionName) { state.withLock { $0.tasks[task] = name } }
  func ended(task: Int64) { state.withLock { $0.tasks[task] = nil } }

  func imported(_ rows: Int64, into name: CollectionName) {
    state.withLock { state in
      if let before = state.added[name] { state.added[name] = before + rows }
    }
  }

  /// Drops what was created and not finished.
  /// - Returns: sentences that tell what was undone, what stays and what to do about it.
  func undo(_ connector: any MilvusConnector) async -> String {
    let state = self.state.withLock { $0 }
    var sentences: [String] = []
    var gone: [CollectionName] = []
    var left = state.created.filter { !state.finished.contains($0) }
    if !left.isEmpty, let service = try? await connector.connect() {
      // At most as many as are worked on at the same time.
      for name in left where (try? await service.dropCollection(name.collection, in: name.database)) != nil {
        gone.append(name)
      }
      left.removeAll(where: gone.contains)
      await service.close()
    }
    if !gone.isEmpty { sentences.append("\(gone.listed(10)), which this restore had created, was dropped again.") }
    if !left.isEmpty {
      sentences.append(
        """
        \(left.listed(10)), which this restore had created, could not be dropped and is incomplete: drop it before you \
        restore again.
        """)
    }
    if !state.dropped.isEmpty {
      sentences.append("What was called \(state.dropped.listed(10)) before had been dropped, as asked for.")
    }
    for (name, rows) in state.added.sorted(by: { $0.key < $1.key }) where !state.finished.contains(name) {
      sentences.append(
        """
        \(name) existed before and stays; it may hold a part of the backup's rows now (\(rows.grouped) for certain), and \
        restoring into it again would bring those in twice.
        """)
    }
    if !state.finished.isEmpty {
      sentences.append("Completely restored and kept: \(state.finished.listed(10)).")
    }
    if !state.databases.isEmpty {
      sentences.append("The new databases stay: \(state.databases.listed(10)).")
    }
    sentences += tasks(state.tasks.filter { !gone.contains($0.value) })
    return sentences.isEmpty ? "Nothing had been changed in Milvus." : sentences.joined(separator: " ")
  }

  /// What becomes of tasks under way: Milvus 2.3 cannot be told to stop one.
  private func tasks(_ running: [Int64: CollectionName]) -> [String] {
    guard !running.isEmpty else { return [] }
    let collections = Set(running.values).sorted().listed()
    return [
      """
      Milvus may still bring rows into \(collections) by \(running.count.counted("import task")) \
      (\(running.keys.sorted().listed(10))).
      """
    ]
  }
}
