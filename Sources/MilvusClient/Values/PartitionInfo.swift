// Partitions of a collection.

/// One line of ShowPartitions.
public struct PartitionInfo: Sendable, Hashable {
  /// The partition's number.
  public var partitionID: Int64
  /// The partition's name; `_default` for the one every collection has.
  public var partitionName: String
  /// Creation, as a hybrid timestamp, 0 if the server does not say.
  public var createdTimestamp: UInt64
}
