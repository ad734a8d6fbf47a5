// Segments of a collection, as GetPersistentSegmentInfo lists them.

/// One segment known to Milvus' data coordinator.
public struct SegmentInfo: Sendable, Hashable {
  /// The segment's number.
  public var segmentID: Int64
  /// Number of its collection.
  public var collectionID: Int64
  /// Number of its partition; -1 for a delete-only segment that spans all partitions.
  public var partitionID: Int64
  /// Rows, before deletes are applied.
  public var numOfRows: Int64
  /// Where it is in its life.
  public var state: SegmentState
  /// Level; Milvus up to 2.3 knows only `legacy`.
  public var level: SegmentLevel
  /// Whether its rows are sorted by primary key.
  public var isSorted: Bool
  /// Version of its storage format; 0 for the first.
  public var storageVersion: Int64
}

/// `common.SegmentState`. Unknown numbers pass through.
public struct SegmentState: RawRepresentable, Sendable, Hashable {
  /// The number on the wire.
  public let rawValue: Int32
  /// The state with this number, known or not.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// Not known.
  public static let none = SegmentState(rawValue: 0)
  /// Gone.
  public static let notExist = SegmentState(rawValue: 1)
  /// Takes writes.
  public static let growing = SegmentState(rawValue: 2)
  /// Closed for writes, not yet durable.
  public static let sealed = SegmentState(rawValue: 3)
  /// Durable in the object store.
  public static let flushed = SegmentState(rawValue: 4)
  /// On its way to the object store.
  public static let flushing = SegmentState(rawValue: 5)
  /// Removed, awaiting collection.
  public static let dropped = SegmentState(rawValue: 6)
  /// Being written by an import.
  public static let importing = SegmentState(rawValue: 7)
}

/// `common.SegmentLevel`. Unknown numbers pass through.
public struct SegmentLevel: RawRepresentable, Sendable, Hashable {
  /// The number on the wire.
  public let rawValue: Int32
  /// The level with this number, known or not.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// A segment of a server that has no levels.
  public static let legacy = SegmentLevel(rawValue: 0)
  /// Deletes only.
  public static let l0 = SegmentLevel(rawValue: 1)
  /// Ordinary.
  public static let l1 = SegmentLevel(rawValue: 2)
  /// Compacted by clustering key.
  public static let l2 = SegmentLevel(rawValue: 3)
}
