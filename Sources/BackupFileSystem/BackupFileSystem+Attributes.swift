// Changing attributes: size for real, the others in memory, because copy tools must not fail on them.

import ObjectStore
import Synchronization
import SystemPackage

extension BackupFileSystem {
  public func setAttributes(
    _ inode: InodeNumber, _ changes: AttributeChanges, handle: FileHandle?
  ) throws(FileSystemError) -> Answer<TimedAttributes> {
    if changes.size != nil, let behind, behind.pending(inode) != nil {
      return .pending { () async throws(FileSystemError) in
        try await behind.settle(inode)
        return try await self.setAttributes(inode, changes, handle: handle).value()
      }
    }
    let node = try state.withLock { (state) throws(FileSystemError) in
      let node = try state.tree.node(inode)
      if case .control = node.content { return node }
      state.tree.override(inode) { overrides in
        overrides.permissions = changes.permissions ?? overrides.permissions
        overrides.owner = changes.owner ?? overrides.owner
        overrides.group = changes.group ?? overrides.group
        overrides.modified = changes.modified ?? overrides.modified
      }
      return node
    }
    guard let size = changes.size, case .file(let file) = node.content else { return try attributes(inode) }
    guard size >= 0 else { throw FileSystemError(.invalidArgument) }
    if let writer = file.writer, !writer.isIdle {
      return .pending { () async throws(FileSystemError) in
        try await writer.resize(to: size)
        return try self.state.withLock { (state) throws(FileSystemError) in
          try self.attributes(of: inode, in: state)
        }
      }
    }
    return try truncate(inode, file, to: size)
  }

  /// Gives a file that nobody writes another size: it is put again, whole.
  private func truncate(
    _ inode: InodeNumber, _ file: Node.File, to size: Int64
  ) throws(FileSystemError) -> Answer<TimedAttributes> {
    guard let object = file.object, object.size != size else { return try attributes(inode) }
    guard size <= WriteBody.memoryLimit, size == 0 || object.size <= WriteBody.memoryLimit else {
      throw FileSystemError(
        .fileTooLarge, "only files up to \(WriteBody.memoryLimit >> 20) MiB can be given another size")
    }
    let store = try state.withLock { (state) throws(FileSystemError) in
      try writableLocation(of: inode, in: state.tree).0.objects
    }
    return .pending { () async throws(FileSystemError) in
      let written = try await storeWork {
        var bytes = size == 0 ? [] : try await store.get(object.key, range: nil, version: object.etag).bytes
        if bytes.count > Int(size) { bytes.removeLast(bytes.count - Int(size)) }
        bytes.append(contentsOf: repeatElement(0, count: Int(size) - bytes.count))
        return try await store.put(object.key, bytes, condition: .none)
      }
      self.published(inode, written)
      return try self.state.withLock { (state) throws(FileSystemError) in
        try self.attributes(of: inode, in: state)
      }
    }
  }
}
