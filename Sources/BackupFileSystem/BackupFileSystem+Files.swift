// Opening, reading, writing and closing files.

import ObjectStore
import Synchronization
import SystemPackage

extension BackupFileSystem {
  public func create(
    _ parent: InodeNumber, _ name: String, permissions: UInt16, options: OpenOptions, caller: Caller
  ) throws(FileSystemError) -> Answer<CreatedFile> {
    try checkNewName(name)
    return try answer(in: parent, by: caller.thread) { (state) throws(FileSystemError) in
      let key = ObjectKey(name)
      try self.checkWritable(parent, in: state.tree)
      guard try state.tree.directory(parent).children[key] == nil else {
        // Somebody made it since the kernel looked: whoever did not insist on a new file is to look again.
        throw FileSystemError(options.contains(.exclusive) ? .fileExists : .staleNFSFileHandle)
      }
      let inode = state.tree.add(parent, key, .file(Node.File()))
      state.tree.touch(inode)
      let session = try self.writer(
        of: inode, contents: [], isNew: true, condition: options.contains(.exclusive) ? .absent : .none, caller: caller,
        state.tree)
      state.tree.updateFile(inode) { $0.writer = session }
      state.tree.remember(inode)
      let handle = self.open(.writer(session), &state)
      return CreatedFile(entry: try self.entry(of: inode, in: state), opened: OpenedFile(handle: handle))
    }
  }

  public func open(
    _ inode: InodeNumber, options: OpenOptions, caller: Caller
  ) throws(FileSystemError) -> Answer<OpenedFile> {
    if let behind, behind.pending(inode) != nil {
      return .pending { () async throws(FileSystemError) in
        try await behind.settle(inode)
        return try await self.open(inode, options: options, caller: caller).value()
      }
    }
    let node = try state.withLock { (state) throws(FileSystemError) in try state.tree.node(inode) }
    switch node.content {
    case .directory:
      throw FileSystemError(.isDirectory)
    case .control(let target):
      guard target.isWritable || !options.contains(.write) else { throw FileSystemError(.permissionDenied) }
      let text = Array(self.text(of: target).utf8)
      let handle = state.withLock { open(.control(target, text: text, lines: ControlLines()), &$0) }
      return .ready(OpenedFile(handle: handle, usesDirectIO: true))
    case .file(let file):
      // The kernel knows the name for up to a second longer than the tree does: of an unclear publication by a killed
      // writer, or of an object removed elsewhere. On ESTALE it looks the name up anew and finds what there is.
      guard node.isLinked else { throw FileSystemError(.staleNFSFileHandle) }
      return options.contains(.write)
        ? try openForWriting(inode, file, options: options, caller: caller)
        : .ready(try openForReading(inode, by: caller.thread))
    }
  }

  private func openForReading(_ inode: InodeNumber, by thread: Int32) throws(FileSystemError) -> OpenedFile {
    try state.withLock { (state) throws(FileSystemError) in
      let (store, key) = try location(of: inode, in: state.tree)
      guard let file = state.tree.nodes[inode]?.file, let object = file.object else {
        throw FileSystemError(.resourceBusy, "\(key) is being written: it can be read when its writer has closed it")
      }
      let session =
        readAhead.take(inode, version: object.etag, by: thread)
        ?? ReadSession(inode: inode, object: object, store: store.objects, thread: thread, budget: readBudget)
      state.tree.updateFile(inode) { $0.isCached = true }
      return OpenedFile(
        handle: open(.reader(session), &state), keepsCache: file.isCached, skipsFlush: true)
    }
  }

  private func openForWriting(
    _ inode: InodeNumber, _ file: Node.File, options: OpenOptions, caller: Caller
  ) throws(FileSystemError) -> Answer<OpenedFile> {
    if let writer = file.writer, !writer.isIdle {
      throw FileSystemError(.resourceBusy, "\(writer.key) is being written already")
    }
    guard let object = file.object, object.size > 0, !options.contains(.truncate) else {
      return .ready(try startWriting(inode, contents: [], isNew: options.contains(.truncate), caller: caller))
    }
    guard object.size <= WriteBody.memoryLimit else {
      throw FileSystemError(
        .notSupported,
        "\(object.key) has \(object.size) bytes; files above \(WriteBody.memoryLimit >> 20) MiB can only be replaced whole"
      )
    }
    let store = try state.withLock { (state) throws(FileSystemError) in
      try writableLocation(of: inode, in: state.tree).0.objects
    }
    return .pending { () async throws(FileSystemError) in
      let content = try await storeWork { try await store.get(object.key, range: nil, version: object.etag) }
      return try self.startWriting(inode, contents: content.bytes, isNew: false, caller: caller)
    }
  }

