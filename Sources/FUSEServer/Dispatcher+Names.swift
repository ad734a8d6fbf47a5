// Requests about names and inodes.

import BackupFileSystem
import CFUSE
import SystemPackage

extension Dispatcher {
  func lookup(_ reply: consuming Reply, _ parent: InodeNumber, _ name: Name) {
    let caller = reply.caller
    serve(reply) { () throws(FileSystemError) in
      try fileSystem.lookup(parent, name.existing(), caller: caller)
    } answer: { dispatcher, reply, entry in
      if !reply.entry(entry) { dispatcher.forget(entry.attributes.inode, count: 1) }
    }
  }

  func forget(_ inode: InodeNumber, count: UInt64) {
    fileSystem.forget(inode, count: count)
  }

  func attributes(_ reply: consuming Reply, _ inode: InodeNumber) {
    serve(reply) { () throws(FileSystemError) in
      try fileSystem.attributes(inode)
    } answer: { _, reply, attributes in
      reply.attributes(attributes)
    }
  }

  func setAttributes(
    _ reply: consuming Reply, _ inode: InodeNumber, _ changes: AttributeChanges, _ handle: FileHandle?
  ) {
    serve(reply) { () throws(FileSystemError) in
      try fileSystem.setAttributes(inode, changes, handle: handle)
    } answer: { _, reply, attributes in
      reply.attributes(attributes)
    }
  }

  func makeDirectory(_ reply: consuming Reply, _ parent: InodeNumber, _ name: Name, _ permissions: UInt16) {
    let caller = reply.caller
    serve(reply) { () throws(FileSystemError) in
      try fileSystem.makeDirectory(parent, name.new(), permissions: permissions, caller: caller)
    } answer: { dispatcher, reply, entry in
      if !reply.entry(entry) { dispatcher.forget(entry.attributes.inode, count: 1) }
    }
  }

  func removeDirectory(_ reply: consuming Reply, _ parent: InodeNumber, _ name: Name) {
    serve(reply) { () throws(FileSystemError) in
      try fileSystem.removeDirectory(parent, name.existing())
    } answer: { _, reply, _ in
      reply.done()
    }
  }

  func unlink(_ reply: consuming Reply, _ parent: InodeNumber, _ name: Name) {
    serve(reply) { () throws(FileSystemError) in
      try fileSystem.unlink(parent, name.existing())
    } answer: { _, reply, _ in
      reply.done()
    }
  }

  func rename(
    _ reply: consuming Reply, _ parent: InodeNumber, _ name: Name, to newParent: InodeNumber, _ newName: Name,
    _ options: RenameOptions?
  ) {
    guard let options else { return reply.failure(.invalidArgument) }
    serve(reply) { () throws(FileSystemError) in
      try fileSystem.rename(parent, name.existing(), to: newParent, newName.new(), options: options)
    } answer: { _, reply, _ in
      reply.done()
    }
  }

  func statistics(_ reply: consuming Reply) {
    reply.statistics(fileSystem.statistics())
  }
}
