// A file system in memory that counts what it is asked and can be told to misbehave.

import BackupFileSystem
import Glibc
import Synchronization
import SystemPackage

/// Files and directories in memory. The names of files choose their behaviour: see `Behaviour`.
final class MemoryFileSystem: FileSystem {
  /// How a file behaves, by the beginning of its name. One with "direct" in its name bypasses the page cache, too.
  enum Behaviour: String, CaseIterable {
    /// Reads never end until they are cancelled.
    case hang
    /// Reads wait for `letGo` and heed no cancellation.
    case stubborn
    /// Writes are EINVAL.
    case control
    /// Reads are EIO.
    case broken
    /// The release waits for `letGo` and heeds no cancellation.
    case lingering
  }

  struct Node: Sendable {
    var attributes: Attributes
    var parent: InodeNumber
    var contents: [UInt8] = []
    /// In order of making.
    var children: [(name: String, inode: InodeNumber)] = []
  }

  /// A flush as it arrived.
  struct Flush: Equatable, Sendable {
    var name: String
    var writerWasKilled: Bool
  }

  struct State: Sendable {
    var nodes: [InodeNumber: Node] = [:]
    var lastInode: InodeNumber = 1
    var handles: [FileHandle: InodeNumber] = [:]
    var listings: [FileHandle: DirectorySnapshot] = [:]
    var lastHandle: FileHandle = 0
    var references: [InodeNumber: Int] = [:]
    var calls: [String: Int] = [:]
    var flushes: [Flush] = []
    var copies: [Int64] = []
    var openOptions: [OpenOptions] = []
    var renameOptions: [RenameOptions] = []
    var cancelled = 0
    var releasedTwice = 0
    var releasesEnded = 0
    var releasesCancelled = 0
    var remembered = 0
    var hasLetGo = false
  }

  let state = Mutex(State())
  let timeToLive: Double
  /// Everything that can be answered late is.
  let answersLate: Bool

  init(answersLate: Bool = false, timeToLive: Double = 1) {
    self.answersLate = answersLate
    self.timeToLive = timeToLive
    state.withLock { state in
      state.nodes[1] = Node(attributes: Self.newAttributes(1, .directory, 0o755, Self.owner), parent: 1)
    }
  }

  static let owner = Caller(thread: 0, user: geteuid(), group: getegid())

  // MARK: What tests ask

  /// A copy of everything it knows and has counted.
  var recorded: State { state.withLock { $0 } }
  func calls(_ name: String) -> Int { state.withLock { $0.calls[name] ?? 0 } }
  func letGo() { state.withLock { $0.hasLetGo = true } }
  /// References that the kernel holds, without the root's, which it never takes by a lookup.
  var referenced: [InodeNumber: Int] { state.withLock { $0.references.filter { $0.key != 1 && $0.value != 0 } } }
  var openHandles: Int { state.withLock { $0.handles.count + $0.listings.count } }

  @discardableResult
  func add(_ name: String, to parent: InodeNumber = 1, kind: FileKind = .file, contents: [UInt8] = []) -> InodeNumber {
    state.withLock { state in
      let permissions: UInt16 = kind == .directory ? 0o755 : 0o644
      let inode = state.insert(name, parent, kind, permissions, Self.owner)
      state.nodes[inode]?.contents = contents
      state.nodes[inode]?.attributes.size = Int64(contents.count)
      return inode
    }
  }

  func contents(of name: String, in parent: InodeNumber = 1) -> [UInt8]? {
    state.withLock { state in (try? state.child(parent, name)).flatMap { state.nodes[$0]?.contents } }
  }

  // MARK: What the extensions need

  /// Counts a call and answers it, now or later.
  func answer<Value: Sendable>(_ name: String, _ body: (inout State) throws(FileSystemError) -> Value)
    throws(FileSystemError) -> Answer<Value>
  {
    let value = try counted(name, body)
    guard answersLate else { return .ready(value) }
    return .pending { () async throws(FileSystemError) in
      await Task.yield()
      return value
    }
  }

  func counted<Value>(_ name: String, _ body: (inout State) throws(FileSystemError) -> Value)
    throws(FileSystemError) -> Value
  {
    let result = state.withLock { state -> Result<Value, FileSystemError> in
      state.calls[name, default: 0] += 1
      do throws(FileSystemError) {
        return .success(try body(&state))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Waits until the task is cancelled.
  func waitForCancellation() async throws(FileSystemError) {
    while !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
    state.withLock { $0.cancelled += 1 }
    throw FileSystemError(.interrupted, "the operation was cancelled")
  }

  /// Waits for `letGo`, cancelled or not.
  func waitToBeLetGo() async {
    while !state.withLock({ $0.hasLetGo }) {
      // A cancelled task does not sleep.
      await Task { try? await Task.sleep(for: .milliseconds(5)) }.value
    }
  }

  static func newAttributes(_ inode: InodeNumber, _ kind: FileKind, _ permissions: UInt16, _ caller: Caller)
    -> Attributes
  {
    Attributes(
      inode: inode, kind: kind, size: 0, permissions: permissions, owner: caller.user, group: caller.group,
      modified: Timestamp(seconds: 1_600_000_000, nanoseconds: 123_456_789))
  }
}

extension MemoryFileSystem.State {
  func node(_ inode: InodeNumber) throws(FileSystemError) -> MemoryFileSystem.Node {
    guard let node = nodes[inode] else { throw FileSystemError(.staleNFSFileHandle, "inode \(inode) is gone") }
    return node
  }

  func child(_ parent: InodeNumber, _ name: String) throws(FileSystemError) -> InodeNumber {
    guard let child = try node(parent).children.first(where: { $0.name == name }) else {
      throw FileSystemError(.noSuchFileOrDirectory, "there is no \(name)")
    }
    return child.inode
  }

  mutating func insert(
    _ name: String, _ parent: InodeNumber, _ kind: FileKind, _ permissions: UInt16, _ caller: Caller
  ) -> InodeNumber {
    lastInode += 1
    let attributes = MemoryFileSystem.newAttributes(lastInode, kind, permissions, caller)
    nodes[lastInode] = MemoryFileSystem.Node(attributes: attributes, parent: parent)
    nodes[parent]?.children.append((name, lastInode))
    return lastInode
  }

  mutating func openFile(_ handle: FileHandle) throws(FileSystemError) -> MemoryFileSystem.Node {
    guard let inode = handles[handle] else { throw FileSystemError(.badFileDescriptor, "handle \(handle)") }
    return try node(inode)
  }

  func name(of inode: InodeNumber) -> String {
    guard let node = nodes[inode], let parent = nodes[node.parent] else { return "" }
    return parent.children.first { $0.inode == inode }?.name ?? ""
  }

  func behaviour(of inode: InodeNumber) -> MemoryFileSystem.Behaviour? {
    let name = name(of: inode)
    return MemoryFileSystem.Behaviour.allCases.first { name.hasPrefix($0.rawValue) }
  }
}
