// Drives the file system as a kernel would, by paths instead of inode numbers.

import Glibc
import ObjectStore
import Synchronization
import SystemPackage

@testable import BackupFileSystem

/// A file system over stores in memory, with what the tests steer.
struct TestMount: Sendable {
  let system: BackupFileSystem
  let caller = Caller(thread: 100, user: 0, group: 0)

  /// Processes: every thread is a process of its own unless told otherwise; `openElsewhere` plays /proc/<pid>/fd.
  init(
    _ stores: [(name: String, objects: any ObjectStore)], lifetime: Double = 3600, openElsewhere: Bool = false,
    controls: any ControlFiles = NoControlFiles(), writeBytes: Int = 64 << 20, journalDirectory: FilePath? = nil,
    isRunning: @escaping @Sendable (Int32) -> Bool = { _ in true }
  ) {
    var settings = FileSystemSettings(owner: 1000, group: 1000)
    settings.listingLifetime = lifetime
    settings.writeBytes = writeBytes
    settings.writePatience = 0.2
    settings.journalDirectory = journalDirectory
    self.init(
      stores: stores.map { MountedStore(name: $0.name, objects: $0.objects, root: "backup") }, settings: settings,
      openElsewhere: openElsewhere, controls: controls, isRunning: isRunning)
  }

  init(
    stores: [MountedStore], settings: FileSystemSettings = FileSystemSettings(owner: 1000, group: 1000),
    openElsewhere: Bool = false, controls: any ControlFiles = NoControlFiles(),
    isRunning: @escaping @Sendable (Int32) -> Bool = { _ in true }
  ) {
    system = BackupFileSystem(
      stores: stores, settings: settings, controls: controls,
      inspector: ProcessInspector(process: { $0 }, hasOpen: { _, _ in openElsewhere }, isRunning: isRunning))
  }

  func inode(_ path: String) async throws(FileSystemError) -> InodeNumber {
    var current: InodeNumber = 1
    for name in path.split(separator: "/") {
      current = try await system.lookup(current, String(name), caller: caller).value().attributes.inode
    }
    return current
  }

  func attributes(_ path: String) async throws(FileSystemError) -> Attributes {
    try await system.attributes(try await inode(path)).value().attributes
  }

  func list(_ path: String) async throws(FileSystemError) -> [String] {
    let handle = try await system.openDirectory(try await inode(path), caller: caller).value()
    defer { system.releaseDirectory(handle) }
    return try system.readDirectory(handle).entries.map(\.name)
  }

  func create(_ path: String, options: OpenOptions = [.write]) async throws(FileSystemError) -> FileHandle {
    let (parent, name) = split(path)
    return try await system.create(
      try await inode(parent), name, permissions: 0o644, options: options, caller: caller
    ).value().opened.handle
  }

  func open(_ path: String, _ options: OpenOptions = [.read]) async throws(FileSystemError) -> FileHandle {
    try await system.open(try await inode(path), options: options, caller: caller).value().handle
  }

  func write(
    _ handle: FileHandle, _ bytes: [UInt8], at offset: Int64 = 0, thread: Int32 = 100
  ) async throws(FileSystemError) {
    let caller = Caller(thread: thread, user: 0, group: 0)
    var done = 0
    while done < bytes.count {
      let piece = min(1 << 20, bytes.count - done)
      done += try await bytes[done..<done + piece].withUnsafeBufferPointer { (bytes) throws(FileSystemError) in
        try system.write(handle, offset: offset + Int64(done), UnsafeRawBufferPointer(bytes), caller: caller)
      }.value()
    }
  }

  func flush(_ handle: FileHandle, thread: Int32 = 100, killed: Bool = false) async throws(FileSystemError) {
    try await system.flush(handle, caller: Caller(thread: thread, user: 0, group: 0), writerWasKilled: killed).value()
  }

  /// Has all listings read again at their next use.
  func refresh() {
    system.state.withLock { state in for scope in state.scopes.keys { state.scopes[scope]?.listedAt = nil } }
  }

  func release(_ handle: FileHandle) async { try? await system.release(handle).value() }

  /// open, write, close.
  func save(_ path: String, _ bytes: [UInt8]) async throws(FileSystemError) {
    let handle = try await create(path)
    try await write(handle, bytes)
    try await flush(handle)
    await release(handle)
  }

