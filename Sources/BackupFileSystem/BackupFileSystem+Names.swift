// Finding, making and removing names.

import ObjectStore
import Synchronization
import SystemPackage

extension BackupFileSystem {
  public func lookup(
    _ parent: InodeNumber, _ name: String, caller: Caller
  ) throws(FileSystemError) -> Answer<Entry> {
    try answer(in: parent, by: caller.thread) { (state) throws(FileSystemError) in
      let inode = try self.child(parent, ObjectKey(name), &state)
      state.tree.remember(inode)
      return try self.entry(of: inode, in: state)
    }
  }

  /// The node of a name; control files answer here though no listing shows them.
  private func child(_ parent: InodeNumber, _ name: ObjectKey, _ state: inout State) throws(FileSystemError)
    -> InodeNumber
  {
    if parent == service.jobs { service.update(&state.tree, jobNames: controls.jobNames) }
    let directory = try state.tree.directory(parent)
    if let inode = directory.children[name] { return inode }
    if parent == Tree.root, name == ServiceDirectory.name { return service.inode }
    guard let target = controlTarget(parent, name, state.tree) else { throw FileSystemError(.noSuchFileOrDirectory) }
    if let inode = state.controlInodes[target] { return inode }
    let inode = state.tree.addHidden(parent, name, .control(target))
    state.controlInodes[target] = inode
    return inode
  }

  /// Whether a control file answers to a name that the directory does not list.
  func isControl(_ parent: InodeNumber, _ name: ObjectKey, _ tree: Tree) -> Bool {
    controlTarget(parent, name, tree) != nil
  }

  private func controlTarget(_ parent: InodeNumber, _ name: ObjectKey, _ tree: Tree) -> ControlTarget? {
    if name == "create", let store = stores[parent] { return .create(store: store.name) }
    guard let node = tree.nodes[parent], let store = stores[node.parent] else { return nil }
    switch name {
    case "restore": return .restore(store: store.name, backup: node.name.string)
    case "verify": return .verify(store: store.name, backup: node.name.string)
    default: return nil
    }
  }

  public func attributes(_ inode: InodeNumber) throws(FileSystemError) -> Answer<TimedAttributes> {
    .ready(try state.withLock { (state) throws(FileSystemError) in try attributes(of: inode, in: state) })
  }

  public func makeDirectory(
    _ parent: InodeNumber, _ name: String, permissions: UInt16, caller: Caller
  ) throws(FileSystemError) -> Answer<Entry> {
    try checkNewName(name)
    return try answer(in: parent, by: caller.thread) { (state) throws(FileSystemError) in
      let key = ObjectKey(name)
      try self.checkWritable(parent, in: state.tree)
      let directory = try state.tree.directory(parent)
      guard directory.children[key] == nil, self.controlTarget(parent, key, state.tree) == nil else {
        throw FileSystemError(.fileExists)
      }
      let inode = state.tree.add(parent, key, .directory(Node.Directory(scope: directory.scope, isLocal: true)))
      if self.stores[parent] != nil {
        state.tree.updateDirectory(inode) { $0.scope = inode }
        self.markFresh(inode, &state)
      }
      state.tree.touch(inode)
      state.tree.remember(inode)
      state.traces.made(inode, by: caller.thread)
      return try self.entry(of: inode, in: state)
    }
  }

  public func removeDirectory(_ parent: InodeNumber, _ name: String) throws(FileSystemError) -> Answer<Void> {
    let found = try answer(in: parent) { (state) throws(FileSystemError) in
      guard let inode = try state.tree.directory(parent).children[ObjectKey(name)] else {
        throw FileSystemError(.noSuchFileOrDirectory)
      }
      try self.checkWritable(parent, in: state.tree)
      return inode
    }
    return .pending { () async throws(FileSystemError) in
      let inode = try await found.value()
      // Whether it is empty is known only from its own listing.
      _ = try await self.answer(in: inode) { (_) throws(FileSystemError) in () }.value()
      let marker = try self.state.withLock { (state) throws(FileSystemError) -> (MountedStore, ObjectKey)? in
        let directory = try state.tree.directory(inode)
        guard directory.children.isEmpty else { throw FileSystemError(.directoryNotEmpty) }
        guard directory.hasMarker else { return nil }
        let (store, key) = try self.location(of: inode, in: state.tree)
        return (store, ObjectKey(key.string + "/"))
      }
      if let (store, key) = marker { try await storeWork { try await store.objects.delete(key) } }
      try self.state.withLock { (state) throws(FileSystemError) in
        guard try state.tree.directory(inode).children.isEmpty else { throw FileSystemError(.directoryNotEmpty) }
        self.remove(inode, &state)
      }
    }
  }

  public func unlink(_ parent: InodeNumber, _ name: String) throws(FileSystemError) -> Answer<Void> {
    let found = try answer(in: parent) { (state) throws(FileSystemError) in
      let inode = try self.child(parent, ObjectKey(name), &state)
      guard let file = try state.tree.node(inode).file else {
        let isDirectory = try state.tree.node(inode).directory != nil
        throw FileSystemError(isDirectory ? .isDirectory : .notPermitted)
      }
      let (store, key) = try self.writableLocation(of: inode, in: state.tree)
      return (inode: inode, file: file, store: store, key: key)
    }
    return .pending { () async throws(FileSystemError) in
      let found = try await found.value()
      // Not to be published after it was removed.
      try await self.behind?.settle(found.inode)
      await found.file.writer?.abandon()
      // A writer may have published between: what the tree says now decides.
      let hasObject = self.state.withLock { $0.tree.nodes[found.inode]?.file?.object != nil }
      if hasObject { try await storeWork { try await found.store.objects.delete(found.key) } }
      self.state.withLock { self.remove(found.inode, &$0) }
    }
  }

  /// Takes a name out of the tree and keeps running listings from bringing it back.
  func remove(_ inode: InodeNumber, _ state: inout State) {
    guard let node = state.tree.nodes[inode] else { return }
    if let (_, key) = try? location(of: inode, in: state.tree) {
      noteRemoved(node.directory == nil ? key : ObjectKey(key.string + "/"), from: node.parent, &state)
    }
    state.tree.unlink(inode)
    if state.scopes[inode]?.running == nil { state.scopes[inode] = nil }
  }

  /// Keeps a running listing from bringing back what is being removed from a directory.
  func noteRemoved(_ key: ObjectKey, from parent: InodeNumber, _ state: inout State) {
    if let scope = state.tree.nodes[parent]?.directory?.scope { state.scopes[scope]?.running?.removed.insert(key) }
    // What was emptied here stays a directory until it is removed here, although the store knows no directories.
    state.tree.updateDirectory(parent) { $0.isLocal = true }
    state.tree.touch(parent)
  }

  /// Refuses names that cannot become part of a key that a listing shows again.
  func checkNewName(_ name: String) throws(FileSystemError) {
    guard name.utf8.count <= Tree.longestName else { throw FileSystemError(.fileNameTooLong) }
    guard Tree.isName(name) else { throw FileSystemError(.invalidArgument) }
  }
}
