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

  private(set) var nodes: [InodeNumber: Node] = [:]
  private(set) var generation: UInt64 = 1
  private var counter: UInt64 = 1
  /// Number of the last merge of a listing.
  var mergeCounter: UInt64 = 0

  /// Begins with the root and one directory a store; answers the stores' numbers in order.
  init(stores: [String]) {
    nodes[Self.root] = Node(
      parent: Self.root, name: "", content: .directory(Node.Directory(scope: 0, isLocal: true)), references: 1)
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

  /// Names from the store's directory down to the node, joined by `/`; empty for a store itself.
  func path(_ inode: InodeNumber) -> String {
    var names: [String] = []
    var current = inode
    while let node = nodes[current], node.parent != Self.root, current != Self.root {
      names.append(node.name.string)
      current = node.parent
    }
    return names.reversed().joined(separator: "/")
  }

  /// The store that a node lies in; nil for the root.
  func store(of inode: InodeNumber) -> InodeNumber? {
    var current = inode
    while let node = nodes[current] {
      if node.parent == Self.root { return current == Self.root ? nil : current }
      current = node.parent
    }
    return nil
  }

  /// Whether a node is a directory or lies below it.
  func lies(_ inode: InodeNumber, in directory: InodeNumber) -> Bool {
    var current = inode
    while current != directory, current != Self.root, let node = nodes[current] { current = node.parent }
    return current == directory
  }

  /// How many names lie between the root and the node: 1 for a store, 2 for a backup.
  func depth(_ inode: InodeNumber) -> Int {
    var depth = 0
    var current = inode
    while current != Self.root, let node = nodes[current] {
      depth += 1
      current = node.parent
    }
    return depth
  }

  /// Adds a node, linked under its name, replacing what was linked there.
  @discardableResult
  mutating func add(_ parent: InodeNumber, _ name: ObjectKey, _ content: Node.Content) -> InodeNumber {
    if let old = nodes[parent]?.directory?.children[name] { unlink(old) }
    counter += 1
    let inode = UInt64(copyRank(parent, name)) << 48 | counter
    nodes[inode] = Node(parent: parent, name: name, content: content)
    updateDirectory(parent) { $0.children[name] = inode }
    return inode
  }

  /// Adds a node that its parent does not list.
  mutating func addHidden(_ parent: InodeNumber, _ name: ObjectKey, _ content: Node.Content) -> InodeNumber {
    counter += 1
    nodes[counter] = Node(parent: parent, name: name, content: content)
    return counter
  }

  /// Takes a node's name away; it stays while the kernel refers to it. Its children go with it.
  mutating func unlink(_ inode: InodeNumber) {
    guard let node = nodes[inode], node.isLinked else { return }
    if let directory = node.directory {
      for child in directory.children.values { unlink(child) }
    }
    updateDirectory(node.parent) { $0.children[node.name] = nil }
    nodes[inode]?.isLinked = false
    if node.references == 0 { nodes[inode] = nil }
  }

  /// Gives a node another name, replacing what was linked there; its number stays.
  mutating func move(_ inode: InodeNumber, to parent: InodeNumber, _ name: ObjectKey) {
    guard let node = nodes[inode], node.isLinked else { return }
    updateDirectory(node.parent) { $0.children[node.name] = nil }
    if let old = nodes[parent]?.directory?.children[name] { unlink(old) }
    nodes[inode]?.parent = parent
    nodes[inode]?.name = name
    updateDirectory(parent) { $0.children[name] = inode }
  }

  /// Adds a reference for the kernel.
  mutating func remember(_ inode: InodeNumber) { nodes[inode]?.references += 1 }

  /// Gives references back.
  mutating func forget(_ inode: InodeNumber, count: UInt64) {
    guard let node = nodes[inode], inode != Self.root else { return }
    let left = node.references > count ? node.references - count : 0
    nodes[inode]?.references = left
    if left == 0, !node.isLinked { nodes[inode] = nil }
  }

  /// Notes that a node was changed through this mount: no listing begun before undoes it, nor sweeps its directories.
  mutating func touch(_ inode: InodeNumber) {
    generation += 1
    var current = inode
    while let node = nodes[current], current != Self.root {
      nodes[current]?.changed = generation
      current = node.parent
    }
  }

  /// Changes a directory in place.
  mutating func updateDirectory(_ inode: InodeNumber, _ change: (inout Node.Directory) -> Void) {
    // The node is taken apart and put together so that the children are not copied while they change.
    guard case .directory(var directory)? = nodes[inode]?.content else { return }
    nodes[inode]?.content = .control(.create(store: ""))
    change(&directory)
    nodes[inode]?.content = .directory(directory)
  }

  /// Changes a file in place.
  mutating func updateFile(_ inode: InodeNumber, _ change: (inout Node.File) -> Void) {
    guard case .file(var file)? = nodes[inode]?.content else { return }
    change(&file)
    nodes[inode]?.content = .file(file)
  }

  /// Changes what exists only here of a node's attributes.
  mutating func override(_ inode: InodeNumber, _ change: (inout Node.Overrides) -> Void) {
    var overrides = nodes[inode]?.overrides ?? Node.Overrides()
    change(&overrides)
    nodes[inode]?.overrides = overrides
  }

  /// Marks a node as seen by a merge.
  mutating func see(_ inode: InodeNumber, merge: UInt64) { nodes[inode]?.seen = merge }

  /// Whether a number is that of metadata: of `meta` in a backup, or of a file in it.
  static func isMetadata(_ inode: InodeNumber) -> Bool { inode >> 48 > 0 }

  private func copyRank(_ parent: InodeNumber, _ name: ObjectKey) -> Int {
    let depth = depth(parent)
    guard depth == 2 || depth == 3 else { return 0 }
    return BackupLayout.copyRank(ofPath: depth == 2 ? name.string : "\(nodes[parent]?.name.string ?? "")/\(name)")
  }
}
