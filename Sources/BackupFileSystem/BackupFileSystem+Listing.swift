// Listings under way.
//
// A backup is listed flat, with everything that lies in it. Who asks in one of its directories waits for the first page,
// which in most backups is the only one; then until the listing has shown that directory, which is listed by itself if
// the pages so far have not. So the first look at a backup takes as long as a page does, however many objects it has, and
// a tree can be walked, or copied, while it is listed.

import ObjectStore
import Synchronization
import SystemPackage

/// A listing under way.
struct RunningListing {
  /// What it shows; its number tells it from others.
  let merge: ListingMerge
  let begun = ContinuousClock.now
  /// Ends with its first page if that is not its last one, else with the listing.
  let firstPage: SharedResult<Void>
  /// Ends with it.
  let all: SharedResult<Void>
  /// The directories that are listed by themselves meanwhile.
  var levels: [InodeNumber: SharedResult<Void>] = [:]
  /// Keys removed here since it began.
  var removed: Set<ObjectKey> = []
}

extension BackupFileSystem {
  /// Begins to list a store or a backup.
  func beginListing(_ scope: InodeNumber, _ state: inout State) throws(FileSystemError) -> RunningListing {
    let (store, key) = try location(of: scope, in: state.tree)
    let isStore = stores[scope] != nil
    let prefix = isStore ? store.prefix : ObjectKey(key.string + "/")
    let merge = state.tree.beginMerge(into: scope, prefixLength: prefix.byteCount)
    let firstPage = SharedResult<Void>()
    let all = SharedResult<Void> { () async throws(FileSystemError) in
      let begin = ContinuousClock.now
      do {
        var merge = merge
        if isStore {
          self.take(try await self.backups(of: store, in: scope), of: store, &merge)
        } else {
          try await store.objects.listAtOnce(prefix) { page, request in
            self.take(page, of: store, asked: request, &merge)
            if page.continuation != nil { firstPage.finish(.success(())) }
          }
        }
        self.finish(merge, begin: begin)
        firstPage.finish(.success(()))
      } catch {
        let error = FileSystemError(error)
        self.state.withLock { $0.scopes[scope]?.running = nil }
        firstPage.finish(.failure(error))
        throw error
      }
    }
    let listing = RunningListing(merge: merge, firstPage: firstPage, all: all)
    state.scopes[scope, default: Scope()].running = listing
    return listing
  }

  /// Waits until a listing under way has shown all that is in a directory.
  func wait(for directory: InodeNumber, in listing: RunningListing) async throws(FileSystemError) {
    try await listing.firstPage.value()
    let result = state.withLock { state -> SharedResult<Void>? in
      guard state.scopes[listing.merge.scope]?.running?.merge.number == listing.merge.number else { return listing.all }
      if state.tree.isWhole(directory, listing.merge) { return nil }
      return level(directory, of: listing, &state) ?? listing.all
    }
    guard let result else { return }
    do throws(FileSystemError) {
      try await result.value()
    } catch {
      // The listing of all may do better.
      guard error.errno != .interrupted else { throw error }
      try await listing.all.value()
    }
  }

  /// The listing of a directory by itself, begun if need be; nil when there is no such directory any more.
  private func level(
    _ directory: InodeNumber, of running: RunningListing, _ state: inout State
  ) -> SharedResult<Void>? {
    let (listing, all) = (running.merge, running.all)
    if let level = state.scopes[listing.scope]?.running?.levels[directory] { return level }
    guard state.tree.nodes[directory]?.isLinked == true,
      let (store, key) = try? location(of: directory, in: state.tree)
    else { return nil }
    let prefix = ObjectKey(key.string + "/")
    let level = SharedResult<Void> { () async throws(FileSystemError) in
      var merge = LevelMerge(directory, prefixLength: prefix.byteCount)
      var request = ListRequest(prefix: prefix, groupedByDirectory: true)
      repeat {
        let page = try await storeWork { try await store.objects.list(request) }
        request.continuation = page.continuation
        // Once the listing of all has ended, what was read before is not news any more, and its outcome is what counts.
        let isNews = self.state.withLock { state in
          guard let running = state.scopes[listing.scope]?.running, running.merge.number == listing.number else {
            return false
          }
          var page = page
          self.aheads.hide(&page.objects, in: store.name)
          merge.take(page, except: running.removed, of: listing, into: &state.tree)
          if page.continuation == nil { merge.finish(of: listing, in: &state.tree) }
          return true
        }
        guard isNews else { return try await all.value() }
      } while request.continuation != nil
    }
    state.scopes[listing.scope]?.running?.levels[directory] = level
    return level
  }

  /// What lies directly in a store: its backups. All of it at once, for which of them are there is asked for.
  private func backups(of store: MountedStore, in scope: InodeNumber) async throws -> ListPage {
    var all = ListPage(objects: [])
    var request = ListRequest(prefix: store.prefix, groupedByDirectory: true)
    repeat {
      let page = try await store.objects.list(request)
      all.objects += page.objects
      all.directories += page.directories
      request.continuation = page.continuation
    } while request.continuation != nil
    all.directories = try await holdingObjects(all.directories, of: store, in: scope)
    return all
  }

  private func take(
    _ page: ListPage, of store: MountedStore, asked request: ListRequest? = nil, _ merge: inout ListingMerge
  ) {
    state.withLock { state in
      var page = page
      // What was moved ahead of a copier is shown when it has asked for it.
      aheads.hide(&page.objects, in: store.name)
      let removed = state.scopes[merge.scope]?.running?.removed ?? []
      state.tree.merge(page, asked: request, except: removed, &merge)
    }
    aheads.hasMore()
  }

  private func finish(_ merge: ListingMerge, begin: ContinuousClock.Instant) {
    let end = ContinuousClock.now
    state.withLock { state in
      let hidden = state.tree.finish(merge)
      state.scopes[merge.scope] = Scope(listedAt: end, duration: end - begin)
      gauges.update { $0.hidden[merge.scope] = hidden == 0 ? nil : hidden }
    }
    aheads.hasMore()
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
