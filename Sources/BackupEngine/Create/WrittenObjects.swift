// What a backup in the making has written, so that all of it, and nothing else, can be taken back.
//
// Invariants: a key is noted before the first byte is sent, because a write whose answer was lost may have happened;
// what is taken back is taken back metadata first, so that at no moment metadata without its data looks like a backup.

import BackupFormat
import ObjectStore
import Synchronization

/// The ledger of one job's writes.
final class WrittenObjects: Sendable {
  private struct State {
    /// The source of each copied object; nil while it is being written.
    var data: [ObjectKey: ObjectInfo?] = [:]
    /// Metadata in the order it was written.
    var metadata: [ObjectKey] = []
    var isForeign = false
  }

  private let store: any ObjectStore
  private let directory: String
  private let deletesInFlight: Int
  private let state = Mutex(State())

  /// Begins an empty ledger for the objects below `directory`.
  init(store: any ObjectStore, directory: String, deletesInFlight: Int) {
    self.store = store
    self.directory = directory
    self.deletesInFlight = deletesInFlight
  }

  /// A data object is about to be written.
  /// - Returns: the source of the copy that lies there already and will be overwritten.
  func begin(_ key: ObjectKey) -> ObjectInfo? {
    state.withLock { state in state.data.updateValue(nil, forKey: key).flatMap { $0 } }
  }

  /// A data object was written as a copy of this source.
  func end(_ key: ObjectKey, source: ObjectInfo) {
    state.withLock { $0.data[key] = source }
  }

  /// A metadata file is about to be written.
  func beginMetadata(_ key: ObjectKey) {
    state.withLock { $0.metadata.append(key) }
  }

  /// Whether a data object is there as a copy of this source.
  func holds(_ key: ObjectKey, source: ObjectInfo) -> Bool {
    state.withLock { $0.data[key].flatMap { $0 } == source }
  }

  /// Someone else has made the backup of this name meanwhile: nothing must be taken back, it may be theirs.
  func leaveToOther() {
    state.withLock { $0.isForeign = true }
  }

  /// Removes the data objects below `directories` that are not wanted any more.
  /// - Returns: how many whole copies that were, and their bytes.
  func discard(
    below directories: [String], keeping wanted: Set<ObjectKey>
  ) async throws -> (objects: Int, bytes: Int64) {
    let directories = directories.map { ObjectKey($0) }
    let unwanted = state.withLock { state in
      state.data.filter { key, _ in !wanted.contains(key) && directories.contains { key.hasPrefix($0) } }
    }
    try await forEachConcurrently(unwanted.keys, limit: deletesInFlight) { key in
      try await self.store.delete(key)
      self.state.withLock { $0.data[key] = nil }
    }
    let copies = unwanted.values.compactMap { $0 }
    return (copies.count, copies.reduce(0) { $0 + $1.size })
  }

  /// Takes everything back as well as it goes.
  /// - Returns: sentences that tell what was removed, what is left and what to do about it.
  func takeBack() async -> String {
    let (data, metadata, isForeign) = state.withLock { state in
      (Array(state.data.keys), Array(state.metadata.reversed()), state.isForeign)
    }
    if isForeign {
      return "Nothing below \(directory) in \(store.location) was removed, because another program works there."
    }
    guard !data.isEmpty || !metadata.isEmpty else { return "Nothing had been written." }
    do {
      for key in metadata { try await store.delete(key) }
      try await forEachConcurrently(data, limit: deletesInFlight) { try await self.store.delete($0) }
      // A write that was cancelled on its way may have arrived behind its removal.
      let mine = Set(data + metadata)
      let late = try await store.listAll(ObjectKey(directory)).map(\.key).filter(mine.contains)
      for key in late { try await store.delete(key) }
      return "What had been written (\((data.count + metadata.count).counted("object"))) was removed again."
    } catch {
      return """
        What had been written (up to \((data.count + metadata.count).counted("object"))) could not be removed \
        completely: \(EngineError.sentence(error)) What is left below \(directory) in \(store.location) is no backup, but the name cannot be \
        used again until it is gone: delete that directory.
        """
    }
  }
}
