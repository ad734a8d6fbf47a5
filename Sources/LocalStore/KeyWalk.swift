// Walks a tree in the order of keys, as far as one page needs.
//
// A directory sorts where its name with a slash does: `a.b` < `a/b` < `a0`. A page reads only directories that can hold
// keys behind the place where the last one ended, each of them whole: directories of many thousand files make a page
// cost what listing them costs.

import Glibc
import ObjectStore

/// One page of a listing in the making.
struct KeyWalk {
  private let request: ListRequest
  private let limit: Int
  private let after: ObjectKey?
  private let cancellation: Cancellation
  private var objects: [ObjectInfo] = []
  private var groups: [ObjectKey] = []
  private var last: ObjectKey?
  private var hasMore = false

  init(_ request: ListRequest, _ cancellation: Cancellation) {
    self.request = request
    self.cancellation = cancellation
    limit = max(1, request.limit)
    after = request.continuation.map { ObjectKey($0) }
  }

  /// What was found.
  var page: ListPage {
    ListPage(objects: objects, directories: groups, continuation: hasMore ? last?.string : nil)
  }

  /// Takes what a directory holds, until the page is full.
  /// - Parameter path: its key prefix, with a slash at its end; empty for the root.
  mutating func visit(_ directory: Descriptor, path: String) throws {
    for (key, entry) in try candidates(directory, path) {
      try cancellation.check()
      guard !hasMore else { return }
      if !entry.isDirectory {
        // One that has gone meanwhile is left out.
        guard let status = try present({ () throws(SystemFailure) in try directory.status(of: entry.name) }),
          status.isRegular
        else { continue }
        if add(key) { objects.append(status.info(key)) }
        continue
      }
      guard let below = try open(entry.name, in: directory, path) else { continue }
      if request.groupedByDirectory, key.hasPrefix(request.prefix) {
        if try containsObject(below), add(key) { groups.append(key) }
      } else {
        try visit(below, path: key.string)
      }
    }
  }

  /// Counts a key; false when the page is full.
  private mutating func add(_ key: ObjectKey) -> Bool {
    guard objects.count + groups.count < limit else {
      hasMore = true
      return false
    }
    last = key
    return true
  }

  /// Entries that can contribute, in the order of their keys.
  private func candidates(
    _ directory: Descriptor, _ path: String
  ) throws -> [(key: ObjectKey, entry: DirectoryEntry)] {
    var found: [(key: ObjectKey, entry: DirectoryEntry)] = []
    for entry in try directory.entries() where !entry.name.hasPrefix(LocalPath.reservedPrefix) {
      let key = ObjectKey(entry.isDirectory ? "\(path)\(entry.name)/" : path + entry.name)
      guard key.hasPrefix(request.prefix) || (entry.isDirectory && request.prefix.hasPrefix(key)) else { continue }
      // A directory behind whose beginning the last page ended may hold more, unless it was told as a group.
      if let after, !(after < key) {
        guard entry.isDirectory, after.hasPrefix(key), after != key else { continue }
      }
      found.append((key, entry))
    }
    return found.sorted { $0.key < $1.key }
  }

  /// Whether a directory has an object anywhere below it.
  private func containsObject(_ directory: Descriptor) throws -> Bool {
    try cancellation.check()
    let entries = try directory.entries().filter { !$0.name.hasPrefix(LocalPath.reservedPrefix) }
    if entries.contains(where: { !$0.isDirectory }) { return true }
    for entry in entries {
      guard let below = try open(entry.name, in: directory, nil) else { continue }
      if try containsObject(below) { return true }
    }
    return false
  }

  /// Opens a subdirectory; nil when it has gone.
  /// - Parameter path: key prefix of the directory; nil when it does not matter.
  private func open(_ name: String, in directory: Descriptor, _ path: String?) throws -> Descriptor? {
    do throws(SystemFailure) {
      return try directory.openDirectoryIfPresent(name)
    } catch {
      // At the top of a disk of its own, where only root may look.
      guard error.number == EACCES, path?.isEmpty == true, name == "lost+found" else { throw error }
      return nil
    }
  }

  private func present<Value>(_ look: () throws(SystemFailure) -> Value) throws -> Value? {
    do throws(SystemFailure) {
      return try look()
    } catch  where error.number == ENOENT {
      return nil
    }
  }
}
