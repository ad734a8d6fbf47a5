// Nodes by number: a value.
//
// Numbers are given out in order and never again, so a node lies at its number's place in a row of blocks. That takes a
// third of the memory of a dictionary, whose table doubles when it grows and keeps a quarter empty: for 200,000 nodes it
// was 110 MiB of 244. A block goes when its last node has gone.

import ObjectStore

extension Node {
  /// Lets a closure change the node where it lies.
  fileprivate mutating func update(_ change: (inout Node) -> Void) { change(&self) }
}

/// Nodes, found by the lower 48 bits of their inode numbers.
struct NodeTable {
  private static let blockSize = 128

  private struct Block {
    var nodes: ContiguousArray<Node?>
    var count = 0
  }

  private var blocks: ContiguousArray<Block?> = []
  /// Nodes that are kept.
  private(set) var count = 0

  /// The node of a number.
  subscript(inode: InodeNumber) -> Node? {
    let (block, place) = Self.place(of: inode)
    guard block < blocks.count else { return nil }
    return blocks[block]?.nodes[place]
  }

  /// The directory that names a node; nil when there is no such node.
  func parent(of inode: InodeNumber) -> InodeNumber? {
    let (block, place) = Self.place(of: inode)
    guard block < blocks.count else { return nil }
    return blocks[block]?.nodes[place]?.parent
  }

  /// A node's name; nil when there is no such node.
  func name(of inode: InodeNumber) -> ObjectKey? {
    let (block, place) = Self.place(of: inode)
    guard block < blocks.count else { return nil }
    return blocks[block]?.nodes[place]?.name
  }

  /// Keeps a node under a number that has none.
  mutating func insert(_ node: Node, as inode: InodeNumber) {
    let (block, place) = Self.place(of: inode)
    while blocks.count <= block { blocks.append(nil) }
    if blocks[block] == nil {
      blocks[block] = Block(nodes: ContiguousArray(repeating: nil, count: Self.blockSize))
    }
    blocks[block]?.nodes[place] = node
    blocks[block]?.count += 1
    count += 1
  }

  /// Drops a node.
  mutating func remove(_ inode: InodeNumber) {
    let (block, place) = Self.place(of: inode)
    guard block < blocks.count, blocks[block]?.nodes[place] != nil else { return }
    blocks[block]?.nodes[place] = nil
    blocks[block]?.count -= 1
    count -= 1
    if blocks[block]?.count == 0 { blocks[block] = nil }
  }

  /// Changes a node in place, if there is one.
  mutating func update(_ inode: InodeNumber, _ change: (inout Node) -> Void) {
    let (block, place) = Self.place(of: inode)
    guard block < blocks.count else { return }
    blocks[block]?.nodes[place]?.update(change)
  }

  private static func place(of inode: InodeNumber) -> (block: Int, place: Int) {
    let number = Int(inode & 0xffff_ffff_ffff)
    return (number / blockSize, number % blockSize)
  }
}
