// Bringing the tree up to date with what a store lists.
//
// What others changed is taken over; what was changed here since the listing began is kept. Objects whose keys no path
// can carry are hidden and counted: they must not break a directory. A listing is taken over page by page, so a large one
// is never in memory as a whole, and nobody waits for the tree for longer than a page takes.
//
// A directory is whole before the listing is at its end when one page came to it and left it again: stores list a
// directory without interruption (`ListingPlan`). Where pages begin or end what was asked for nothing comes before or
// behind. It is also whole when it was listed by itself (`LevelMerge`).

import ObjectStore

/// A listing that is being taken over, page by page.
struct ListingMerge: Sendable {
  /// The directory that is listed: a store or a backup.
  let scope: InodeNumber
  /// Marks what this listing has shown; no other has it.
  let number: UInt32
  /// The tree's generation when the listing began.
  fileprivate let generation: UInt64
  /// Length of the directory's own key with its trailing `/`, in bytes.
  fileprivate let prefixLength: Int
  /// Whether there may be nodes that an earlier listing has shown.
  fileprivate let renews: Bool
  /// Keys of the objects that could not be shown so far; pages may overlap.
  fileprivate(set) var hidden: Set<ObjectKey> = []
}

extension Tree {
  /// Whether a listing under way has shown all that is in a directory.
  func isWhole(_ directory: InodeNumber, _ merge: ListingMerge) -> Bool {
    nodes[directory]?.directory?.whole == merge.number
  }

  /// Longest name that Linux takes, in bytes.
  static let longestName = 255

  /// Begins to take over a listing of a store or of a backup whose first page has not been asked for yet.
  mutating func beginMerge(into scope: InodeNumber, prefixLength: Int) -> ListingMerge {
    mergeCounter &+= 1
    return ListingMerge(
      scope: scope, number: mergeCounter, generation: generation, prefixLength: prefixLength,
      renews: nodes[scope]?.directory?.children.isEmpty == false)
  }

  /// Takes over a page. What other pages say stays to be said: only directories that became whole lose something.
  ///
  /// - Parameters:
  ///   - request: what the page answers; nil if no directory can become whole by it.
  ///   - removed: keys removed through this mount since the listing began.
  mutating func merge(
    _ page: ListPage, asked request: ListRequest? = nil, except removed: Set<ObjectKey>, _ merge: inout ListingMerge
  ) {
    for key in page.directories where !removed.contains(key) {
      let name = ObjectKey(String(Substring(key.string.utf8.dropFirst(merge.prefixLength).dropLast())))
      if !Self.isName(name.string) || ensureDirectory(merge.scope, name, &merge) == nil { merge.hidden.insert(key) }
    }
    var place = Place(page, request)
    for object in page.objects where !removed.contains(object.key) {
      let relative = object.key.string.utf8.dropFirst(merge.prefixLength)
      let slash = relative.lastIndex(of: UInt8(ascii: "/"))
      guard let directory = enter(slash.map { relative[..<$0] }, &place, &merge) else {
        merge.hidden.insert(object.key)
        continue
      }
      let name = slash.map { relative[relative.index(after: $0)...] } ?? relative
      if name.isEmpty {
        updateDirectory(directory) { $0.hasMarker = true }
      } else if !mergeFile(directory, ObjectKey(String(Substring(name))), object, merge) {
        merge.hidden.insert(object.key)
      }
      place.isBehindFirst = page.isOrdered && request?.groupedByDirectory == false
    }
    // What lies above the prefix does not begin here.
    if place.isLast { for left in place.directories where left.beginsHere { becomeWhole(left.inode, merge) } }
  }

  /// Removes what no page has shown and nothing here keeps; answers how many objects had to be hidden.
  mutating func finish(_ merge: ListingMerge) -> Int {
    sweep(merge.scope, merge)
    return merge.hidden.count
  }

  /// Whether a path can carry this name.
  static func isName(_ name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".." && name.utf8.count <= longestName && !name.utf8.contains(0)
      && !name.utf8.contains(UInt8(ascii: "/"))
  }

  /// The directories from the listed one down to that of the last object. Keys come in order, so those of the next object
  /// are nearly the same.
  private struct Place {
    /// With whether nothing of each came before.
    var directories: [(name: String, inode: InodeNumber, beginsHere: Bool)] = []
    var isBehindFirst = false
    /// Length of the prefix that was asked for.
    let prefixLength: Int
    /// Whether nothing below the prefix comes before the page, or behind it.
    let isFirst, isLast: Bool

    init(_ page: ListPage, _ request: ListRequest?) {
      prefixLength = request?.prefix.byteCount ?? 0
      let isFlat = request?.groupedByDirectory == false
      let isAll = isFlat && request?.continuation == nil && page.continuation == nil
      isFirst = isAll || isFlat && page.isOrdered && request?.continuation == nil
      isLast = isAll || isFlat && page.isOrdered && page.continuation == nil
    }

    /// Whether a directory whose key has so many bytes, with the trailing `/`, begins in the page if that comes to it now.
    func begins(_ length: Int) -> Bool { isBehindFirst || isFirst && length >= prefixLength }
  }

