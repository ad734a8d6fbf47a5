// The names that the mount knows: a value without clock or I/O.
//
// Invariants:
// - A linked node is a child of its parent under its name; names compare bytewise.
// - A node without references and without link is forgotten; a linked node stays, so listings are not read twice.
// - Numbers grow in the order in which names are first seen, and within a backup the order in which files must be copied
//   comes first: `cp` works by number, so metadata arrives after the data it promises.
// - `generation` grows with each change made here. A listing that began before a change does not undo it.

import BackupFormat
import ObjectStore
import SystemPackage

/// The tree of stores, backups and files.
struct Tree {
  static let root: InodeNumber = 1

  private(set) var nodes = NodeTable()
  /// Attributes that exist only here, of the few nodes that have any.
  private(set) var overrides: [InodeNumber: Node.Overrides] = [:]
  private(set) var generation: UInt64 = 1
  private var counter: UInt64 = 1
  /// Number of the last merge of a listing.
  var mergeCounter: UInt32 = 0

  /// Begins with the root and one directory a store; answers the stores' numbers in order.
  init(stores: [String]) {
    nodes.insert(
      Node(
        parent: Self.root, name: "", content: .directory(Node.Directory(scope: 0, isLocal: true)), references: 1),
      as: Self.root)
    for name in stores {
      let inode = add(Self.root, ObjectKey(name), .directory(Node.Directory(scope: 0, isLocal: true)))
      updateDirectory(inode) { $0.scope = inode }
    }
  }

  /// The node of a number; ESTALE when the kernel asks for one that is gone.
  func node(_ inode: InodeNumber) throws(FileSystemError) -> Node {
    guard let node = nodes[inode] else { throw FileSystemError(.staleNFSFileHandle, "inode \(inode) is gone") }
    return node
  }

  /// The directory of a number; ENOTDIR for anything else.
  func directory(_ inode: InodeNumber) throws(FileSystemError) -> Node.Directory {
    guard let directory = try node(inode).directory else { throw FileSystemError(.notDirectory) }
    return directory
  }

  /// Names from the store's directory down to the node, joined by `/`, behind a prefix; only that for a store itself.
  func path(_ inode: InodeNumber, after prefix: String = "") -> String {
    var path = prefix
    append(inode, to: &path, more: 0)
    return path
  }

  /// Appends a node's path. A key is asked for with each file that is made: there is no list of its names.
  /// - Parameter more: bytes that follow.
  /// - Returns: false for a store, which has no names.
  @discardableResult
  private func append(_ inode: InodeNumber, to path: inout String, more: Int) -> Bool {
    guard inode != Self.root, let name = nodes.name(of: inode), let parent = nodes.parent(of: inode),
      parent != Self.root
    else {
      path.reserveCapacity(path.utf8.count + more)
      return false
    }
    if append(parent, to: &path, more: more + name.byteCount + 1) { path += "/" }
    path += name.string
    return true
  }

  /// The store that a node lies in; nil for the root.
  func store(of inode: InodeNumber) -> InodeNumber? {
    var current = inode
    while let parent = nodes.parent(of: current) {
      if parent == Self.root { return current == Self.root ? nil : current }
      current = parent
    }
    return nil
  }

  /// Whether a node is a directory or lies below it.
  func lies(_ inode: InodeNumber, in directory: InodeNumber) -> Bool {
    var current = inode
    while current != directory, current != Self.root, let parent = nodes.parent(of: current) { current = parent }
    return current == directory
  }

  /// How many names lie between the root and the node: 1 for a store, 2 for a backup.
  func depth(_ inode: InodeNumber) -> Int {
    var depth = 0
    var current = inode
    while current != Self.root, let parent = nodes.parent(of: current) {
      depth += 1
      current = parent
    }
    return depth
  }

  /// Adds a node, linked under its name, replacing what was linked there.
  @discardableResult
  mutating func add(_ parent: InodeNumber, _ name: ObjectKey, _ content: Node.Content) -> InodeNumber {
    if let old = nodes[parent]?.directory?.children[name] { unlink(old) }
    counter += 1
    let inode = UInt64(copyRank(parent, name)) << 48 | counter
    nodes.insert(Node(parent: parent, name: name, content: content), as: inode)
    updateDirectory(parent) { $0.children[name] = inode }
    return inode
  }

