// Reading directories: a snapshot at open, in the order of the numbers.

import ObjectStore
import Synchronization
import SystemPackage

extension BackupFileSystem {
  public func openDirectory(_ inode: InodeNumber) throws(FileSystemError) -> Answer<FileHandle> {
    try answer(in: inode) { (state) throws(FileSystemError) in
      var entries: [DirectoryEntry] = []
      let children = try state.tree.directory(inode).children
      entries.reserveCapacity(children.count)
      for (name, child) in children {
        entries.append(DirectoryEntry(name: name.string, entry: try self.entry(of: child, in: state.tree)))
      }
      entries.sort { $0.entry.attributes.inode < $1.entry.attributes.inode }
      return self.open(.directory(entries), &state)
    }
  }

  public func readDirectory(_ handle: FileHandle) throws(FileSystemError) -> [DirectoryEntry] {
    guard case .directory(let entries)? = state.withLock({ $0.handles[handle] }) else {
      throw FileSystemError(.badFileDescriptor)
    }
    return entries
  }

  public func releaseDirectory(_ handle: FileHandle) {
    state.withLock { _ = $0.handles.removeValue(forKey: handle) }
  }

  /// Gives something open a number.
  func open(_ handle: Handle, _ state: inout State) -> FileHandle {
    let number = state.nextHandle
    state.nextHandle += 1
    state.handles[number] = handle
    return number
  }
}
