// Requests about open directories. Offsets in a listing: 0 is the beginning, 1 is after `.`, 2 after `..`, and 2 + n
// after the n-th entry.

import BackupFileSystem
import CFUSE
import Glibc
import SystemPackage

extension Dispatcher {
  func openDirectory(_ reply: consuming Reply, _ inode: InodeNumber) {
    let caller = reply.caller
    serve(reply) { () throws(FileSystemError) in
      try fileSystem.openDirectory(inode, caller: caller)
    } answer: { dispatcher, reply, handle in
      dispatcher.handles.insertDirectory(handle)
      if !reply.openedDirectory(handle) { dispatcher.releaseDirectory(handle) }
    }
  }

  func synchronizeDirectory(_ reply: consuming Reply, _ inode: InodeNumber) {
    serve(reply) { () throws(FileSystemError) in
      try fileSystem.synchronizeDirectory(inode)
    } answer: { _, reply, _ in
      reply.done()
    }
  }

  func releaseDirectory(_ reply: consuming Reply, _ handle: FileHandle) {
    releaseDirectory(handle)
    reply.done()
  }

  /// Releases a handle, unless that was done already.
  func releaseDirectory(_ handle: FileHandle) {
    guard handles.removeDirectory(handle) else { return }
    fileSystem.releaseDirectory(handle)
  }

  /// READDIR: names, numbers and types.
  func readDirectory(
    _ reply: consuming Reply, _ inode: InodeNumber, _ handle: FileHandle, size: Int, offset: Int
  ) {
    withPage(reply, handle, size: size, offset: offset) { page, snapshot, first in
      guard
        addDots(
          to: &page, inode, snapshot.parent, offset: offset, { $0.add($1, inode: $2, kind: .directory, next: $3) })
      else {
        return []
      }
      for index in first..<snapshot.entries.count {
        let line = snapshot.entries[index]
        let attributes = line.entry.attributes
        let next = off_t(index + 3)
        guard page.add(line.name, inode: attributes.inode, kind: attributes.kind, next: next) else { break }
      }
      return []
    }
  }

  /// READDIRPLUS: the same, and what a LOOKUP of each name would answer, with the reference that belongs to it.
  func readDirectoryWithEntries(
    _ reply: consuming Reply, _ inode: InodeNumber, _ handle: FileHandle, size: Int, offset: Int
  ) {
    withPage(reply, handle, size: size, offset: offset) { page, snapshot, first in
      guard
        addDots(to: &page, inode, snapshot.parent, offset: offset, { $0.addWithoutReference($1, inode: $2, next: $3) })
      else {
        return []
      }
      var referenced: [InodeNumber] = []
      for index in first..<snapshot.entries.count {
        let line = snapshot.entries[index]
        guard page.add(line.name, entry: line.entry, next: off_t(index + 3)) else { break }
        referenced.append(line.entry.attributes.inode)
      }
      return referenced
    }
  }

  /// Fills a page and answers it.
  /// - Parameter fill: gets the page, the directory and the index of the first one wanted; returns the inodes to which
  ///   the page gives the kernel a reference.
  private func withPage(
    _ reply: consuming Reply, _ handle: FileHandle, size: Int, offset: Int,
    _ fill: (inout DirectoryPage, DirectorySnapshot, Int) -> [InodeNumber]
  ) {
    let snapshot: DirectorySnapshot
    do {
      snapshot = try fileSystem.readDirectory(handle)
    } catch {
      return fail(reply, error)
    }
    let first = min(max(0, offset - 2), snapshot.entries.count)
    let buffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: size)
    defer { buffer.deallocate() }
    var page = DirectoryPage(buffer)
    let referenced = fill(&page, snapshot, first)
    // Before the answer, for the kernel may forget an inode as soon as it has it.
    if !referenced.isEmpty { fileSystem.remember(referenced) }
    if !reply.page(page.contents) {
      for inode in referenced { forget(inode, count: 1) }
    }
  }

  /// Adds `.` and `..` where the offset asks for them.
  /// - Returns: false when one of them did not fit.
  private func addDots(
    to page: inout DirectoryPage, _ inode: InodeNumber, _ parent: InodeNumber, offset: Int,
    _ add: (inout DirectoryPage, String, InodeNumber, off_t) -> Bool
  ) -> Bool {
    if offset < 1, !add(&page, ".", inode, 1) { return false }
    if offset < 2, !add(&page, "..", parent, 2) { return false }
    return true
  }
}
