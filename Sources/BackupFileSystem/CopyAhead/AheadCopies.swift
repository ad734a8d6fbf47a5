// The copies that are being helped at the moment, and what the file system asks of them.

import ObjectStore
import Synchronization
import SystemPackage

/// An object that was, or is being, moved ahead and is asked for now.
struct AheadClaim: Sendable {
  var copy: AheadCopy
  var result: SharedResult<ObjectInfo>
  /// Whether it is the version that is asked for.
  var isSame: Bool
}

/// All copies under way.
final class AheadCopies: Sendable {
  /// What tells copies apart.
  struct Identity: Hashable, Sendable {
    var thread: Int32
    var store: String
    var target: InodeNumber
  }

  private let copies = Mutex<[Identity: AheadCopy]>([:])
  /// Copies that have been helped to the end, the latest last: what such a copier still does is not looked at again.
  private let ended = Mutex<[Identity]>([])
  private static let endedKept = 64
  /// Distinguishes the journals of one process.
  private let counter = Atomic(0)

  /// A number that no other copy of this process has.
  var nextNumber: Int { counter.add(1, ordering: .relaxed).newValue }

  /// Whether a copy is, or was, helped already.
  func contains(_ identity: Identity) -> Bool {
    copies.withLock { $0[identity] != nil } || ended.withLock { $0.contains(identity) }
  }

  /// Adds a copy. False when it is there already.
  func insert(_ copy: AheadCopy, _ identity: Identity) -> Bool {
    copies.withLock { copies in
      guard copies[identity] == nil else { return false }
      copies[identity] = copy
      return true
    }
  }

  /// A copy has ended.
  func remove(_ identity: Identity) {
    ended.withLock { ended in
      if ended.count >= Self.endedKept { ended.removeFirst() }
      ended.append(identity)
    }
    copies.withLock { $0[identity] = nil }
  }

  /// What was moved ahead for a key.
  func claim(_ key: ObjectKey, _ object: ObjectInfo?, in store: String) throws(FileSystemError) -> AheadClaim? {
    for copy in copies(in: store, above: key) {
      if let claim = try copy.claim(key, object) {
        return AheadClaim(copy: copy, result: claim.result, isSame: claim.isSame)
      }
    }
    return nil
  }

  /// What was moved ahead for a key, if it is there already and of that version: the copier's from here on.
  func take(_ key: ObjectKey, _ object: ObjectInfo, in store: String) -> ObjectInfo? {
    for copy in copies(in: store, above: key) {
      if let taken = copy.take(key, object) { return taken }
    }
    return nil
  }

  /// A page of a listing has come: what was waited for may be known.
  func hasMore() {
    for copy in copies.withLock({ Array($0.values) }) { copy.hasMore() }
  }

  /// Takes objects out of a listing that no copier has asked for yet.
  func hide(_ objects: inout [ObjectInfo], in store: String) {
    let present = copies.withLock { copies in copies.filter { $0.key.store == store }.map(\.value) }
    guard !present.isEmpty else { return }
    objects.removeAll { object in present.contains { $0.hides(object.key) } }
  }

  /// Ends all copies and waits until nothing is left of what was not asked for.
  func endAll() async {
    for copy in copies.withLock({ Array($0.values) }) { copy.end() }
    while copies.withLock({ !$0.isEmpty }) { try? await Task.sleep(for: .milliseconds(10)) }
  }

  private func copies(in store: String, above key: ObjectKey) -> [AheadCopy] {
    copies.withLock { copies in
      copies.filter { $0.key.store == store && key.hasPrefix($0.value.environment.prefix) }.map(\.value)
    }
  }
}
