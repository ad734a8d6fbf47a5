// The messages of two or three fields which others are made of.

/// A parameter or property.
public struct KeyValuePair: FieldVisitable {
  /// Name of the parameter.
  public var key = ""
  /// Value of the parameter, always a text.
  public var value = ""

  /// Makes an empty pair.
  public init() {}

  /// Makes a pair of `key` and `value`.
  public init(key: String, value: String) {
    self.key = key
    self.value = value
  }

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("key", &key)
    try visitor.field("value", &value)
  }
}

/// Position of the channel by which a server of version 2.5 replicates.
public struct RPCChannelInfo: FieldVisitable {
  /// Name of the channel.
  public var name = ""
  /// Position in the channel, base64 text.
  public var position = ""

  /// Makes an empty position.
  public init() {}

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("name", &name)
    try visitor.field("position", &position)
  }
}

/// A collection's snapshot, as exported by a server of version 3.
public struct SnapshotBackupInfo: FieldVisitable {
  /// Path of the snapshot's metadata relative to the backup directory.
  public var metadataPath = ""
  /// Number of files.
  public var totalFiles: Int64 = 0
  /// Size in bytes, index files included.
  public var totalBytes: Int64 = 0

  /// Makes a description whose fields are all zero.
  public init() {}

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("metadata_path", &metadataPath)
    try visitor.field("total_files", &totalFiles)
    try visitor.field("total_bytes", &totalBytes)
  }
}
