// When listings are read again.
//
// A listing is believed for `listingLifetime` seconds, or five times as long as reading it took if that is more: a backup
// of a million objects must not be listed without pause. Changes made through the mount are in the tree at once.

import ObjectStore
import Synchronization
import SystemPackage

extension BackupFileSystem {
  /// Answers from the tree: at once when the listing of the directory is fresh, else after reading it again.
  func answer<Value: Sendable>(
    in directory: InodeNumber, _ fromMemory: @escaping @Sendable (inout State) throws(FileSystemError) -> Value
  ) throws(FileSystemError) -> Answer<Value> {
    let now = ContinuousClock.now
    let found: (value: Value?, listing: SharedResult<Void>?) = try state.withLock {
      (state) throws(FileSystemError) in
      if let listing = try staleListing(of: directory, &state, now: now) { return (nil, listing) }
      return (try fromMemory(&state), nil)
    }
    if let value = found.value { return .ready(value) }
    return .pending { () async throws(FileSystemError) in
      try await found.listing?.value()
      return try self.state.withLock { (state) throws(FileSystemError) in try fromMemory(&state) }
    }
  }

  /// The listing to wait for before the directory's contents can be told; nil when they are known.
  private func staleListing(
    of inode: InodeNumber, _ state: inout State, now: ContinuousClock.Instant
  ) throws(FileSystemError) -> SharedResult<Void>? {
    let inodeOfScope = try state.tree.directory(inode).scope
    guard inodeOfScope != 0 else { return nil }
    let scope = state.scopes[inodeOfScope] ?? Scope()
    if let running = scope.running { return running }
    if let listedAt = scope.listedAt, now - listedAt < lifetime(scope) { return nil }
    let (store, key) = try location(of: inodeOfScope, in: state.tree)
    let isStore = stores[inodeOfScope] != nil
    let prefix = isStore ? store.prefix : ObjectKey(key.string + "/")
    let generation = state.tree.generation
    let listing = SharedResult<Void> { () async throws(FileSystemError) in
      try await self.list(prefix, of: store, grouped: isStore, into: inodeOfScope, generation: generation)
    }
    state.scopes[inodeOfScope, default: Scope()].running = listing
    state.scopes[inodeOfScope]?.removed = []
    return listing
  }

  /// Believes that a directory made here is known: nothing is in it.
  func markFresh(_ scope: InodeNumber, _ state: inout State) {
    state.scopes[scope, default: Scope()].listedAt = ContinuousClock.now
  }

  private func lifetime(_ scope: Scope) -> Duration {
    max(.seconds(settings.listingLifetime), scope.duration * 5)
  }

  private func list(
    _ prefix: ObjectKey, of store: MountedStore, grouped: Bool, into scope: InodeNumber, generation: UInt64
  ) async throws(FileSystemError) {
    let begin = ContinuousClock.now
    var listing = Listing(generation: generation, prefixLength: prefix.byteCount)
    do {
      var request = ListRequest(prefix: prefix, groupedByDirectory: grouped)
      repeat {
        let page = try await store.objects.list(request)
        listing.objects += page.objects
        listing.directories += page.directories
        request.continuation = page.continuation
      } while request.continuation != nil
    } catch {
      state.withLock { $0.scopes[scope]?.running = nil }
      throw FileSystemError(error)
    }
    let end = ContinuousClock.now
    state.withLock { state in
      listing.removed = state.scopes[scope]?.removed ?? []
      let hidden = state.tree.merge(listing, into: scope)
      state.scopes[scope] = Scope(listedAt: end, duration: end - begin, hidden: hidden)
    }
  }
}
