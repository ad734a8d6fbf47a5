// The table of functions that libfuse calls, one per request. Each only turns C values into Swift values.
//
// What is left out is answered ENOSYS by libfuse, and the kernel then does without: extended attributes are never asked
// for again, SEEK_DATA takes the whole file for data, fallocate is EOPNOTSUPP, ioctl ENOTTY, locks are kept
// by the kernel alone. `access` is never asked under default_permissions.

import BackupFileSystem
import CFUSE
import Glibc
import SystemPackage

/// Makes the table. The functions are formed in static functions that belong to no actor: libfuse calls them in our own
/// threads, where a function of the main actor would trap.
enum Callbacks {
  static func all() -> fuse_lowlevel_ops {
    var table = fuse_lowlevel_ops()
    table.`init` = { _, connection in
      if let connection { ConnectionParameters.choose(&connection.pointee) }
    }
    addNames(to: &table)
    addRefusals(to: &table)
    addFiles(to: &table)
    addDirectories(to: &table)
    return table
  }

  private static func addNames(to table: inout fuse_lowlevel_ops) {
    table.lookup = { request, parent, name in
      guard let request, let name else { return }
      Dispatcher.of(request).lookup(Reply(request, .lookup), parent, Name(name))
    }
    table.forget = { request, inode, count in
      guard let request else { return }
      Dispatcher.of(request).forget(inode, count: count)
      fuse_reply_none(request)
    }
    table.forget_multi = { request, count, list in
      guard let request else { return }
      let dispatcher = Dispatcher.of(request)
      for item in UnsafeBufferPointer(start: list, count: count) {
        dispatcher.forget(item.ino, count: item.nlookup)
      }
      fuse_reply_none(request)
    }
    table.getattr = { request, inode, _ in
      guard let request else { return }
      Dispatcher.of(request).attributes(Reply(request, .getattr), inode)
    }
    table.setattr = { request, inode, attributes, mask, information in
      guard let request, let attributes else { return }
      let changes = AttributeChanges(attributes.pointee, mask: mask)
      Dispatcher.of(request).setAttributes(Reply(request, .setattr), inode, changes, information?.pointee.fh)
    }
    table.mkdir = { request, parent, name, mode in
      guard let request, let name else { return }
      Dispatcher.of(request).makeDirectory(Reply(request, .mkdir), parent, Name(name), permissions(of: mode))
    }
    table.rmdir = { request, parent, name in
      guard let request, let name else { return }
      Dispatcher.of(request).removeDirectory(Reply(request, .rmdir), parent, Name(name))
    }
    table.unlink = { request, parent, name in
      guard let request, let name else { return }
      Dispatcher.of(request).unlink(Reply(request, .unlink), parent, Name(name))
    }
    table.rename = { request, parent, name, newParent, newName, flags in
      guard let request, let name, let newName else { return }
      let options = RenameOptions(renameFlags: flags)
      Dispatcher.of(request).rename(
        Reply(request, .rename), parent, Name(name), to: newParent, Name(newName), options)
    }
    table.statfs = { request, _ in
      guard let request else { return }
      Dispatcher.of(request).statistics(Reply(request, .statfs))
    }
  }

  /// There are only files and directories here. EPERM is what link(2), symlink(2) and mknod(2) say then; without these
  /// functions it would be "Function not implemented".
  private static func addRefusals(to table: inout fuse_lowlevel_ops) {
    table.symlink = { request, _, _, _ in
      guard let request else { return }
      Reply(request, .symlink).failure(.notPermitted)
    }
    table.link = { request, _, _, _ in
      guard let request else { return }
      Reply(request, .link).failure(.notPermitted)
    }
    table.mknod = { request, _, _, _, _ in
      guard let request else { return }
      Reply(request, .mknod).failure(.notPermitted)
    }
  }

  private static func addFiles(to table: inout fuse_lowlevel_ops) {
    table.create = { request, parent, name, mode, information in
      guard let request, let name, let information else { return }
      let options = OpenOptions(openFlags: information.pointee.flags)
      Dispatcher.of(request).create(
        Reply(request, .create), parent, Name(name), permissions(of: mode), options)
    }
    table.open = { request, inode, information in
      guard let request, let information else { return }
      let options = OpenOptions(openFlags: information.pointee.flags)
      Dispatcher.of(request).open(Reply(request, .open), inode, options)
    }
    table.read = { request, _, count, offset, information in
      guard let request, let information else { return }
      Dispatcher.of(request).read(
        Reply(request, .read), information.pointee.fh, offset: Int64(offset), count: count)
    }
    table.write = { request, _, bytes, count, offset, information in
      guard let request, let information else { return }
      let bytes = UnsafeRawBufferPointer(start: bytes, count: count)
      Dispatcher.of(request).write(Reply(request, .write), information.pointee.fh, offset: Int64(offset), bytes)
    }
    table.copy_file_range = { request, _, offset, source, _, targetOffset, target, count, flags in
      guard let request, let source, let target else { return }
      Dispatcher.of(request).copyRange(
        Reply(request, .copyFileRange), from: source.pointee.fh, offset: Int64(offset), to: target.pointee.fh,
        offset: Int64(targetOffset), count: UInt64(count), flags: flags)
    }
    table.flush = { request, _, information in
      guard let request, let information else { return }
      Dispatcher.of(request).flush(Reply(request, .flush), information.pointee.fh)
    }
    table.fsync = { request, _, _, information in
      guard let request, let information else { return }
      Dispatcher.of(request).synchronize(Reply(request, .fsync), information.pointee.fh)
    }
    table.release = { request, _, information in
      guard let request, let information else { return }
      Dispatcher.of(request).release(Reply(request, .release), information.pointee.fh)
    }
  }

  private static func addDirectories(to table: inout fuse_lowlevel_ops) {
    table.opendir = { request, inode, _ in
      guard let request else { return }
      Dispatcher.of(request).openDirectory(Reply(request, .opendir), inode)
    }
    table.readdir = { request, inode, size, offset, information in
      guard let request, let information else { return }
      Dispatcher.of(request).readDirectory(
        Reply(request, .readdir), inode, information.pointee.fh, size: size, offset: Int(offset))
    }
    table.readdirplus = { request, inode, size, offset, information in
      guard let request, let information else { return }
      Dispatcher.of(request).readDirectoryWithEntries(
        Reply(request, .readdirplus), inode, information.pointee.fh, size: size, offset: Int(offset))
    }
    table.fsyncdir = { request, inode, _, _ in
      guard let request else { return }
      Dispatcher.of(request).synchronizeDirectory(Reply(request, .fsyncdir), inode)
    }
    table.releasedir = { request, _, information in
      guard let request, let information else { return }
      Dispatcher.of(request).releaseDirectory(Reply(request, .releasedir), information.pointee.fh)
    }
  }
}
