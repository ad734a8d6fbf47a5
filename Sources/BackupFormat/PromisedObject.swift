// What the metadata of a backup says about one log object.

/// A log object which the metadata of a backup promises.
public struct PromisedObject: Hashable, Sendable {
  /// Identifies the object.
  public var key: LogKey
  /// Size in bytes; nil where old metadata names the object without its size.
  public var size: Int64?

  /// Makes a description of a log object.
  public init(key: LogKey, size: Int64?) {
    self.key = key
    self.size = size
  }

  /// Path relative to the backup directory.
  public var path: String { key.backupPath }
}

/// A segment of a backup with the log objects that the metadata promises.
public struct PromisedSegment: Hashable, Sendable {
  /// The segment as the metadata describes it.
  public var info: SegmentBackupInfo
  /// Insert logs, then delta logs.
  public var objects: [PromisedObject]
  /// How many of the objects are insert logs.
  public var insertCount: Int

  /// The insert logs.
  public var inserts: ArraySlice<PromisedObject> { objects.prefix(insertCount) }
}
