// When listings are read again.
//
// A listing is believed for `listingLifetime` seconds, or five times as long as reading it took if that is more: a backup
// of a million objects must not be listed without pause. Changes made through the mount are in the tree at once.
//
// A copier that is helped is answered from the listings there are until its copy has ended: what it copies was settled when
// it began, what it makes is in the tree, and a store that is being filled lists slowly (seen: 5 s for 1,400 objects,
// which cp spent waiting). A thread that reads a tree file by file is answered from listings up to `followerPatience` times
// as old: listing a backup anew each second while it is copied to a disk took a tenth of the time. So is a thread that asks
// in a directory which it has made: a tree that is copied from a disk was listed all the while.

import Synchronization

extension BackupFileSystem {
  /// Answers from the tree: at once when the listing of the directory is fresh, else after reading it again.
  ///
  /// - Parameter thread: that asks; nil when it is this program.
  func answer<Value: Sendable>(
    in directory: InodeNumber, by thread: Int32? = nil,
    _ fromMemory: @escaping @Sendable (inout State) throws(FileSystemError) -> Value
  ) throws(FileSystemError) -> Answer<Value> {
    let now = ContinuousClock.now
    let found: (value: Value?, listing: RunningListing?) = try state.withLock {
      (state) throws(FileSystemError) in
      if let listing = try staleListing(of: directory, by: thread, &state, now: now) { return (nil, listing) }
      return (try fromMemory(&state), nil)
    }
    if let value = found.value { return .ready(value) }
    return .pending { () async throws(FileSystemError) in
      if let listing = found.listing { try await self.wait(for: directory, in: listing) }
      return try self.state.withLock { (state) throws(FileSystemError) in try fromMemory(&state) }
    }
  }

  /// The listing to wait for before the directory's contents can be told; nil when they are known.
  private func staleListing(
    of inode: InodeNumber, by thread: Int32?, _ state: inout State, now: ContinuousClock.Instant
  ) throws(FileSystemError) -> RunningListing? {
    let inodeOfScope = try state.tree.directory(inode).scope
    guard inodeOfScope != 0 else { return nil }
    let scope = state.scopes[inodeOfScope] ?? Scope()
    if let thread, let listedAt = scope.listedAt {
      if state.traces.isCopying(inodeOfScope, by: thread) { return nil }
      let lifetime = lifetime(scope)
      if now - listedAt < lifetime * Self.followerPatience,
        state.traces.hasMade(inode, by: thread) || readAhead.isFollowing(thread, within: lifetime)
      {
        return nil
      }
    }
    if let running = scope.running { return state.tree.isWhole(inode, running.merge) ? nil : running }
    if let listedAt = scope.listedAt, now - listedAt < lifetime(scope) { return nil }
    return try beginListing(inodeOfScope, &state)
  }

  /// Believes that a directory made here is known: nothing is in it.
  func markFresh(_ scope: InodeNumber, _ state: inout State) {
    state.scopes[scope, default: Scope()].listedAt = ContinuousClock.now
  }

  /// Whether all that lies beside a file has been listed: what a copier or a reader will ask for next is told by that.
  func isListedAround(_ file: InodeNumber, in state: borrowing State) -> Bool {
    guard let directory = state.tree.nodes[file]?.parent, let scope = state.tree.nodes[directory]?.directory?.scope,
      let listing = state.scopes[scope]
    else { return false }
    return listing.listedAt != nil || listing.running.map { state.tree.isWhole(directory, $0.merge) } ?? false
  }

  /// Whether the first listing of a directory's backup, or store, is under way and has yet to show what lies in the directory.
  func isStillToBeListed(_ directory: InodeNumber, in state: borrowing State) -> Bool {
    guard let scope = state.tree.nodes[directory]?.directory?.scope, let listing = state.scopes[scope],
      listing.listedAt == nil, let running = listing.running
    else { return false }
    return !state.tree.isWhole(directory, running.merge)
  }

  private static let followerPatience = 10
  /// For how many times as long as it took a listing is believed.
  private static let lifetimes = 5

  /// Seconds for which a listing is still believed. The kernel may keep the directories that it showed for as long: it
  /// would be told the same. What it keeps of files ends after `listingLifetime`, so that a listing that is read again on
  /// demand shows.
  func remainingLifetime(of scope: InodeNumber, in state: State) -> Double {
    guard let scope = state.scopes[scope] else { return 0 }
    guard let listedAt = scope.listedAt else {
      // The first listing will have taken longer than it has until now.
      return scope.running.map { (ContinuousClock.now - $0.begun) * Self.lifetimes / .seconds(1) } ?? 0
    }
    return (lifetime(scope) - (ContinuousClock.now - listedAt)) / .seconds(1)
  }

  private func lifetime(_ scope: Scope) -> Duration {
    max(.seconds(settings.listingLifetime), scope.duration * Self.lifetimes)
  }
}
