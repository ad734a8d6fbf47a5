// What FlushAll answers: up to when everything in every channel is to be written out, and the server's channels.

/// Answer of FlushAll.
public struct FlushAllResult: Sendable, Hashable {
  /// Hybrid timestamp by physical channel; empty if the server tells one for all.
  public var timestamps: [String: UInt64]
  /// Hybrid timestamp for all channels; 0 if the server tells one for each.
  public var timestamp: UInt64
  /// The flush messages by physical channel, serialized; base64 of them is what a backup stores.
  public var messages: [String: [UInt8]]
  /// The control channel.
  public var controlChannel: String
  /// The physical channels.
  public var physicalChannels: [String]

  /// Makes an answer.
  public init(
    timestamps: [String: UInt64], timestamp: UInt64 = 0, messages: [String: [UInt8]] = [:], controlChannel: String = "",
    physicalChannels: [String] = []
  ) {
    self.timestamps = timestamps
    self.timestamp = timestamp
    self.messages = messages
    self.controlChannel = controlChannel
    self.physicalChannels = physicalChannels
  }
}
