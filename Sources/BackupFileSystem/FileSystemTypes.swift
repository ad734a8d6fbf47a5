// The values that cross the border described in FileSystem.swift.

/// File or directory.
public enum FileKind: Sendable, Hashable {
  /// A directory.
  case directory
  /// A regular file.
  case file
}

/// A point in time since 1970, UTC.
public struct Timestamp: Sendable, Hashable {
  /// Whole seconds.
  public var seconds: Int64
  /// 0…999,999,999.
  public var nanoseconds: Int64
  /// Makes a point in time.
  public init(seconds: Int64, nanoseconds: Int64 = 0) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }
}

/// What `stat` shows.
public struct Attributes: Sendable, Hashable {
  /// The inode's number.
  public var inode: InodeNumber
  /// File or directory.
  public var kind: FileKind
  /// Bytes.
  public var size: Int64
  /// Permission bits, 0…0o7777.
  public var permissions: UInt16
  /// Owner.
  public var owner: UInt32
  /// Group.
  public var group: UInt32
  /// Last change of the contents.
  public var modified: Timestamp

  /// Makes attributes.
  public init(
    inode: InodeNumber, kind: FileKind, size: Int64, permissions: UInt16, owner: UInt32, group: UInt32,
    modified: Timestamp
  ) {
    self.inode = inode
    self.kind = kind
    self.size = size
    self.permissions = permissions
    self.owner = owner
    self.group = group
    self.modified = modified
  }
}

/// Attributes and for how many seconds the kernel may keep them.
public struct TimedAttributes: Sendable {
  /// The attributes.
  public var attributes: Attributes
  /// Seconds; 0 means ask again each time.
  public var timeToLive: Double
  /// Makes the pair.
  public init(attributes: Attributes, timeToLive: Double) {
    self.attributes = attributes
    self.timeToLive = timeToLive
  }
}

/// A name that was found.
public struct Entry: Sendable {
  /// What it names.
  public var attributes: Attributes
  /// Seconds that the kernel may keep the name and the attributes.
  public var timeToLive: Double
  /// Makes an entry.
  public init(attributes: Attributes, timeToLive: Double) {
    self.attributes = attributes
    self.timeToLive = timeToLive
  }
}

/// One line of a directory.
public struct DirectoryEntry: Sendable {
  /// The name, without `/` and NUL, 1…255 bytes.
  public var name: String
  /// What it names, for READDIRPLUS.
  public var entry: Entry
  /// Makes a line.
  public init(name: String, entry: Entry) {
    self.name = name
    self.entry = entry
  }
}

/// A directory as it was when it was opened.
public struct DirectorySnapshot: Sendable {
  /// The directory that it lies in; its own number for the root.
  public var parent: InodeNumber
  /// Its lines, without `.` and `..`.
  public var entries: [DirectoryEntry]
  /// Makes a snapshot.
  public init(parent: InodeNumber, entries: [DirectoryEntry]) {
    self.parent = parent
    self.entries = entries
  }
}

/// How an open file is to be served.
public struct OpenedFile: Sendable {
  /// The handle.
  public var handle: FileHandle
  /// Bypass the page cache.
  public var usesDirectIO: Bool
  /// Pages cached by an earlier open are still right.
  public var keepsCache: Bool
  /// Closing needs no FLUSH: nothing was opened for writing.
  public var skipsFlush: Bool

  /// Makes the answer to an open.
  public init(handle: FileHandle, usesDirectIO: Bool = false, keepsCache: Bool = false, skipsFlush: Bool = false) {
    self.handle = handle
    self.usesDirectIO = usesDirectIO
    self.keepsCache = keepsCache
    self.skipsFlush = skipsFlush
  }
}

/// A file that was made and opened.
public struct CreatedFile: Sendable {
  /// Its entry.
  public var entry: Entry
  /// Its open state.
  public var opened: OpenedFile
  /// Makes the pair.
  public init(entry: Entry, opened: OpenedFile) {
    self.entry = entry
    self.opened = opened
  }
}

/// How a file is opened.
public struct OpenOptions: OptionSet, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// For reading.
  public static let read = OpenOptions(rawValue: 1 << 0)
  /// For writing.
  public static let write = OpenOptions(rawValue: 1 << 1)
  /// Cut to nothing first (O_TRUNC).
  public static let truncate = OpenOptions(rawValue: 1 << 2)
  /// Each write goes to the end (O_APPEND).
  public static let append = OpenOptions(rawValue: 1 << 3)
  /// The file must not exist yet (O_EXCL).
  public static let exclusive = OpenOptions(rawValue: 1 << 4)
}

/// How a name is moved.
public struct RenameOptions: OptionSet, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// Fail with EEXIST when the new name exists.
  public static let noReplace = RenameOptions(rawValue: 1 << 0)
  /// Swap the two.
  public static let exchange = RenameOptions(rawValue: 1 << 1)
}

/// Which attributes are to change; nil leaves one as it is.
public struct AttributeChanges: Sendable {
  /// New size.
  public var size: Int64?
  /// New permission bits.
  public var permissions: UInt16?
  /// New owner.
  public var owner: UInt32?
  /// New group.
  public var group: UInt32?
  /// New time of modification.
  public var modified: Timestamp?

  /// Changes nothing yet.
  public init() {}
}

/// The process behind a request. Numbers are those of the daemon's namespace; 0 is unknown.
public struct Caller: Sendable, Hashable {
  /// Thread that made the request.
  public var thread: Int32
  /// User.
  public var user: UInt32
  /// Group.
  public var group: UInt32
  /// Makes a caller.
  public init(thread: Int32, user: UInt32, group: UInt32) {
    self.thread = thread
    self.user = user
    self.group = group
  }
}

/// Figures for `df`.
public struct FileSystemStatistics: Sendable {
  /// Bytes of one block.
  public var blockSize: UInt64
  /// Blocks in all.
  public var blocks: UInt64
  /// Blocks free.
  public var freeBlocks: UInt64
  /// Files there is room for.
  public var files: UInt64
  /// Longest name in bytes.
  public var longestName: UInt64
  /// Makes the figures.
  public init(blockSize: UInt64, blocks: UInt64, freeBlocks: UInt64, files: UInt64, longestName: UInt64) {
    self.blockSize = blockSize
    self.blocks = blocks
    self.freeBlocks = freeBlocks
    self.files = files
    self.longestName = longestName
  }
}
