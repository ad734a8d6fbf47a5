// What the tree keeps of a file or directory.

import ObjectStore

/// A file, directory or control file.
struct Node {
  /// What a node is.
  enum Content {
    case directory(Directory)
    case file(File)
    case control(ControlTarget)
  }

  /// The directory that names it; its own number for the root.
  var parent: InodeNumber
  /// Its name there.
  var name: ObjectKey
  var content: Content
  // There are as many nodes as objects and directories: what is small lies together.
  /// Whether `parent` still names it.
  var isLinked = true
  /// The merge that last saw it in a listing.
  var seen: UInt32 = 0
  /// References that the kernel holds.
  var references: UInt64 = 0
  /// The tree's generation at the last change made through this mount.
  var changed: UInt64 = 0

  /// A directory. It exists because objects lie below it, because this mount made it, or because a marker object says so.
  struct Directory {
    var children: Children = [:]
    /// The listing that tells what is in it: its own number for a store and for a backup; 0 for the root.
    var scope: InodeNumber
    /// Whether it stays although no object lies below it: made here, or emptied here.
    var isLocal = false
    /// Whether the store holds an object whose key is this directory's with a trailing `/`.
    var hasMarker = false
    /// The merge that has shown all that is in it, before it was at its end.
    var whole: UInt32 = 0
  }

  /// A file.
  struct File {
    /// The object in the store; nil until the first writer has closed it well.
    var object: ObjectInfo? {
      didSet { if object?.etag != oldValue?.etag { isCached = false } }
    }
    /// The open file that writes it.
    var writer: WriteSession?
    /// Whether an earlier open put this version of the object into the page cache.
    var isCached = false
  }

  /// What chmod, chown and utimens asked for; kept while mounted.
  struct Overrides {
    var permissions: UInt16?
    var owner: UInt32?
    var group: UInt32?
    var modified: Timestamp?
  }

  var directory: Directory? {
    if case .directory(let directory) = content { directory } else { nil }
  }

  var file: File? {
    if case .file(let file) = content { file } else { nil }
  }
}
