// Giving files another name within one store. An object cannot be renamed: it is copied by the service, then the old one
// is removed. A file whose contents are not in the store yet only changes the key it will be published under.
//
// Invariant: at every moment the contents are under the old name, the new one or both; a failure says which.

import ObjectStore
import Synchronization
import SystemPackage

extension BackupFileSystem {
  /// What is to be renamed.
  private struct Move {
    var inode: InodeNumber
    var parent: InodeNumber
    var newParent: InodeNumber
    var store: MountedStore
    var key: ObjectKey
    var newKey: ObjectKey
    var file: Node.File
    /// The file that gives way.
    var replaced: Node.File?
  }

  public func rename(
    _ parent: InodeNumber, _ name: String, to newParent: InodeNumber, _ newName: String, options: RenameOptions
  ) throws(FileSystemError) -> Answer<Void> {
    guard !options.contains(.exchange) else { throw FileSystemError(.invalidArgument, "names cannot be swapped") }
    try checkNewName(newName)
    let (name, newName) = (ObjectKey(name), ObjectKey(newName))
    guard parent != newParent || name != newName else { return .ready(()) }
    let source = try answer(in: parent) { (state) throws(FileSystemError) in
      _ = try self.movable(parent, name, state.tree)
    }
    return .pending { () async throws(FileSystemError) in
      try await source.value()
      _ = try await self.answer(in: newParent) { (_) throws(FileSystemError) in () }.value()
      if let behind = self.behind {
        let named = self.state.withLock { state in
          [(parent, name), (newParent, newName)].compactMap { state.tree.nodes[$0.0]?.directory?.children[$0.1] }
        }
        for inode in named { try await behind.settle(inode) }
      }
      let move = try self.state.withLock { (state) throws(FileSystemError) in
        try self.plan(parent, name, newParent, newName, options, state.tree)
      }
      await move.replaced?.writer?.abandon()
      if let writer = move.file.writer {
        try await writer.rename(to: move.newKey)
      }
      var moved: ObjectInfo?
      if let object = move.file.object { moved = try await self.moveObject(object, move) }
      self.state.withLock { self.finish(move, as: moved, newName, &$0) }
    }
  }

  /// The file of a name, if it is one that can be renamed.
  private func movable(
    _ parent: InodeNumber, _ name: ObjectKey, _ tree: Tree
  ) throws(FileSystemError) -> (inode: InodeNumber, file: Node.File) {
    let directory = try tree.directory(parent)
    guard let inode = directory.children[name] else {
      throw FileSystemError(isControl(parent, name, tree) ? .notPermitted : .noSuchFileOrDirectory)
    }
    // EXDEV makes `mv` copy the tree and remove it, which moves every object durably before the old one goes.
    guard let file = try tree.node(inode).file else { throw FileSystemError(.improperLink) }
    return (inode, file)
  }

  private func plan(
    _ parent: InodeNumber, _ name: ObjectKey, _ newParent: InodeNumber, _ newName: ObjectKey, _ options: RenameOptions,
    _ tree: Tree
  ) throws(FileSystemError) -> Move {
    let (inode, file) = try movable(parent, name, tree)
    let (store, key) = try location(of: inode, in: tree)
    let (newStore, directory) = try location(of: newParent, in: tree)
    guard store.name == newStore.name else { throw FileSystemError(.improperLink) }
    try checkWritable(inode, in: tree)
    guard !isControl(newParent, newName, tree) else { throw FileSystemError(.fileExists) }
    let newKey = ObjectKey(directory == store.prefix ? "\(directory)\(newName)" : "\(directory)/\(newName)")
    var move = Move(
      inode: inode, parent: parent, newParent: newParent, store: store, key: key, newKey: newKey, file: file)
    if let target = try tree.directory(newParent).children[newName] {
      guard !options.contains(.noReplace) else { throw FileSystemError(.fileExists) }
      guard let replaced = try tree.node(target).file else { throw FileSystemError(.isDirectory) }
      move.replaced = replaced
    }
    return move
  }

  /// Copies the object within the service and removes the old one, which is not given up when the caller is.
  private func moveObject(_ object: ObjectInfo, _ move: Move) async throws(FileSystemError) -> ObjectInfo {
    let store = move.store.objects
    let moved: ObjectInfo
    do throws(FileSystemError) {
      moved = try await storeWork {
        try await ObjectCopier(budget: transferBudget).copy(object, from: store, to: store, as: move.newKey)
      }
    } catch {
      // The answer to a copy that was done may have been lost.
      distrustListing(of: move.newParent)
      throw error
    }
    let removal = await Task { try await store.delete(move.key) }.result
    if case .failure(let error) = removal {
      distrustListing(of: move.parent)
      distrustListing(of: move.newParent)
      throw FileSystemError(
        FileSystemError(error).errno,
        "\(move.key) was copied to \(move.newKey), but could not be removed, so both are there: \(error)")
    }
    return moved
  }

  private func finish(
    _ move: Move, as moved: ObjectInfo?, _ newName: ObjectKey, _ state: inout State
  ) {
    guard let node = state.tree.nodes[move.inode] else { return }
    noteRemoved(move.key, from: node.parent, &state)
    state.tree.move(move.inode, to: move.newParent, newName)
    if let moved {
      state.tree.updateFile(move.inode) { file in
        // The bytes are the same: what the page cache holds of them stays right.
        let isCached = file.isCached
        file.object = moved
        file.isCached = isCached
      }
    }
    state.tree.touch(move.inode)
  }
}
