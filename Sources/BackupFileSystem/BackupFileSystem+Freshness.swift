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

import ObjectStore
import Synchronization
import SystemPackage

extension BackupFileSystem {
  /// Answers from the tree: at once when the listing of the directory is fresh, else after reading it again.
  ///
  /// - Parameter thread: that asks; nil when it is this program.
  func answer<Value: Sendable>(
    in directory: InodeNumber, by thread: Int32? = nil,
    _ fromMemory: @escaping @Sendable (inout State) throws(FileSystemError) -> Value
  ) throws(FileSystemError) -> Answer<Value> {
    let now = ContinuousClock.now
    let found: (value: Value?, listing: SharedResult<Void>?) = try state.withLock {
      (state) throws(FileSystemError) in
      if let listing = try staleListing(of: directory, by: thread, &state, now: now) { return (nil, listing) }
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
    of inode: InodeNumber, by thread: Int32?, _ state: inout State, now: ContinuousClock.Instant
  ) throws(FileSystemError) -> SharedResult<Void>? {
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
    if let running = scope.running { return running }
    if let listedAt = scope.listedAt, now - listedAt < lifetime(scope) { return nil }
    let (store, key) = try location(of: inodeOfScope, in: state.tree)
    let isStore = stores[inodeOfScope] != nil
    let prefix = isStore ? store.prefix : ObjectKey(key.string + "/")
    let merge = state.tree.beginMerge(into: inodeOfScope, prefixLength: prefix.byteCount)
    let listing = SharedResult<Void> { () async throws(FileSystemError) in
      if isStore {
        try await self.listBackups(of: store, merge)
      } else {
        try await self.list(prefix, of: store, merge)
      }
    }
    state.scopes[inodeOfScope, default: Scope()].running = listing
    state.scopes[inodeOfScope]?.removed = []
    return listing
  }

  /// Believes that a directory made here is known: nothing is in it.
  func markFresh(_ scope: InodeNumber, _ state: inout State) {
    state.scopes[scope, default: Scope()].listedAt = ContinuousClock.now
  }

  private static let followerPatience = 10

  /// Seconds for which a listing is still believed. The kernel may keep the directories that it showed for as long: it
  /// would be told the same. What it keeps of files ends after `listingLifetime`, so that a listing that is read again on
  /// demand shows.
  func remainingLifetime(of scope: InodeNumber, in state: State) -> Double {
    guard let scope = state.scopes[scope], let listedAt = scope.listedAt else { return 0 }
    return (lifetime(scope) - (ContinuousClock.now - listedAt)) / .seconds(1)
  }

  private func lifetime(_ scope: Scope) -> Duration {
    max(.seconds(settings.listingLifetime), scope.duration * 5)
  }

  /// Lists a backup with all that lies in it.
  private func list(
    _ prefix: ObjectKey, of store: MountedStore, _ begun: ListingMerge
  ) async throws(FileSystemError) {
    let begin = ContinuousClock.now
    var merge = begun
    do {
      try await store.objects.listAtOnce(prefix) { take(ListPage(objects: $0), of: store, &merge) }
    } catch {
      state.withLock { $0.scopes[begun.scope]?.running = nil }
      throw FileSystemError(error)
    }
    finish(merge, begin: begin)
  }

  /// Lists what lies directly in a store: its backups. All of it at once, for which of them are there is asked for.
  private func listBackups(of store: MountedStore, _ begun: ListingMerge) async throws(FileSystemError) {
    let begin = ContinuousClock.now
    var merge = begun
    var all = ListPage(objects: [])
    do {
      var request = ListRequest(prefix: store.prefix, groupedByDirectory: true)
      repeat {
        let page = try await store.objects.list(request)
        all.objects += page.objects
        all.directories += page.directories
        request.continuation = page.continuation
      } while request.continuation != nil
      all.directories = try await holdingObjects(all.directories, of: store, in: begun.scope)
    } catch {
      state.withLock { $0.scopes[begun.scope]?.running = nil }
      throw FileSystemError(error)
    }
    take(all, of: store, &merge)
    finish(merge, begin: begin)
  }

  private func take(_ page: ListPage, of store: MountedStore, _ merge: inout ListingMerge) {
    state.withLock { state in
      var page = page
      // What was moved ahead of a copier is shown when it has asked for it.
      aheads.hide(&page.objects, in: store.name)
      state.tree.merge(page, except: state.scopes[merge.scope]?.removed ?? [], &merge)
    }
  }

  private func finish(_ merge: ListingMerge, begin: ContinuousClock.Instant) {
    let end = ContinuousClock.now
    state.withLock { state in
      let hidden = state.tree.finish(merge)
      state.scopes[merge.scope] = Scope(listedAt: end, duration: end - begin)
      gauges.update { $0.hidden[merge.scope] = hidden == 0 ? nil : hidden }
    }
  }

  /// The directories in which there is an object. Some stores keep showing a directory whose last object is gone; one
  /// that is known to hold something is not asked again.
  private func holdingObjects(
    _ directories: [ObjectKey], of store: MountedStore, in scope: InodeNumber
  ) async throws -> [ObjectKey] {
    let unknown = state.withLock { state in
      directories.filter { key in
        let name = ObjectKey(String(key.string.dropFirst(store.prefix.string.count).dropLast()))
        let known = state.tree.nodes[scope]?.directory?.children[name].flatMap { state.tree.nodes[$0]?.directory }
        return known?.children.isEmpty ?? true
      }
    }
    let empty = try await withThrowingTaskGroup(of: ObjectKey?.self) { group in
      var empty: Set<ObjectKey> = []
      for (position, key) in unknown.enumerated() {
        if position >= 16, let answer = try await group.next(), let key = answer { empty.insert(key) }
        group.addTask {
          try await store.objects.list(ListRequest(prefix: key, limit: 1)).objects.isEmpty ? key : nil
        }
      }
      for try await answer in group { if let key = answer { empty.insert(key) } }
      return empty
    }
    return directories.filter { !empty.contains($0) }
  }
}
