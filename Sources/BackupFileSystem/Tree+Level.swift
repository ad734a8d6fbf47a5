// Taking over one directory that is listed by itself, because it is asked for while the listing of its backup is under way.
//
// A store may name a directory that holds nothing. Whoever was told of it may come to it later, so it stays until the backup
// is listed again.

import ObjectStore

/// The listing of one directory, without what lies in its directories.
struct LevelMerge: Sendable {
  /// The directory that is listed.
  let directory: InodeNumber
  /// Length of its key with the trailing `/`, in bytes.
  private let prefixLength: Int
  private var shown: Set<ObjectKey> = []

  init(_ directory: InodeNumber, prefixLength: Int) {
    self.directory = directory
    self.prefixLength = prefixLength
  }

  /// Takes over a page.
  ///
  /// - Parameters:
  ///   - removed: keys removed through this mount since the backup's listing began.
  ///   - listing: of the backup.
  mutating func take(
    _ page: ListPage, except removed: Set<ObjectKey>, of listing: ListingMerge, into tree: inout Tree
  ) {
    var listing = listing
    for key in page.directories where !removed.contains(key) {
      let name = ObjectKey(String(Substring(key.string.utf8.dropFirst(prefixLength).dropLast())))
      guard Tree.isName(name.string), let children = tree.nodes[directory]?.directory?.children else { continue }
      // An object of the same name that the backup's listing has shown gives way when that comes to the directory.
      if let node = children[name].flatMap({ tree.nodes[$0] }), node.file != nil, node.seen == listing.number {
        continue
      }
      if tree.ensureDirectory(directory, name, &listing) != nil { shown.insert(name) }
    }
    for object in page.objects where !removed.contains(object.key) {
      let name = object.key.string.utf8.dropFirst(prefixLength)
      if name.isEmpty {
        tree.updateDirectory(directory) { $0.hasMarker = true }
      } else {
        // One that no path can carry is counted by the backup's listing.
        _ = tree.mergeFile(directory, ObjectKey(String(Substring(name))), object, listing)
      }
    }
  }

  /// All pages are taken over.
  func finish(of listing: ListingMerge, in tree: inout Tree) { tree.becomeWhole(directory, listing, shown: shown) }
}