  /// Adds a node that its parent does not list.
  mutating func addHidden(_ parent: InodeNumber, _ name: ObjectKey, _ content: Node.Content) -> InodeNumber {
    counter += 1
    nodes.insert(Node(parent: parent, name: name, content: content), as: counter)
    return counter
  }

  /// Takes a node's name away; it stays while the kernel refers to it. Its children go with it.
  mutating func unlink(_ inode: InodeNumber) {
    guard let node = nodes[inode], node.isLinked else { return }
    if let directory = node.directory {
      for child in directory.children.values { unlink(child) }
    }
    updateDirectory(node.parent) { $0.children[node.name] = nil }
    nodes.update(inode) { $0.isLinked = false }
    if node.references == 0 { drop(inode) }
  }

  /// Gives a node another name, replacing what was linked there; its number stays.
  mutating func move(_ inode: InodeNumber, to parent: InodeNumber, _ name: ObjectKey) {
    guard let node = nodes[inode], node.isLinked else { return }
    updateDirectory(node.parent) { $0.children[node.name] = nil }
    if let old = nodes[parent]?.directory?.children[name] { unlink(old) }
    nodes.update(inode) { node in
      node.parent = parent
      node.name = name
    }
    updateDirectory(parent) { $0.children[name] = inode }
  }

  /// Adds a reference for the kernel.
  mutating func remember(_ inode: InodeNumber) { nodes.update(inode) { $0.references += 1 } }

  /// Gives references back.
  mutating func forget(_ inode: InodeNumber, count: UInt64) {
    guard inode != Self.root else { return }
    var isGone = false
    nodes.update(inode) { node in
      node.references = node.references > count ? node.references - count : 0
      isGone = node.references == 0 && !node.isLinked
    }
    if isGone { drop(inode) }
  }

  /// Notes that a node was changed through this mount: no listing begun before undoes it, nor sweeps its directories.
  mutating func touch(_ inode: InodeNumber) {
    generation += 1
    var current = inode
    while current != Self.root, let parent = nodes.parent(of: current) {
      nodes.update(current) { [generation] in $0.changed = generation }
      current = parent
    }
  }

  /// Changes a directory in place.
  mutating func updateDirectory(_ inode: InodeNumber, _ change: (inout Node.Directory) -> Void) {
    nodes.update(inode) { node in
      // Taken apart and put together so that the children are not copied while they change.
      guard case .directory(var directory) = node.content else { return }
      node.content = .control(.refresh)
      change(&directory)
      node.content = .directory(directory)
    }
  }

  /// Changes a file in place.
  mutating func updateFile(_ inode: InodeNumber, _ change: (inout Node.File) -> Void) {
    nodes.update(inode) { node in
      guard case .file(var file) = node.content else { return }
      change(&file)
      node.content = .file(file)
    }
  }

  /// Changes what exists only here of a node's attributes.
  mutating func override(_ inode: InodeNumber, _ change: (inout Node.Overrides) -> Void) {
    change(&overrides[inode, default: Node.Overrides()])
  }

  /// Marks a node as seen by a merge.
  mutating func see(_ inode: InodeNumber, merge: UInt32) { nodes.update(inode) { $0.seen = merge } }

  /// Whether a number is that of metadata: of `meta` in a backup, or of a file in it.
  static func isMetadata(_ inode: InodeNumber) -> Bool { inode >> 48 > 0 }

  private mutating func drop(_ inode: InodeNumber) {
    nodes.remove(inode)
    overrides[inode] = nil
  }

  private func copyRank(_ parent: InodeNumber, _ name: ObjectKey) -> Int {
    // Four steps up tell what must be known of the depth, which is asked for with each name that is added.
    var depth = 0
    var current = parent
    while current != Self.root, depth < 4, let next = nodes.parent(of: current) {
      depth += 1
      current = next
    }
    guard depth == 2 || depth == 3 else { return 0 }
    return BackupLayout.copyRank(ofPath: depth == 2 ? name.string : "\(nodes[parent]?.name.string ?? "")/\(name)")
  }
}
