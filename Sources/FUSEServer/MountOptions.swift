// Where and how a file system is mounted.

/// What `FUSEServer` needs to know to mount.
public struct MountOptions: Sendable {
  /// The directory to mount on: absolute or relative to the working directory, existing and empty.
  public var mountPoint: String
  /// First column of /proc/mounts and of `df`.
  public var fileSystemName: String
  /// What follows `fuse.` in the type column of /proc/mounts.
  public var subtype: String
  /// The kernel refuses everything that would change a file.
  public var readOnly: Bool
  /// Users other than the one who mounts may use it. Someone who is not root needs `user_allow_other` in
  /// /etc/fuse.conf for this.
  public var allowOther: Bool
  /// The mount of a server that is gone is removed from the mount point first.
  public var replacesStale: Bool
  /// Threads that take requests from the kernel, 1…64; other values are brought into the range.
  public var threads: Int
  /// How long operations and open files may go on after `unmount(.now)`, and operations that still run after any
  /// unmount.
  public var gracePeriod: Duration
  /// libfuse logs each request (at debug level).
  public var debug: Bool

  /// Makes options.
  public init(
    mountPoint: String,
    fileSystemName: String = "milvus-backupfs",
    subtype: String = "milvus-backupfs",
    readOnly: Bool = false,
    allowOther: Bool = false,
    replacesStale: Bool = false,
    threads: Int = 4,
    gracePeriod: Duration = .seconds(10),
    debug: Bool = false
  ) {
    self.mountPoint = mountPoint
    self.fileSystemName = fileSystemName
    self.subtype = subtype
    self.readOnly = readOnly
    self.allowOther = allowOther
    self.replacesStale = replacesStale
    self.threads = threads
    self.gracePeriod = gracePeriod
    self.debug = debug
  }
}
