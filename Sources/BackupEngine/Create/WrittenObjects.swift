// What a backup in the making has written, so that all of it, and nothing else, can be taken back.
//
// Invariants: a key is noted before the first byte is sent, because a write whose answer was lost may have happened;
// what is taken back is taken back metadata first, so that at no moment metadata without its data looks like a backup.
// A backup that can be resumed keeps its data; metadata never outlives a failure.

import BackupFormat
import ObjectStore
import Synchronization

/// The ledger of one job's writes.
final class WrittenObjects: Sendable {
  private struct State {
    /// The source of each copied object; nil while it is being written.
    var data: [ObjectKey: ObjectInfo?] = [:]
    /// What an unfinished backup had copied and nobody has claimed yet, with sizes.
    var found: [ObjectKey: Int64]
    /// Metadata in the order it was written.
    var metadata: [ObjectKey] = []
    var isForeign = false
  }

  private let store: any ObjectStore
  private let layout: BackupLayout
  private let deletesInFlight: Int
  private let keepsData: Bool
  private let state: Mutex<State>

  private var directory: String { layout.directory }

  /// Begins a ledger.
  /// - Parameters:
  ///   - remains: what lies there already and counts as written.
  ///   - keepsData: data are not taken back.
  init(
    store: any ObjectStore, layout: BackupLayout, deletesInFlight: Int, remains: Remains = .none,
    keepsData: Bool = false
  ) {
    self.store = store
    self.layout = layout
    self.deletesInFlight = deletesInFlight
    self.keepsData = keepsData
    state = Mutex(State(found: remains.data))
  }

  /// A data object is about to be written.
  /// - Returns: the source of the copy that lies there already and will be overwritten.
  func begin(_ key: ObjectKey) -> ObjectInfo? {
    state.withLock { state in
      state.found[key] = nil
      return state.data.updateValue(nil, forKey: key).flatMap { $0 }
    }
  }

  /// A data object was written as a copy of this source.
  func end(_ key: ObjectKey, source: ObjectInfo) {
    state.withLock { $0.data[key] = source }
  }

  /// Takes a data object that an unfinished backup has left for a copy of this source, if it can be one.
  /// - Returns: whether it was taken just now.
  func adopt(_ key: ObjectKey, source: ObjectInfo) -> Bool {
    state.withLock { state in
      guard state.found[key] == source.size else { return false }
      state.found[key] = nil
      state.data[key] = source
      return true
    }
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
  /// - Returns: how many whole copies that were, and their bytes; what was found and never claimed does not count.
  func discard(
    below directories: [String], keeping wanted: Set<ObjectKey>
  ) async throws -> (objects: Int, bytes: Int64) {
    let directories = directories.map { ObjectKey($0) }
    let isUnwanted = { (key: ObjectKey) in !wanted.contains(key) && directories.contains { key.hasPrefix($0) } }
    let (unwanted, found) = state.withLock { state in
      (state.data.filter { isUnwanted($0.key) }, state.found.keys.filter { isUnwanted($0) })
    }
    try await forEachConcurrently(Array(unwanted.keys) + found, limit: deletesInFlight) { key in
      try await self.store.delete(key)
      self.state.withLock { state in
        state.data[key] = nil
        state.found[key] = nil
      }
    }
    let copies = unwanted.values.compactMap { $0 }
    return (copies.count, copies.reduce(0) { $0 + $1.size })
  }

  /// Takes everything back as well as it goes.
  /// - Returns: sentences that tell what was removed, what is left and what to do about it.
  func takeBack() async -> String {
    let (data, metadata, isForeign) = state.withLock { state in
      (Array(state.data.keys) + state.found.keys, Array(state.metadata.reversed()), state.isForeign)
    }
    if isForeign {
      return "Nothing below \(directory) in \(store.location) was removed, because another program works there."
    }
    guard !data.isEmpty || !metadata.isEmpty else { return "Nothing had been written." }
    do {
      for key in metadata { try await store.delete(key) }
      if keepsData {
        return """
          What was copied (\(data.count.counted("object"))) stays below \(directory) in \(store.location): resume the \
          backup with --resume, or delete it.
          """
      }
      try await forEachConcurrently(data, limit: deletesInFlight) { try await self.store.delete($0) }
      // A write that was cancelled on its way may have arrived behind its removal.
      let mine = Set(data + metadata)
      let late = try await store.listAll(ObjectKey(directory)).map(\.key).filter(mine.contains)
      for key in late { try await store.delete(key) }
      return "What had been written (\((data.count + metadata.count).counted("object"))) was removed again."
    } catch {
      return """
        What had been written (up to \((data.count + metadata.count).counted("object"))) could not be removed \
        completely: \(EngineError.sentence(error)) What is left below \(directory) in \(store.location) is no backup, but \
        the name cannot be used again until it is gone: resume the backup with --resume, or delete it.
        """
    }
  }
}
