// One `cp -r` that is being helped: moves the objects which it is going to ask for, many at once, before it asks.
//
// Invariants:
// - An object is moved only below a directory that the copier has made and in which the store has nothing that is not
//   known here, only if it is not there (known, or `.absent`), and only after the journal has said so. Metadata is never
//   moved ahead.
// - What was moved is shown in the mount only when the copier has asked for it (`claim`).
// - When the copier has ended, whatever it did not ask for is removed again.
// - At most `leadLimit` objects, and not many more bytes than `leadBytes`, are moved and not asked for.

import ObjectStore
import Synchronization
import SystemPackage

/// Moves objects ahead of one copier.
final class AheadCopy: Sendable {
  /// What moving takes.
  struct Environment: Sendable {
    var source: any ObjectStore
    var target: any ObjectStore
    /// What the keys of the copied directory begin with in the target, with a trailing slash.
    var prefix: ObjectKey
    /// What is known to be there: the copier has put it there before it was helped. Never moved, nor removed.
    var present: Set<ObjectKey> = []
    var copier: ObjectCopier
    var journal: AheadJournal
    /// The next file that the copier will ask for, and its path below the directory; nil at the end, and while what comes
    /// next is still to be listed.
    var next: @Sendable (inout TreeCursor) -> TreeCursor.File?
    /// How often the stores have asked for fewer requests so far.
    var throttles: @Sendable () -> Int
    /// Whether the copier is still there.
    var isCopierAlive: @Sendable () -> Bool
    /// Told when everything is settled.
    var ended: @Sendable () -> Void
  }

  private struct Move {
    var object: ObjectInfo
    var result: SharedResult<ObjectInfo>
    var isClaimed = false
    var isBeingRemoved = false
  }

  private struct State {
    var moves: [ObjectKey: Move] = [:]
    var control = ConcurrencyControl()
    var seenThrottles: Int
    var running = 0
    var unclaimed = 0
    var unclaimedBytes: Int64 = 0
    var isEnding = false
    /// Keys that were there before, or that the copier copied itself.
    var excluded: Set<ObjectKey>

    /// Whether as much as may be is moved and not asked for.
    var leadsFar: Bool { unclaimed >= AheadCopy.leadLimit || unclaimedBytes >= AheadCopy.leadBytes }
  }

  private static let leadLimit = 1024
  private static let leadBytes: Int64 = 1 << 30

  let environment: Environment
  private let state: Mutex<State>
  private let wake: AsyncStream<Void>.Continuation
  private let wakes: AsyncStream<Void>
  private let clock = ContinuousClock()
  private let began: ContinuousClock.Instant

