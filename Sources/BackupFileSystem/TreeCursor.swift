// Walks a directory the way `cp -r` does: depth first, in the order of inode numbers, one file at a time.
//
// The tree may change between two steps: what is gone is passed over, what came later into a directory that was begun is
// not seen. So a directory that a listing under way has not shown whole yet is waited for, as `cp` waits for it. Metadata
// is left out: it must arrive after everything else, so it is never moved ahead, and it is little.

import ObjectStore

/// A place in the walk.
struct TreeCursor {
  /// A file on the way.
  struct File {
    var inode: InodeNumber
    /// Path from the directory where the walk began.
    var path: String
    var object: ObjectInfo
  }

  private struct Level {
    var children: [InodeNumber]
    var next = 0
    var path: String
  }

  private var levels: [Level] = []

  /// Begins a walk.
  init(_ directory: InodeNumber, in tree: Tree) { enter(directory, path: "", in: tree) }

  /// Begins behind a file, in the backup that it lies in; nil when it is not in one any more.
  init?(behind file: InodeNumber, in tree: Tree) {
    var path: [InodeNumber] = [file]
    while let inode = path.last, tree.depth(inode) > 2 {
      guard let node = tree.nodes[inode], node.isLinked else { return nil }
      path.append(node.parent)
    }
    guard path.count > 1 else { return nil }
    for (child, directory) in zip(path, path.dropFirst()).reversed() {
      enter(directory, path: levels.isEmpty ? "" : below(tree.nodes[directory]?.name.string ?? ""), in: tree)
      guard let level = levels.last, let place = level.children.firstIndex(of: child) else { return nil }
      levels[levels.count - 1].next = place + 1
    }
  }

  /// Whether nothing is left; tells a `next` without a file at the end from one before a directory to wait for.
  var isAtEnd: Bool { levels.isEmpty }

  /// The next file; nil at the end, and before a directory to wait for.
  /// - Parameter waitsAt: tells of a directory whether what lies in it is still to be listed.
  mutating func next(in tree: Tree, waitsAt: (InodeNumber) -> Bool = { _ in false }) -> File? {
    while let level = levels.last {
      guard level.next < level.children.count else {
        levels.removeLast()
        continue
      }
      let inode = level.children[level.next]
      let node = tree.nodes[inode]
      if node?.isLinked == true, node?.directory != nil, waitsAt(inode) { return nil }
      levels[levels.count - 1].next += 1
      guard let node, node.isLinked, !Tree.isMetadata(inode) else { continue }
      let path = below(node.name.string)
      if node.directory != nil {
        enter(inode, path: path, in: tree)
      } else if let object = node.file?.object {
        return File(inode: inode, path: path, object: object)
      }
    }
    return nil
  }

  /// The path of a name in the directory that is being walked.
  private func below(_ name: String) -> String {
    guard let path = levels.last?.path, !path.isEmpty else { return name }
    return "\(path)/\(name)"
  }

  private mutating func enter(_ directory: InodeNumber, path: String, in tree: Tree) {
    guard let children = tree.nodes[directory]?.directory?.children else { return }
    levels.append(Level(children: children.values.sorted(), path: path))
  }
}
