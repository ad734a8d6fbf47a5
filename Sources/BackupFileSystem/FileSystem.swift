// The border between the file system and whatever serves it (FUSE, or a test without a mount).
//
// Rules of the border:
// - A call answers at once from memory (`.ready`) or hands back work that needs the network (`.pending`). The server
//   answers the first kind in its own thread and runs the second kind as a task, which it cancels when the kernel
//   interrupts the request; a cancelled operation ends promptly and throws EINTR.
// - Calls may come from many threads at once, in any order.
// - Each successful lookup, mkdir and create adds one reference to the inode, and so does `remember`; `forget` gives
//   them back.

/// Number of a file or directory, stable while the kernel refers to it. The root is 1.
public typealias InodeNumber = UInt64

/// Number of an open file or directory.
public typealias FileHandle = UInt64

/// An answer that is there already, or the work that will bring it.
public enum Answer<Value: Sendable>: Sendable {
  /// Known from memory.
  case ready(Value)
  /// Needs the network; throws `FileSystemError`.
  case pending(@Sendable () async throws(FileSystemError) -> Value)
}

extension Answer {
  /// Waits for the value: for callers that are asynchronous anyway, such as tests.
  public func value() async throws(FileSystemError) -> Value {
    switch self {
    case .ready(let value): value
    case .pending(let work): try await work()
    }
  }
}

/// What a file system can be asked, one method per kernel request.
public protocol FileSystem: Sendable {
  /// Finds a name in a directory. A name that is known not to exist throws ENOENT.
  func lookup(_ parent: InodeNumber, _ name: String, caller: Caller) throws(FileSystemError) -> Answer<Entry>
  /// Adds one reference to each of these inodes: what READDIRPLUS told the kernel.
  func remember(_ inodes: [InodeNumber])
  /// Gives back `count` references.
  func forget(_ inode: InodeNumber, count: UInt64)
  /// Attributes of an inode.
  func attributes(_ inode: InodeNumber) throws(FileSystemError) -> Answer<TimedAttributes>
  /// Changes attributes; `handle` is the open file when the kernel named one.
  func setAttributes(_ inode: InodeNumber, _ changes: AttributeChanges, handle: FileHandle?)
    throws(FileSystemError) -> Answer<TimedAttributes>

  /// Makes a directory.
  func makeDirectory(_ parent: InodeNumber, _ name: String, permissions: UInt16, caller: Caller)
    throws(FileSystemError) -> Answer<Entry>
  /// Removes an empty directory.
  func removeDirectory(_ parent: InodeNumber, _ name: String) throws(FileSystemError) -> Answer<Void>
  /// Removes a file.
  func unlink(_ parent: InodeNumber, _ name: String) throws(FileSystemError) -> Answer<Void>
  /// Moves a file or directory.
  func rename(
    _ parent: InodeNumber, _ name: String, to newParent: InodeNumber, _ newName: String, options: RenameOptions
  ) throws(FileSystemError) -> Answer<Void>

  /// Makes and opens a file. With `.exclusive` an existing file is EEXIST.
  func create(_ parent: InodeNumber, _ name: String, permissions: UInt16, options: OpenOptions, caller: Caller)
    throws(FileSystemError) -> Answer<CreatedFile>
  /// Opens a file.
  func open(_ inode: InodeNumber, options: OpenOptions, caller: Caller) throws(FileSystemError) -> Answer<OpenedFile>
  /// Reads at most `count` bytes; fewer only at the end of the file.
  func read(_ handle: FileHandle, offset: Int64, count: Int) throws(FileSystemError) -> Answer<ArraySlice<UInt8>>
  /// Writes all bytes, copying them before it returns, and answers their number.
  func write(_ handle: FileHandle, offset: Int64, _ bytes: UnsafeRawBufferPointer, caller: Caller)
    throws(FileSystemError) -> Answer<Int>
  /// Copies between two open files; answers the number of bytes copied, never 0 in the middle of the source.
  func copyRange(
    from source: FileHandle, offset: Int64, to target: FileHandle, offset targetOffset: Int64, count: Int64,
    caller: Caller
  )
    throws(FileSystemError) -> Answer<Int>
  /// A descriptor of this open file was closed (not necessarily the last one).
  /// - Parameter writerWasKilled: the closing process is dying of a signal: what it wrote must not be published.
  func flush(_ handle: FileHandle, caller: Caller, writerWasKilled: Bool) throws(FileSystemError) -> Answer<Void>
  /// Makes what was written durable.
  func synchronize(_ handle: FileHandle) throws(FileSystemError) -> Answer<Void>
  /// Makes everything durable that was closed below a directory before; fails for what could not be.
  func synchronizeDirectory(_ inode: InodeNumber) throws(FileSystemError) -> Answer<Void>
  /// The last descriptor is gone; nobody sees an error from here.
  func release(_ handle: FileHandle) -> Answer<Void>

  /// Opens a directory: takes the snapshot that `readDirectory` pages through.
  func openDirectory(_ inode: InodeNumber, caller: Caller) throws(FileSystemError) -> Answer<FileHandle>
  /// What was there when the directory was opened.
  func readDirectory(_ handle: FileHandle) throws(FileSystemError) -> DirectorySnapshot
  /// Closes a directory.
  func releaseDirectory(_ handle: FileHandle)

  /// Figures for `df`; answered locally.
  func statistics() -> FileSystemStatistics
}
