// The mount's file system: stores as directories, their backups below, objects as files.
//
// Names and attributes are answered from a tree in memory; a store's backups are listed in one grouped listing, a backup
// in one flat listing, when something in it is asked for and the last listing is older than `Freshness` allows. One lock
// guards the tree and the open handles; nothing waits while holding it, and no session's lock is taken around it.

import Glibc
import ObjectStore
import Synchronization
import SystemPackage

/// Settings of a mount that concern what files look like and how much is kept in memory.
public struct FileSystemSettings: Sendable {
  /// Owner of everything.
  public var owner: UInt32
  /// Group of everything.
  public var group: UInt32
  /// Permission bits of directories.
  public var directoryPermissions: UInt16 = 0o755
  /// Permission bits of files.
  public var filePermissions: UInt16 = 0o644
  /// Seconds for which what a listing showed is believed.
  public var listingLifetime: Double = 1
  /// Bytes that all files opened for reading may keep.
  public var readBytes: Int = 48 << 20
  /// Bytes that all files may have which are kept in memory while they are written; half of it with `writesBehind`,
  /// where closed files keep theirs until they are published, and memory has been measured at twice the budget.
  public var writeBytes: Int = 64 << 20
  /// Seconds without progress after which the first of the writers that wait for such memory takes it nevertheless.
  public var writePatience: Double = 1
  /// Bytes on their way between stores and from writers into stores.
  public var transferBytes: Int = 64 << 20

  /// Whether a close returns before the file is in the store.
  public var writesBehind = false
  /// Told in a sentence of what no request can be told of.
  public var report: @Sendable (String) -> Void = { _ in }

  /// Where it is noted what is moved ahead of copiers; nil keeps from moving anything ahead.
  public var journalDirectory: FilePath?
  /// How often the stores have asked for fewer requests so far, retries that made it good included.
  public var throttles: @Sendable () -> Int = { 0 }

  /// Makes settings for an owner.
  public init(owner: UInt32, group: UInt32) {
    self.owner = owner
    self.group = group
  }
}

/// The file system that shows stores of Milvus backups.
public final class BackupFileSystem: FileSystem {
  /// An open file or directory.
  enum Handle {
    case reader(ReadSession)
    case writer(WriteSession)
    case control(ControlTarget, text: [UInt8], lines: ControlLines)
    case directory(DirectorySnapshot)
  }

  /// When a directory was listed.
  struct Scope {
    var listedAt: ContinuousClock.Instant?
    var duration: Duration = .zero
    var running: RunningListing?
  }

  struct State {
    var tree: Tree
    var scopes: [InodeNumber: Scope] = [:]
    var handles: [FileHandle: Handle] = [:]
    var nextHandle: FileHandle = 1
    var traces = ProcessTraces()
    /// Numbers of the control files that were looked up.
    var controlInodes: [ControlTarget: InodeNumber] = [:]
  }

  let stores: [InodeNumber: MountedStore]
  let settings: FileSystemSettings
  let controls: any ControlFiles
  let inspector: ProcessInspector
  let readBudget: ByteBudget
  let transferBudget: ByteBudget
  let memoryBudget: ByteBudget
  let started: Timestamp
  let service: ServiceDirectory
  let gauges = Gauges()
  let aheads = AheadCopies()
  let readAhead = ReadAhead()
  /// Nil when a close publishes.
  let behind: WriteBehind?
  let state: Mutex<State>

  /// Makes the file system of some stores, whose names must differ.
  public init(
    stores: [MountedStore], settings: FileSystemSettings, controls: any ControlFiles = NoControlFiles(),
    inspector: ProcessInspector = .system
  ) {
    var tree = Tree(stores: stores.map(\.name))
    service = ServiceDirectory(in: &tree)
    var byInode: [InodeNumber: MountedStore] = [:]
    let children = (try? tree.directory(Tree.root).children) ?? [:]
    for store in stores {
      if let inode = children[ObjectKey(store.name)] { byInode[inode] = store }
    }
    self.stores = byInode
    self.settings = settings
    self.controls = controls
    self.inspector = inspector
    readBudget = ByteBudget(capacity: settings.readBytes)
    transferBudget = ByteBudget(capacity: settings.transferBytes)
    memoryBudget = ByteBudget(capacity: settings.writesBehind ? settings.writeBytes / 2 : settings.writeBytes)
    behind = settings.writesBehind ? WriteBehind(throttles: settings.throttles, report: settings.report) : nil
    started = Timestamp.now
    state = Mutex(State(tree: tree))
  }