  /// Prepares to help; `run` does.
  init(_ environment: Environment) {
    self.environment = environment
    state = Mutex(State(seenThrottles: environment.throttles(), excluded: environment.present))
    began = clock.now
    (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// Moves objects until the copier has ended, then removes what it did not ask for.
  func run(from cursor: TreeCursor) async {
    let ticking = Task { [wake] in
      while !Task.isCancelled {
        wake.yield()
        try? await Task.sleep(for: .milliseconds(200))
      }
    }
    if await isTargetEmpty() { await move(from: cursor) }
    ticking.cancel()
    await settle()
    environment.ended()
  }

  /// More of what the copier will ask for may be known.
  func hasMore() { wake.yield() }

  /// Ends helping; what the copier did not ask for is removed.
  func end() {
    state.withLock { $0.isEnding = true }
    wake.yield()
  }

  /// The copier asks for an object, or writes other bytes there (`object` is nil): the move that is done or under way, and whether it is of the same version. Nil when
  /// the copier is to move it itself and nothing of ours is there.
  /// - Throws: EIO when the object is just being removed, because the mount is.
  func claim(
    _ key: ObjectKey, _ object: ObjectInfo?
  ) throws(FileSystemError) -> (result: SharedResult<ObjectInfo>, isSame: Bool)? {
    var waited = false
    let claimed = try state.withLock { state throws(FileSystemError) -> (SharedResult<ObjectInfo>, Bool)? in
      waited = state.leadsFar
      state.excluded.insert(key)
      guard let move = state.moves[key], !move.isClaimed else { return nil }
      guard !move.isBeingRemoved else {
        throw FileSystemError(.ioError, "\(key) was not copied: the mount is being taken away")
      }
      state.moves[key]?.isClaimed = true
      state.unclaimed -= 1
      state.unclaimedBytes -= move.object.size
      return (move.result, move.object == object)
    }
    if waited { wake.yield() }
    return claimed
  }

  /// The copier asks for an object: it, if it was moved already and is of that version. The copier has it then, as after
  /// `claim` and `settled`. Nil when that has to be waited for, or is not so.
  func take(_ key: ObjectKey, _ object: ObjectInfo) -> ObjectInfo? {
    var waited = false
    let taken = state.withLock { state -> ObjectInfo? in
      guard let move = state.moves[key], !move.isClaimed, !move.isBeingRemoved, move.object == object,
        let moved = move.result.valueNow
      else { return nil }
      waited = state.leadsFar
      state.excluded.insert(key)
      state.moves[key] = nil
      state.unclaimed -= 1
      state.unclaimedBytes -= object.size
      return moved
    }
    guard let taken else { return nil }
    environment.journal.settled(key)
    if waited { wake.yield() }
    return taken
  }

  /// A claim was given up by an interrupted copier: the object is not asked for any more.
  func unclaim(_ key: ObjectKey) {
    state.withLock { state in
      guard let move = state.moves[key], move.isClaimed else { return }
      state.moves[key]?.isClaimed = false
      state.unclaimed += 1
      state.unclaimedBytes += move.object.size
    }
  }

  /// The copier has its object: it is one like any other from here on.
  func settled(_ key: ObjectKey) {
    state.withLock { _ = $0.moves.removeValue(forKey: key) }
    environment.journal.settled(key)
  }

  /// Whether an object in the store is to be hidden.
  func hides(_ key: ObjectKey) -> Bool {
    guard key.hasPrefix(environment.prefix) else { return false }
    return state.withLock { $0.moves[key] != nil }
  }

  /// The directory was made by the copier, but the store may know better: nothing may be there that it has not put there.
  private func isTargetEmpty() async -> Bool {
    var request = ListRequest(prefix: environment.prefix)
    repeat {
      guard let page = try? await environment.target.list(request) else { return false }
      let isOurs = state.withLock { state in page.objects.allSatisfy { state.excluded.contains($0.key) } }
      guard isOurs else { return false }
      request.continuation = page.continuation
    } while request.continuation != nil
    return true
  }

  private func move(from place: TreeCursor) async {
    var cursor = place
    var isExhausted = false
    var lastLook = clock.now
    for await _ in wakes {
      if clock.now - lastLook > .milliseconds(150) {
        lastLook = clock.now
        if !environment.isCopierAlive() { return }
      }
      while !isExhausted, mayStart {
        guard let file = environment.next(&cursor) else {
          isExhausted = cursor.isAtEnd
          break
        }
        guard start(file) else { return }
      }
      let isOver = state.withLock { $0.isEnding || (isExhausted && $0.moves.isEmpty) }
      if isOver { return }
    }
  }

  private var mayStart: Bool {
    state.withLock { state in
      !state.isEnding && !state.leadsFar && state.control.mayBegin(beside: state.running)
    }
  }

  /// Begins to move a file, unless the copier was quicker. False when nothing can be journalled.
  private func start(_ file: TreeCursor.File) -> Bool {
    let key = ObjectKey("\(environment.prefix)\(file.path)")
    guard movesAhead(file.object), state.withLock({ !$0.excluded.contains(key) && $0.moves[key] == nil }) else {
      return true
    }
    do { try environment.journal.intend(key, size: file.object.size) } catch { return false }
    let isNew = state.withLock { state in
      guard !state.excluded.contains(key) else { return false }
      // Registered before it can end: from the first byte on the object is hidden.
      let result = SharedResult<ObjectInfo> { () async throws(FileSystemError) in
        try await self.perform(file.object, as: key)
      }
      state.moves[key] = Move(object: file.object, result: result)
      state.running += 1
      state.unclaimed += 1
      state.unclaimedBytes += file.object.size
      return true
    }
    if !isNew { environment.journal.settled(key) }
    return true
  }

  /// Objects that pass through this program in one piece, and those that the service copies itself. An empty one is not
  /// worth it.
  private func movesAhead(_ object: ObjectInfo) -> Bool {
    object.size > 0
      && (object.size <= Int64(ObjectCopier.partSize)
        || environment.source.location.isSameService(as: environment.target.location))
  }

  private func perform(_ object: ObjectInfo, as key: ObjectKey) async throws(FileSystemError) -> ObjectInfo {
    defer { wake.yield() }
    do {
      let moved = try await environment.copier.copy(
        object, from: environment.source, to: environment.target, as: key, condition: .absent)
      environment.journal.moved(key, moved.etag)
      ended(moving: object.size)
      return moved
    } catch {
      ended(moving: nil)
      throw FileSystemError(error)
    }
  }

  /// A move has ended.
  /// - Parameter bytes: that it moved; nil when it failed.
  private func ended(moving bytes: Int64?) {
    let now = (clock.now - began) / .seconds(1)
    let throttles = environment.throttles()
    state.withLock { state in
      if throttles > state.seenThrottles {
        state.seenThrottles = throttles
        state.control.throttled(now: now)
      } else if let bytes {
        state.control.succeeded(bytes: bytes, now: now, wasFull: state.control.isLimiting(state.running))
      }
      state.running -= 1
    }
  }

  /// Waits for what is under way and removes what was not asked for.
  private func settle() async {
    var isClean = true
    while true {
      let (unclaimed, isEmpty) = state.withLock { state in
        state.isEnding = true
        let unclaimed = state.moves.filter { !$0.value.isClaimed }
        for key in unclaimed.keys { state.moves[key]?.isBeingRemoved = true }
        return (unclaimed, state.moves.isEmpty)
      }
      if isEmpty { break }
      for move in unclaimed.values { move.result.cancel() }
      for move in unclaimed.values { _ = try? await move.result.value() }
      if await !remove(Array(unclaimed.keys)) { isClean = false }
      // What the copier is just getting is settled, or given up, by it.
      if unclaimed.isEmpty { try? await Task.sleep(for: .milliseconds(20)) }
    }
    // What could not be removed stays in the journal: the next mount tries again.
    if isClean { environment.journal.remove() }
  }

  /// Removes objects that were moved and not asked for. False when the store failed.
  private func remove(_ keys: [ObjectKey]) async -> Bool {
    guard !keys.isEmpty else { return true }
    var isDone = true
    do {
      try await environment.target.delete(keys)
      for key in keys { environment.journal.settled(key) }
    } catch {
      isDone = false
    }
    state.withLock { state in
      for key in keys { state.moves[key] = nil }
    }
    return isDone
  }
}