  private func startWriting(
    _ inode: InodeNumber, contents: [UInt8], isNew: Bool, caller: Caller
  ) throws(FileSystemError) -> OpenedFile {
    try state.withLock { (state) throws(FileSystemError) in
      if let writer = state.tree.nodes[inode]?.file?.writer, !writer.isIdle {
        throw FileSystemError(.resourceBusy, "\(writer.key) is being written already")
      }
      let session = try writer(
        of: inode, contents: contents, isNew: isNew, condition: .none, caller: caller, state.tree)
      state.tree.updateFile(inode) { file in
        file.writer = session
        file.isCached = false
      }
      state.tree.touch(inode)
      return OpenedFile(handle: open(.writer(session), &state))
    }
  }

  private func writer(
    of inode: InodeNumber, contents: [UInt8], isNew: Bool, condition: WriteCondition, caller: Caller, _ tree: Tree
  ) throws(FileSystemError) -> WriteSession {
    let (store, key) = try writableLocation(of: inode, in: tree)
    var later: (@Sendable (WriteSession) -> Void)?
    if let behind { later = { behind.begin($0, path: $0.pathSuffix) } }
    return WriteSession(
      inode: inode, key: key, store: store.objects, thread: caller.thread, opener: inspector.process(caller.thread),
      contents: contents, isNew: isNew, condition: condition,
      environment: WriteSession.Environment(
        pathSuffix: { Self.pathSuffix(of: $0, in: store) },
        budget: transferBudget, memory: memoryBudget, memoryPatience: settings.writePatience,
        copier: ObjectCopier(budget: transferBudget),
        inspector: inspector, gauges: gauges,
        claim: { [aheads] (key, object) throws(FileSystemError) in try aheads.claim(key, object, in: store.name) },
        take: { [aheads] in aheads.take($0, $1, in: store.name) }, behind: later,
        published: { [weak self] in self?.published($0, $1) }))
  }

  /// How the path of a file ends, wherever it is mounted.
  static func pathSuffix(of key: ObjectKey, in store: MountedStore) -> String {
    "/\(store.name)/\(key.droppingFirst(store.prefix.byteCount))"
  }

  public func read(
    _ handle: FileHandle, offset: Int64, count: Int
  ) throws(FileSystemError) -> Answer<ArraySlice<UInt8>> {
    switch try self.handle(handle) {
    case .reader(let session):
      if offset == 0 { fetchAhead(of: session) }
      return noticingChanges(of: session.inode, try session.read(offset: offset, count: count))
    case .writer(let session): return try session.read(offset: offset, count: count)
    case .control(_, let text, _):
      let begin = Int(min(max(0, offset), Int64(text.count)))
      return .ready(text[begin..<min(begin + count, text.count)])
    case .directory: throw FileSystemError(.isDirectory)
    }
  }

  /// A file that turns out to be another than its listing said has the listing read again: who opens it anew shall find what
  /// is there, however long the listing would have been believed.
  private func noticingChanges<Value: Sendable>(of inode: InodeNumber, _ answer: Answer<Value>) -> Answer<Value> {
    guard case .pending(let work) = answer else { return answer }
    return .pending { () async throws(FileSystemError) in
      do throws(FileSystemError) {
        return try await work()
      } catch {
        if error.errno == .staleNFSFileHandle { self.published(inode, nil) }
        throw error
      }
    }
  }

  /// A file is being read from its beginning: fetches those that its reader is expected to read next.
  private func fetchAhead(of session: ReadSession) {
    let begun = state.withLock { state -> [ReadSession] in
      guard isListedAround(session.inode, in: state) else { return [] }
      let isListing = { directory in self.isStillToBeListed(directory, in: state) }
      return readAhead.reads(session.inode, by: session.thread, in: state.tree, waitsAt: isListing) { file in
        ReadSession(
          inode: file.inode, object: file.object, store: session.store, thread: session.thread, budget: readBudget)
      }
    }
    for next in begun { next.prefetch() }
  }