  /// The directory of a path below the listed one, made if need be; nil when no path can carry it.
  private mutating func enter(
    _ path: Substring.UTF8View?, _ place: inout Place, _ merge: inout ListingMerge
  ) -> InodeNumber? {
    var current = merge.scope
    guard var rest = path else { return current }
    var level = 0
    var length = merge.prefixLength
    while true {
      let end = rest.firstIndex(of: UInt8(ascii: "/"))
      let name = end.map { rest[..<$0] } ?? rest
      length += name.count + 1
      // As bytes: two spellings of one character are two directories.
      if level < place.directories.count, place.directories[level].name.utf8.elementsEqual(name) {
        current = place.directories[level].inode
      } else {
        for left in place.directories[level...] where left.beginsHere { becomeWhole(left.inode, merge) }
        place.directories.removeSubrange(level...)
        let text = String(Substring(name))
        guard Self.isName(text), let next = ensureDirectory(current, ObjectKey(text), &merge) else { return nil }
        place.directories.append((text, next, place.begins(length)))
        current = next
      }
      level += 1
      guard let end else { return current }
      rest = rest[rest.index(after: end)...]
    }
  }

  /// The directory of a name, made if need be. A file of the same name gives way, unless this mount has just made it.
  mutating func ensureDirectory(
    _ parent: InodeNumber, _ name: ObjectKey, _ merge: inout ListingMerge
  ) -> InodeNumber? {
    guard let directory = nodes[parent]?.directory else { return nil }
    if let existing = directory.children[name], let node = nodes[existing] {
      if node.directory != nil {
        see(existing, merge: merge.number)
        return existing
      }
      if node.changed > merge.generation { return nil }
      // `a` beside `a/b`: the directory shadows the object.
      if node.seen == merge.number, let key = node.file?.object?.key { merge.hidden.insert(key) }
    }
    let inode = add(parent, name, .directory(Node.Directory(scope: directory.scope)))
    // A directory directly below a store is a backup, with a listing of its own.
    if nodes.parent(of: parent) == Self.root { updateDirectory(inode) { $0.scope = inode } }
    see(inode, merge: merge.number)
    return inode
  }

  mutating func mergeFile(
    _ directory: InodeNumber, _ name: ObjectKey, _ object: ObjectInfo, _ merge: ListingMerge
  ) -> Bool {
    guard Self.isName(name.string) else { return false }
    guard let children = nodes[directory]?.directory?.children else { return false }
    guard let existing = children[name], let node = nodes[existing] else {
      let inode = add(directory, name, .file(Node.File(object: object)))
      see(inode, merge: merge.number)
      return true
    }
    // `a` beside `a/b`, once more.
    guard node.file != nil else { return false }
    let current = node.changed <= merge.generation && node.file?.object != object ? replace(existing, object) : existing
    see(current, merge: merge.number)
    return true
  }

  /// Takes over an object that others have put; answers the number of its file.
  ///
  /// Another version of a file that the kernel knows gets a number of its own, as if it had been renamed over the old one.
  /// Under the old number the kernel would put its size beside the bytes of the version that is open or in the page cache:
  /// a reader would meet the end of a shorter one and take it for the whole.
  private mutating func replace(_ inode: InodeNumber, _ object: ObjectInfo) -> InodeNumber {
    guard let node = nodes[inode], let file = node.file else { return inode }
    let isSameVersion = file.object.map { $0.etag == object.etag && $0.size == object.size } ?? true
    guard !isSameVersion, node.references > 0, file.writer == nil else {
      updateFile(inode) { $0.object = object }
      return inode
    }
    let new = add(node.parent, node.name, .file(Node.File(object: object)))
    if let kept = overrides[inode] { override(new) { $0 = kept } }
    return new
  }

  /// A listing has shown all that is in a directory: what it did not show goes.
  /// - Parameter shown: directories that are there, whatever is known of what they hold.
  mutating func becomeWhole(_ inode: InodeNumber, _ merge: ListingMerge, shown: Set<ObjectKey> = []) {
    if merge.renews { sweep(inode, merge, except: shown) }
    updateDirectory(inode) { $0.whole = merge.number }
  }

  /// Removes what the listing did not show and nothing here keeps. Answers whether anything is left.
  /// - Parameter shown: directories to leave alone.
  @discardableResult
  private mutating func sweep(_ inode: InodeNumber, _ merge: ListingMerge, except shown: Set<ObjectKey> = []) -> Bool {
    guard let directory = nodes[inode]?.directory else { return false }
    for child in directory.children.values {
      guard let node = nodes[child], node.seen != merge.number || node.directory != nil else { continue }
      if let below = node.directory {
        if shown.contains(node.name) { continue }
        // A store's listing says nothing of what lies inside its backups.
        let inside = below.scope == merge.scope ? sweep(child, merge) : false
        if node.seen == merge.number || inside || below.isLocal || node.changed > merge.generation { continue }
        unlink(child)
      } else if let file = node.file {
        if node.changed > merge.generation { continue }
        if file.writer != nil { updateFile(child) { $0.object = nil } } else { unlink(child) }
      }
    }
    return !(nodes[inode]?.directory?.children.isEmpty ?? true)
  }
}