  func read(_ path: String, pieces: Int = 128 << 10) async throws(FileSystemError) -> [UInt8] {
    let handle = try await open(path)
    var bytes: [UInt8] = []
    while true {
      let piece = try await system.read(handle, offset: Int64(bytes.count), count: pieces).value()
      if piece.isEmpty { break }
      bytes += piece
    }
    await release(handle)
    return bytes
  }

  /// What `cp` does for one file.
  func copy(
    _ source: String, _ target: String, options: OpenOptions = [.write]
  ) async throws(FileSystemError) {
    let size = try await attributes(source).size
    let from = try await open(source)
    let to = try await create(target, options: options)
    var offset: Int64 = 0
    var failure: FileSystemError?
    do throws(FileSystemError) {
      while offset < size {
        let moved = try await system.copyRange(
          from: from, offset: offset, to: to, offset: offset, count: size - offset, caller: caller
        ).value()
        guard moved > 0 else { throw FileSystemError(.ioError, "0 bytes in mid-file: cp would take it for the end") }
        offset += Int64(moved)
      }
      try await flush(to)
    } catch {
      failure = error
    }
    await release(to)
    await release(from)
    if let failure { throw failure }
  }

  /// Walks and copies like `cp -r`; `stop` is asked after each file, with their number.
  func copyTree(
    _ from: String, _ to: String, stop: (Int) async throws -> Bool = { _ in false }
  ) async throws {
    var count = 0
    func walk(_ from: String, _ to: String) async throws -> Bool {
      try await mkdir(to)
      for name in try await list(from) {
        if try await attributes("\(from)/\(name)").kind == .directory {
          if try await walk("\(from)/\(name)", "\(to)/\(name)") { return true }
        } else {
          try await copy("\(from)/\(name)", "\(to)/\(name)", options: [.write, .exclusive])
          count += 1
          if try await stop(count) { return true }
        }
      }
      return false
    }
    _ = try await walk(from, to)
  }

  func mkdir(_ path: String) async throws(FileSystemError) {
    let (parent, name) = split(path)
    _ = try await system.makeDirectory(try await inode(parent), name, permissions: 0o755, caller: caller).value()
  }

  func rmdir(_ path: String) async throws(FileSystemError) {
    let (parent, name) = split(path)
    try await system.removeDirectory(try await inode(parent), name).value()
  }

  func unlink(_ path: String) async throws(FileSystemError) {
    let (parent, name) = split(path)
    try await system.unlink(try await inode(parent), name).value()
  }

  func rename(_ path: String, _ newPath: String, _ options: RenameOptions = []) async throws(FileSystemError) {
    let (parent, name) = split(path)
    let (newParent, newName) = split(newPath)
    try await system.rename(
      try await inode(parent), name, to: try await inode(newParent), newName, options: options
    ).value()
  }

  private func split(_ path: String) -> (parent: String, name: String) {
    let parts = path.split(separator: "/")
    return (parts.dropLast().joined(separator: "/"), String(parts.last ?? ""))
  }
}

/// The errno that some work fails with; nil when it does not fail.
func errno(_ work: () async throws -> Void) async -> Errno? {
  do {
    try await work()
    return nil
  } catch {
    return (error as? FileSystemError)?.errno
  }
}

/// Bytes that differ from block to block and between sizes.
func pattern(_ count: Int) -> [UInt8] {
  let block = (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 5 &+ count) }
  var bytes: [UInt8] = []
  bytes.reserveCapacity(count + block.count)
  while bytes.count < count {
    let begin = bytes.count
    bytes.append(contentsOf: block)
    withUnsafeBytes(of: begin.bigEndian) { bytes.replaceSubrange(begin..<begin + 8, with: $0) }
  }
  bytes.removeLast(bytes.count - count)
  return bytes
}

// The standard library compares arrays element by element, which takes seconds for megabytes in a debug build.

func == (lhs: [UInt8], rhs: [UInt8]) -> Bool { lhs[...] == rhs[...] }

func == (lhs: [UInt8]?, rhs: [UInt8]) -> Bool { lhs.map { $0 == rhs } ?? false }

func == (lhs: ArraySlice<UInt8>, rhs: ArraySlice<UInt8>) -> Bool {
  lhs.withUnsafeBytes { left in
    rhs.withUnsafeBytes { right in
      left.count == right.count && (left.isEmpty || memcmp(left.baseAddress!, right.baseAddress!, left.count) == 0)
    }
  }
}