  public func remember(_ inodes: [InodeNumber]) {
    state.withLock { state in
      for inode in inodes { state.tree.remember(inode) }
    }
  }

  public func forget(_ inode: InodeNumber, count: UInt64) {
    state.withLock { $0.tree.forget(inode, count: count) }
  }

  public func statistics() -> FileSystemStatistics {
    // An object store has no size; a large constant keeps tools that check for room content.
    FileSystemStatistics(
      blockSize: 1 << 20, blocks: 1 << 30, freeBlocks: 1 << 30, files: 1 << 30, longestName: UInt64(Tree.longestName))
  }

  /// The store that a node lies in, with the node's key there.
  func location(of inode: InodeNumber, in tree: Tree) throws(FileSystemError) -> (MountedStore, ObjectKey) {
    let store = try store(of: inode, in: tree)
    return (store, ObjectKey(tree.path(inode, after: store.prefix.string)))
  }

  /// The store that a node lies in, with the node's key there; EROFS when the store is not to be changed.
  func writableLocation(of inode: InodeNumber, in tree: Tree) throws(FileSystemError) -> (MountedStore, ObjectKey) {
    try checkWritable(inode, in: tree)
    return try location(of: inode, in: tree)
  }

  /// Throws EROFS when the store that a node lies in is not to be changed.
  func checkWritable(_ inode: InodeNumber, in tree: Tree) throws(FileSystemError) {
    let store = try store(of: inode, in: tree)
    guard !store.isReadOnly else {
      throw FileSystemError(.readOnlyFileSystem, "the store \(store.name) was mounted read-only")
    }
  }

  private func store(of inode: InodeNumber, in tree: Tree) throws(FileSystemError) -> MountedStore {
    guard let top = tree.store(of: inode), let store = stores[top] else {
      throw FileSystemError(.notPermitted, "stores are made by configuration files, not in the mount")
    }
    return store
  }

  /// Attributes of a node as they are now.
  func attributes(of inode: InodeNumber, in state: State) throws(FileSystemError) -> TimedAttributes {
    let node = try state.tree.node(inode)
    var attributes = Attributes(
      inode: inode, kind: .file, size: 0, permissions: settings.filePermissions, owner: settings.owner,
      group: settings.group, modified: started)
    var timeToLive = settings.listingLifetime
    switch node.content {
    case .directory(let directory):
      attributes.kind = .directory
      attributes.permissions = settings.directoryPermissions
      if inode == service.jobs { timeToLive = 0 }
      if node.changed == 0 { timeToLive = max(timeToLive, remainingLifetime(of: directory.scope, in: state)) }
    case .file(let file):
      if let object = file.object {
        attributes.size = object.size
        attributes.modified = Timestamp(seconds: object.modified)
      }
      if let writer = file.writer, !writer.isIdle { attributes.size = writer.size }
    case .control(let target):
      attributes.size = Int64(text(of: target).utf8.count)
      attributes.permissions = target.isWritable ? settings.filePermissions : settings.filePermissions & 0o444
      attributes.modified = Timestamp.now
      timeToLive = 0
    }
    if let overrides = state.tree.overrides[inode] {
      attributes.permissions = overrides.permissions ?? attributes.permissions
      attributes.owner = overrides.owner ?? attributes.owner
      attributes.group = overrides.group ?? attributes.group
      attributes.modified = overrides.modified ?? attributes.modified
    }
    return TimedAttributes(attributes: attributes, timeToLive: timeToLive)
  }

  /// The entry of a node.
  func entry(of inode: InodeNumber, in state: State) throws(FileSystemError) -> Entry {
    let timed = try attributes(of: inode, in: state)
    return Entry(attributes: timed.attributes, timeToLive: timed.timeToLive)
  }

  /// The object that a writer has published becomes the file's; an unknown outcome makes the listing stale.
  func published(_ inode: InodeNumber, _ object: ObjectInfo?) {
    state.withLock { state in
      if let object {
        state.tree.updateFile(inode) { $0.object = object }
        state.tree.touch(inode)
      } else if let parent = state.tree.nodes.parent(of: inode) {
        distrustListing(of: parent, &state)
      }
    }
  }

  /// Has the listing of a directory read again before anything in it is told.
  func distrustListing(of directory: InodeNumber) { state.withLock { distrustListing(of: directory, &$0) } }

  private func distrustListing(of directory: InodeNumber, _ state: inout State) {
    guard let scope = state.tree.nodes[directory]?.directory?.scope else { return }
    state.scopes[scope]?.listedAt = nil
  }
}

extension Timestamp {
  /// The present moment.
  static var now: Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
  }
}
