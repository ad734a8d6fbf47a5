// What Flush answers: which segments were sealed, and up to when the data is in them.

/// Answer of Flush for one collection.
public struct FlushResult: Sendable, Hashable {
  /// Segments this flush sealed, to be waited for with `flushState`. `nil` if the answer does not name the collection
  /// (then there is nothing to wait for); may be empty.
  public var segmentIDs: [Int64]?
  /// Segments that were flushed before.
  public var flushedSegmentIDs: [Int64]
  /// Hybrid timestamp of the flush; 0 if the server does not say.
  public var flushTimestamp: UInt64
  /// Time of the seal in seconds since 1970 (`backup_physical_timestamp` of a backup); 0 if the server does not say.
  public var sealTime: Int64
  /// Position up to which each virtual channel is in the segments, by channel name. Empty on servers up to 2.3.
  public var channelCheckpoints: [String: ChannelCheckpoint]
}

/// A position in a channel of Milvus' log (`msg.MsgPosition`).
public struct ChannelCheckpoint: Sendable, Hashable {
  /// The channel's name.
  public var channelName: String
  /// Hybrid timestamp of the position.
  public var timestamp: UInt64
  /// The whole message as the server sent it, serialized; base64 of it is what a backup stores.
  public var serialized: [UInt8]
}
