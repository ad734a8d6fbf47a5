// Names and inodes of the file system in memory.

import BackupFileSystem
import Synchronization
import SystemPackage

extension MemoryFileSystem {
  func lookup(_ parent: InodeNumber, _ name: String, caller: Caller) throws(FileSystemError) -> Answer<Entry> {
    try answer("lookup") { state throws(FileSystemError) in
      let inode = try state.child(parent, name)
      state.references[inode, default: 0] += 1
      return Entry(attributes: try state.node(inode).attributes, timeToLive: timeToLive)
    }
  }

  func remember(_ inodes: [InodeNumber]) {
    state.withLock { state in
      state.remembered += inodes.count
      for inode in inodes { state.references[inode, default: 0] += 1 }
    }
  }

  func forget(_ inode: InodeNumber, count: UInt64) {
    state.withLock { state in
      state.calls["forget", default: 0] += 1
      state.references[inode, default: 0] -= Int(count)
    }
  }

  func attributes(_ inode: InodeNumber) throws(FileSystemError) -> Answer<TimedAttributes> {
    try answer("attributes") { state throws(FileSystemError) in
      TimedAttributes(attributes: try state.node(inode).attributes, timeToLive: timeToLive)
    }
  }

  func setAttributes(_ inode: InodeNumber, _ changes: AttributeChanges, handle: FileHandle?)
    throws(FileSystemError) -> Answer<TimedAttributes>
  {
    try answer("setAttributes") { state throws(FileSystemError) in
      var node = try state.node(inode)
      if let size = changes.size {
        node.contents = Array(node.contents.prefix(Int(size)))
        node.contents += [UInt8](repeating: 0, count: Int(size) - node.contents.count)
        node.attributes.size = size
      }
      if let permissions = changes.permissions { node.attributes.permissions = permissions }
      if let owner = changes.owner { node.attributes.owner = owner }
      if let group = changes.group { node.attributes.group = group }
      if let modified = changes.modified { node.attributes.modified = modified }
      state.nodes[inode] = node
      return TimedAttributes(attributes: node.attributes, timeToLive: timeToLive)
    }
  }

  func makeDirectory(_ parent: InodeNumber, _ name: String, permissions: UInt16, caller: Caller)
    throws(FileSystemError) -> Answer<Entry>
  {
    try answer("makeDirectory") { state throws(FileSystemError) in
      let inode = state.insert(name, parent, .directory, permissions, caller)
      state.references[inode, default: 0] += 1
      return Entry(attributes: try state.node(inode).attributes, timeToLive: timeToLive)
    }
  }

  func removeDirectory(_ parent: InodeNumber, _ name: String) throws(FileSystemError) -> Answer<Void> {
    try answer("removeDirectory") { state throws(FileSystemError) in
      let inode = try state.child(parent, name)
      guard try state.node(inode).children.isEmpty else {
        throw FileSystemError(.directoryNotEmpty, "\(name) is not empty")
      }
      state.nodes[parent]?.children.removeAll { $0.name == name }
    }
  }

  func unlink(_ parent: InodeNumber, _ name: String) throws(FileSystemError) -> Answer<Void> {
    try answer("unlink") { state throws(FileSystemError) in
      _ = try state.child(parent, name)
      state.nodes[parent]?.children.removeAll { $0.name == name }
    }
  }

  /// Directories cannot be moved; between directories nothing can.
  func rename(
    _ parent: InodeNumber, _ name: String, to newParent: InodeNumber, _ newName: String, options: RenameOptions
  ) throws(FileSystemError) -> Answer<Void> {
    try answer("rename") { state throws(FileSystemError) in
      state.renameOptions.append(options)
      guard parent == newParent else { throw FileSystemError(.improperLink, "\(name) would leave its directory") }
      let inode = try state.child(parent, name)
      guard let index = state.nodes[parent]?.children.firstIndex(where: { $0.inode == inode }) else { return }
      state.nodes[parent]?.children[index].name = newName
      state.nodes[parent]?.children.removeAll { $0.name == newName && $0.inode != inode }
    }
  }

  func openDirectory(_ inode: InodeNumber, caller: Caller) throws(FileSystemError) -> Answer<FileHandle> {
    try answer("openDirectory") { state throws(FileSystemError) in
      var listing: [DirectoryEntry] = []
      for child in try state.node(inode).children {
        let attributes = try state.node(child.inode).attributes
        listing.append(DirectoryEntry(name: child.name, entry: Entry(attributes: attributes, timeToLive: timeToLive)))
      }
      state.lastHandle += 1
      let parent = state.nodes.first { $0.value.children.contains { $0.inode == inode } }?.key ?? inode
      state.listings[state.lastHandle] = DirectorySnapshot(parent: parent, entries: listing)
      return state.lastHandle
    }
  }

  func readDirectory(_ handle: FileHandle) throws(FileSystemError) -> DirectorySnapshot {
    try counted("readDirectory") { state throws(FileSystemError) in
      guard let listing = state.listings[handle] else { throw FileSystemError(.badFileDescriptor) }
      return listing
    }
  }

  func releaseDirectory(_ handle: FileHandle) {
    state.withLock { state in
      state.calls["releaseDirectory", default: 0] += 1
      if state.listings.removeValue(forKey: handle) == nil { state.releasedTwice += 1 }
    }
  }

  func statistics() -> FileSystemStatistics {
    FileSystemStatistics(blockSize: 4096, blocks: 1 << 30, freeBlocks: 1 << 29, files: 1 << 20, longestName: 255)
  }
}
