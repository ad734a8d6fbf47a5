// Bringing the tree up to date with what a store lists.
//
// What others changed is taken over; what was changed here since the listing began is kept. Objects whose keys no path
// can carry are hidden and counted: they must not break a directory.

import ObjectStore

/// What a listing showed, relative to the directory that was listed.
struct Listing {
  /// The tree's generation when the listing began.
  var generation: UInt64
  /// Length of the directory's own key with its trailing `/`, in bytes.
  var prefixLength: Int
  /// Objects below, in bytewise order.
  var objects: [ObjectInfo] = []
  /// For a grouped listing: the directories directly below.
  var directories: [ObjectKey] = []
  /// Keys removed through this mount while the listing ran.
  var removed: Set<ObjectKey> = []
}

extension Tree {
  /// Longest name that Linux takes, in bytes.
  static let longestName = 255

  /// Merges a listing of a store or of a backup; answers how many objects had to be hidden.
  mutating func merge(_ listing: Listing, into scope: InodeNumber) -> Int {
    mergeCounter += 1
    var hidden = 0
    for key in listing.directories where !listing.removed.contains(key) {
      let name = ObjectKey(String(Substring(key.string.utf8.dropFirst(listing.prefixLength).dropLast())))
      guard Self.isName(name.string) else {
        hidden += 1
        continue
      }
      _ = ensureDirectory(scope, name, listing)
    }
    // Keys come in order, so the directory of the last object is nearly always that of the next one.
    var lastPath: Substring = ""
    var lastDirectory: InodeNumber? = scope
    for object in listing.objects where !listing.removed.contains(object.key) {
      let relative = object.key.string.utf8.dropFirst(listing.prefixLength)
      let slash = relative.lastIndex(of: UInt8(ascii: "/"))
      let path = slash.map { Substring(relative[..<$0]) } ?? ""
      guard slash != relative.startIndex else {
        hidden += 1
        continue
      }
      // As bytes: two spellings of one character are two directories.
      if lastDirectory == nil || !path.utf8.elementsEqual(lastPath.utf8) {
        lastPath = path
        lastDirectory = ensurePath(scope, path, listing)
      }
      guard let directory = lastDirectory else {
        hidden += 1
        continue
      }
      let name = slash.map { relative[relative.index(after: $0)...] } ?? relative
      if name.isEmpty {
        updateDirectory(directory) { $0.hasMarker = true }
      } else if !mergeFile(directory, ObjectKey(String(Substring(name))), object, listing) {
        hidden += 1
      }
    }
    sweep(scope, scope: scope, listing)
    return hidden
  }

  /// Whether a path can carry this name.
  static func isName(_ name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".." && name.utf8.count <= longestName && !name.utf8.contains(0)
      && !name.utf8.contains(UInt8(ascii: "/"))
  }

  private mutating func ensurePath(_ scope: InodeNumber, _ path: Substring, _ listing: Listing) -> InodeNumber? {
    var current = scope
    guard !path.isEmpty else { return current }
    for name in path.split(separator: "/", omittingEmptySubsequences: false) {
      guard Self.isName(String(name)), let next = ensureDirectory(current, ObjectKey(String(name)), listing) else {
        return nil
      }
      current = next
    }
    return current
  }

  /// The directory of a name, made if need be. A file of the same name gives way, unless this mount has just made it.
  private mutating func ensureDirectory(
    _ parent: InodeNumber, _ name: ObjectKey, _ listing: Listing
  ) -> InodeNumber? {
    if let existing = nodes[parent]?.directory?.children[name], let node = nodes[existing] {
      if node.directory != nil {
        see(existing, merge: mergeCounter)
        return existing
      }
      if node.changed > listing.generation { return nil }
    }
    let scope = nodes[parent]?.directory?.scope ?? 0
    let inode = add(parent, name, .directory(Node.Directory(scope: scope)))
    // A directory directly below a store is a backup, with a listing of its own.
    if nodes[parent]?.parent == Self.root { updateDirectory(inode) { $0.scope = inode } }
    see(inode, merge: mergeCounter)
    return inode
  }

  private mutating func mergeFile(
    _ directory: InodeNumber, _ name: ObjectKey, _ object: ObjectInfo, _ listing: Listing
  ) -> Bool {
    guard Self.isName(name.string) else { return false }
    guard let existing = nodes[directory]?.directory?.children[name], let node = nodes[existing] else {
      let inode = add(directory, name, .file(Node.File(object: object)))
      see(inode, merge: mergeCounter)
      return true
    }
    // `a` beside `a/b`: the directory shadows the object.
    guard node.file != nil else { return false }
    see(existing, merge: mergeCounter)
    if node.changed <= listing.generation, node.file?.object != object {
      updateFile(existing) { $0.object = object }
    }
    return true
  }

  /// Removes what the listing did not show and nothing here keeps. Answers whether anything is left.
  @discardableResult
  private mutating func sweep(_ inode: InodeNumber, scope: InodeNumber, _ listing: Listing) -> Bool {
    guard let directory = nodes[inode]?.directory else { return false }
    for child in directory.children.values {
      guard let node = nodes[child], node.seen != mergeCounter || node.directory != nil else { continue }
      if let below = node.directory {
        // A store's listing says nothing of what lies inside its backups.
        let inside = below.scope == scope ? sweep(child, scope: scope, listing) : false
        if node.seen == mergeCounter || inside || below.isLocal || node.changed > listing.generation { continue }
        unlink(child)
      } else if let file = node.file {
        if node.changed > listing.generation { continue }
        if file.writer != nil { updateFile(child) { $0.object = nil } } else { unlink(child) }
      }
    }
    return !(nodes[inode]?.directory?.children.isEmpty ?? true)
  }
}
