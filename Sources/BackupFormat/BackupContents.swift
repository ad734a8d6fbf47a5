// What a backup consists of, derived from its metadata: the objects it promises, their sum, and what a restore imports.

/// The contents of a backup of the binlog format as its metadata promises them.
public struct BackupContents: Sendable {
  /// Sums over a whole backup or one collection.
  public struct Totals: Hashable, Sendable {
    /// Number of collections.
    public var collections = 0
    /// Number of partitions.
    public var partitions = 0
    /// Number of segments, delete-only ones included.
    public var segments = 0
    /// Rows of the segments that have insert logs; deletes are not subtracted.
    public var rows: Int64 = 0
    /// Number of log objects.
    public var objects = 0
    /// Size of the log objects in bytes, as far as the metadata tells it.
    public var bytes: Int64 = 0

    /// Makes sums of nothing.
    public init() {}
  }

  private let collections: [CollectionBackupInfo]

  /// The contents of a whole backup.
  public init(_ info: BackupInfo) {
    collections = info.collectionBackups
  }

  /// The contents of some collections of a backup.
  public init(collections: [CollectionBackupInfo]) {
    self.collections = collections
  }

  /// All log objects.
  public var objects: [PromisedObject] {
    var objects: [PromisedObject] = []
    forEachSegment { _, logs in objects += logs.objects }
    return objects
  }

  /// The segments with their log objects: partition by partition, then those that concern all partitions.
  public var segments: [PromisedSegment] {
    var segments: [PromisedSegment] = []
    forEachSegment { segment, logs in
      segments.append(PromisedSegment(info: segment, objects: logs.objects, insertCount: logs.insertCount))
    }
    return segments
  }

  /// The sums.
  public var totals: Totals {
    var totals = Totals()
    totals.collections = collections.count
    totals.partitions = collections.reduce(0) { $0 + $1.partitionBackups.count }
    forEachSegment { segment, logs in
      totals.segments += 1
      if logs.insertCount > 0 { totals.rows &+= segment.numOfRows }
      totals.objects += logs.objects.count
      totals.bytes &+= logs.size
    }
    return totals
  }

  /// What in the metadata makes the list of objects doubtful, one sentence for each segment concerned.
  public var problems: [String] {
    var problems = unnamedLogs
    forEachSegment { segment, logs in
      if !segment.isL0, logs.insertCount == 0, segment.numOfRows > 0 {
        problems.append(
          "Segment \(segment.segmentID) should have \(segment.numOfRows) rows but lists no insert logs; these rows are"
            + " not in the backup.")
      }
    }
    return problems
  }

  /// The segments with logs that the metadata counts but does not name, one sentence each.
  public var unnamedLogs: [String] {
    var sentences: [String] = []
    forEachSegment { segment, logs in
      if logs.unnamedCount > 0 {
        sentences.append(
          "Segment \(segment.segmentID) lists \(logs.unnamedCount) logs with neither an id nor a path; whether they"
            + " exist cannot be checked.")
      }
    }
    return sentences
  }

  private func forEachSegment(_ body: (SegmentBackupInfo, SegmentBackupInfo.Logs) -> Void) {
    for collection in collections {
      for partition in collection.partitionBackups {
        for segment in partition.segmentBackups {
          body(segment, segment.logs(collectionID: collection.collectionID, partitionID: partition.partitionID))
        }
      }
      for segment in collection.l0Segments {
        let logs = segment.logs(
          collectionID: collection.collectionID, partitionID: SegmentBackupInfo.allPartitions)
        body(segment, logs)
      }
    }
  }
}
