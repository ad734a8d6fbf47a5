// Open files of the file system in memory.

import BackupFileSystem
import Synchronization
import SystemPackage

extension MemoryFileSystem {
  func create(_ parent: InodeNumber, _ name: String, permissions: UInt16, options: OpenOptions, caller: Caller)
    throws(FileSystemError) -> Answer<CreatedFile>
  {
    try answer("create") { state throws(FileSystemError) in
      state.openOptions.append(options)
      if (try? state.child(parent, name)) != nil { throw FileSystemError(.fileExists, "\(name) exists") }
      let inode = state.insert(name, parent, .file, permissions, caller)
      state.references[inode, default: 0] += 1
      let entry = Entry(attributes: try state.node(inode).attributes, timeToLive: timeToLive)
      return CreatedFile(entry: entry, opened: state.open(inode))
    }
  }

  func open(_ inode: InodeNumber, options: OpenOptions, caller: Caller) throws(FileSystemError) -> Answer<OpenedFile> {
    try answer("open") { state throws(FileSystemError) in
      _ = try state.node(inode)
      state.openOptions.append(options)
      if options.contains(.truncate), state.behaviour(of: inode) != .control {
        state.nodes[inode]?.contents = []
        state.nodes[inode]?.attributes.size = 0
      }
      return state.open(inode)
    }
  }

  func read(_ handle: FileHandle, offset: Int64, count: Int) throws(FileSystemError) -> Answer<ArraySlice<UInt8>> {
    let behaviour = state.withLock { state in state.handles[handle].flatMap { state.behaviour(of: $0) } }
    switch behaviour {
    case .hang:
      _ = try counted("read") { _ throws(FileSystemError) in }
      return .pending { [self] () async throws(FileSystemError) in
        try await waitForCancellation()
        return []
      }
    case .stubborn:
      let bytes = try counted("read") { state throws(FileSystemError) in try state.openFile(handle).contents[...] }
      return .pending { [self] in
        await waitToBeLetGo()
        return bytes.dropFirst(Int(offset)).prefix(count)
      }
    case .broken:
      throw FileSystemError(.ioError, "the store is down")
    default:
      return try answer("read") { state throws(FileSystemError) in
        let contents = try state.openFile(handle).contents
        let start = min(Int(offset), contents.count)
        return contents[start..<min(start + count, contents.count)]
      }
    }
  }

  func write(_ handle: FileHandle, offset: Int64, _ bytes: UnsafeRawBufferPointer, caller: Caller)
    throws(FileSystemError) -> Answer<Int>
  {
    try answer("write") { state throws(FileSystemError) in
      guard let inode = state.handles[handle] else { throw FileSystemError(.badFileDescriptor) }
      guard state.behaviour(of: inode) != .control else { throw FileSystemError(.invalidArgument, "no such command") }
      state.put(Array(bytes), at: Int(offset), in: inode)
      return bytes.count
    }
  }

  func copyRange(
    from source: FileHandle, offset: Int64, to target: FileHandle, offset targetOffset: Int64, count: Int64,
    caller: Caller
  )
    throws(FileSystemError) -> Answer<Int>
  {
    try answer("copyRange") { state throws(FileSystemError) in
      state.copies.append(count)
      let contents = try state.openFile(source).contents
      guard let inode = state.handles[target] else { throw FileSystemError(.badFileDescriptor) }
      let start = min(Int(offset), contents.count)
      let bytes = contents[start..<min(start + Int(count), contents.count)]
      state.put(Array(bytes), at: Int(targetOffset), in: inode)
      return bytes.count
    }
  }

  func flush(_ handle: FileHandle, caller: Caller, writerWasKilled: Bool) throws(FileSystemError) -> Answer<Void> {
    try answer("flush") { state throws(FileSystemError) in
      guard let inode = state.handles[handle] else { throw FileSystemError(.badFileDescriptor) }
      state.flushes.append(Flush(name: state.name(of: inode), writerWasKilled: writerWasKilled))
    }
  }

  func synchronizeDirectory(_ inode: InodeNumber) throws(FileSystemError) -> Answer<Void> {
    try answer("synchronizeDirectory") { _ throws(FileSystemError) in }
  }

  func synchronize(_ handle: FileHandle) throws(FileSystemError) -> Answer<Void> {
    try answer("synchronize") { _ throws(FileSystemError) in }
  }

  func release(_ handle: FileHandle) -> Answer<Void> {
    let behaviour = state.withLock { state -> Behaviour? in
      state.calls["release", default: 0] += 1
      guard let inode = state.handles.removeValue(forKey: handle) else {
        state.releasedTwice += 1
        return nil
      }
      return state.behaviour(of: inode)
    }
    guard behaviour == .lingering else { return .ready(()) }
    return .pending { [self] in
      await waitToBeLetGo()
      let isCancelled = Task.isCancelled
      state.withLock { state in
        state.releasesEnded += 1
        if isCancelled { state.releasesCancelled += 1 }
      }
    }
  }
}

extension MemoryFileSystem.State {
  mutating func open(_ inode: InodeNumber) -> OpenedFile {
    lastHandle += 1
    handles[lastHandle] = inode
    return OpenedFile(handle: lastHandle, usesDirectIO: name(of: inode).contains("direct"))
  }

  mutating func put(_ bytes: [UInt8], at offset: Int, in inode: InodeNumber) {
    guard var node = nodes.removeValue(forKey: inode) else { return }
    let end = offset + bytes.count
    if node.contents.count < end { node.contents += [UInt8](repeating: 0, count: end - node.contents.count) }
    node.contents.replaceSubrange(offset..<end, with: bytes)
    node.attributes.size = Int64(node.contents.count)
    nodes[inode] = node
  }
}