  public func write(
    _ handle: FileHandle, offset: Int64, _ bytes: UnsafeRawBufferPointer, caller: Caller
  ) throws(FileSystemError) -> Answer<Int> {
    switch try self.handle(handle) {
    case .writer(let session): return try session.write(bytes, at: offset, by: caller.thread)
    case .control(let target, let text, var lines):
      let complete = try lines.append(bytes)
      let count = bytes.count
      state.withLock { $0.handles[handle] = .control(target, text: text, lines: lines) }
      guard !complete.isEmpty else { return .ready(count) }
      return .pending { () async throws(FileSystemError) in
        for line in complete { try await self.submit(line, to: target) }
        return count
      }
    default: throw FileSystemError(.badFileDescriptor)
    }
  }

  public func copyRange(
    from source: FileHandle, offset: Int64, to target: FileHandle, offset targetOffset: Int64, count: Int64,
    caller: Caller
  ) throws(FileSystemError) -> Answer<Int> {
    guard case .reader(let reader) = try handle(source), case .writer(let writer) = try handle(target) else {
      // Not between two files of objects: the caller reads and writes instead.
      throw FileSystemError(.invalidArgument)
    }
    writer.noteWriter(caller.thread)
    if offset == 0, targetOffset == 0, count >= reader.object.size { helpCopier(of: reader, into: writer) }
    if let taken = writer.takeCopy(from: reader, offset: offset, count: count, to: targetOffset) {
      return .ready(taken)
    }
    return noticingChanges(
      of: reader.inode,
      .pending { () async throws(FileSystemError) in
        try await writer.copy(from: reader, offset: offset, count: count, to: targetOffset)
      })
  }

  public func flush(
    _ handle: FileHandle, caller: Caller, writerWasKilled: Bool
  ) throws(FileSystemError) -> Answer<Void> {
    switch try self.handle(handle) {
    case .writer(let session):
      if !writerWasKilled, session.flushAtOnce(by: caller.thread) { return .ready(()) }
      return .pending { () async throws(FileSystemError) in
        try await session.flush(caller: caller, writerWasKilled: writerWasKilled)
      }
    case .control(let target, let text, var lines):
      guard let rest = lines.takeRest(), !writerWasKilled else { return .ready(()) }
      state.withLock { $0.handles[handle] = .control(target, text: text, lines: lines) }
      return .pending { () async throws(FileSystemError) in try await self.submit(rest, to: target) }
    default: return .ready(())
    }
  }

  public func synchronize(_ handle: FileHandle) throws(FileSystemError) -> Answer<Void> {
    guard case .writer(let session) = try self.handle(handle) else { return .ready(()) }
    return .pending { () async throws(FileSystemError) in try await session.synchronize() }
  }

  public func synchronizeDirectory(_ inode: InodeNumber) throws(FileSystemError) -> Answer<Void> {
    guard let behind else { return .ready(()) }
    let path = try state.withLock { (state) throws(FileSystemError) in
      guard inode != Tree.root else { return "/" }
      let (store, key) = try location(of: inode, in: state.tree)
      return key == store.prefix ? "/\(store.name)/" : "\(Self.pathSuffix(of: key, in: store))/"
    }
    return .pending { () async throws(FileSystemError) in try await behind.drain { $0.hasPrefix(path) } }
  }

  /// Waits until all closed files are published. To be called when the mount is gone.
  public func endWriting() async { try? await behind?.drain { _ in true } }

  public func release(_ handle: FileHandle) -> Answer<Void> {
    switch state.withLock({ close(handle, &$0) }) {
    case .reader(let session): session.close()
    case .writer(let session):
      if behind == nil, session.releaseAtOnce() {
        closed(session)
        return .ready(())
      }
      return .pending { () async throws(FileSystemError) in
        defer { self.closed(session) }
        try? await self.behind?.settle(session.inode)
        try await session.release()
      }
    default: break
    }
    return .ready(())
  }

  /// Detaches a session from its file; a file that never reached the store disappears.
  private func closed(_ session: WriteSession) {
    state.withLock { state in
      guard let node = state.tree.nodes[session.inode], node.file?.writer === session else { return }
      state.tree.updateFile(session.inode) { $0.writer = nil }
      state.tree.touch(session.inode)
      if node.file?.object == nil { state.tree.unlink(session.inode) }
    }
  }

  private func handle(_ number: FileHandle) throws(FileSystemError) -> Handle {
    guard let handle = state.withLock({ $0.handles[number] }) else { throw FileSystemError(.badFileDescriptor) }
    return handle
  }
}
