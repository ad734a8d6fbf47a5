// Reading directories: a snapshot at open, in the order of the numbers.

import ObjectStore
import Synchronization
import SystemPackage

extension BackupFileSystem {
  public func openDirectory(_ inode: InodeNumber, caller: Caller) throws(FileSystemError) -> Answer<FileHandle> {
    try answer(in: inode, by: caller.thread) { (state) throws(FileSystemError) in
      if inode == self.service.jobs { self.service.update(&state.tree, jobNames: self.controls.jobNames) }
      state.traces.read(inode, by: caller.thread)
      var entries: [DirectoryEntry] = []
      let node = try state.tree.node(inode)
      guard let children = node.directory?.children else { throw FileSystemError(.notDirectory) }
      // Looked up long ago and gone since: the kernel asks for its name again.
      guard node.isLinked else { throw FileSystemError(.staleNFSFileHandle) }
      entries.reserveCapacity(children.count)
      for (name, child) in children {
        entries.append(DirectoryEntry(name: name.string, entry: try self.entry(of: child, in: state)))
      }
      entries.sort { $0.entry.attributes.inode < $1.entry.attributes.inode }
      return self.open(.directory(DirectorySnapshot(parent: node.parent, entries: entries)), &state)
    }
  }

  public func readDirectory(_ handle: FileHandle) throws(FileSystemError) -> DirectorySnapshot {
    guard case .directory(let snapshot)? = state.withLock({ $0.handles[handle] }) else {
      throw FileSystemError(.badFileDescriptor)
    }
    return snapshot
  }

  public func releaseDirectory(_ handle: FileHandle) {
    state.withLock { _ = close(handle, &$0) }
  }

  /// Gives something open a number.
  func open(_ handle: Handle, _ state: inout State) -> FileHandle {
    let number = state.nextHandle
    state.nextHandle += 1
    state.handles[number] = handle
    gauges.update { values in
      values.count(handle, 1)
      values.inodes = state.tree.nodes.count
    }
    return number
  }

  /// Forgets something open.
  func close(_ number: FileHandle, _ state: inout State) -> Handle? {
    guard let handle = state.handles.removeValue(forKey: number) else { return nil }
    gauges.update { $0.count(handle, -1) }
    return handle
  }
}
