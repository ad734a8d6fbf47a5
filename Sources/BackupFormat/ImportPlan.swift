// From the metadata of a collection to the import units of its restore.
//
// Milvus imports directories, so the units follow from the ids alone: normally one segment each (the group directory
// with the segment's id), in backups of 2023 a numbered group of several segments, before that the whole partition. A
// group is imported once however many segments it has.

/// What a restore of one collection imports, in an order in which it may be done.
public struct ImportPlan: Hashable, Sendable {
  /// The units: for each partition first its rows, then its own deletes; last the deletes of all partitions.
  public private(set) var units: [ImportUnit] = []
  /// Segments with nothing to import.
  public private(set) var skipped: [SkippedSegment] = []

  /// Rows all units promise, deletes not subtracted.
  public var rows: Int64 { units.reduce(0) { $0 &+ $1.rows } }
  /// Size of all units in bytes.
  public var bytes: Int64 { units.reduce(0) { $0 &+ $1.bytes } }

  /// Plans the restore of `collection`.
  ///
  /// - Throws: a ``BackupFormatError`` with code `malformedMetadata` if segments with and without a group share a
  ///   partition: then no directory holds just the latter.
  public init(_ collection: CollectionBackupInfo) throws(BackupFormatError) {
    for partition in collection.partitionBackups {
      try plan(partition, of: collection)
    }
    let everywhere = PartitionBackupInfo.with { $0.partitionID = SegmentBackupInfo.allPartitions }
    for segment in collection.l0Segments {
      let logs = segment.logs(collectionID: collection.collectionID, partitionID: everywhere.partitionID)
      planDeletes(segment, logs, of: everywhere, in: collection.collectionID)
    }
  }

  private mutating func plan(_ partition: PartitionBackupInfo, of collection: CollectionBackupInfo)
    throws(BackupFormatError)
  {
    let collectionID = collection.collectionID
    var deletes: [(SegmentBackupInfo, SegmentBackupInfo.Logs)] = []
    var unitOfGroup: [Int64: Int] = [:]
    for segment in partition.segmentBackups {
      let logs = segment.logs(collectionID: collectionID, partitionID: partition.partitionID)
      if segment.isL0, logs.insertCount == 0 {
        deletes.append((segment, logs))
      } else if logs.insertCount == 0 {
        skip(segment, logs, of: partition)
      } else if let index = unitOfGroup[segment.groupID] {
        units[index].add(segment, logs)
      } else {
        unitOfGroup[segment.groupID] = units.count
        units.append(ImportUnit(groupOf: segment, logs, partition: partition, collectionID: collectionID))
      }
    }
    guard unitOfGroup[0] == nil || unitOfGroup.count == 1 else {
      throw BackupFormatError(
        .malformedMetadata,
        "Partition \(partition.partitionName.debugDescription) of collection \(collection.qualifiedName) holds segments"
          + " both with and without a group id; such a backup cannot be imported by directories.")
    }
    for (segment, logs) in deletes {
      planDeletes(segment, logs, of: partition, in: collectionID)
    }
  }

  private mutating func planDeletes(
    _ segment: SegmentBackupInfo, _ logs: SegmentBackupInfo.Logs, of partition: PartitionBackupInfo,
    in collectionID: Int64
  ) {
    guard logs.deltaCount > 0 else { return skip(segment, logs, of: partition) }
    units.append(ImportUnit(deletesOf: segment, logs, partition: partition, collectionID: collectionID))
  }

  private mutating func skip(
    _ segment: SegmentBackupInfo, _ logs: SegmentBackupInfo.Logs, of partition: PartitionBackupInfo
  ) {
    skipped.append(
      SkippedSegment(
        segmentID: segment.segmentID, partitionID: partition.partitionID, rows: segment.numOfRows,
        reason: logs.deltaCount == 0 ? .empty : .noInsertLogs))
  }
}

extension ImportUnit {
  /// The unit of the group to which `segment`, its first segment, belongs.
  fileprivate init(
    groupOf segment: SegmentBackupInfo, _ logs: SegmentBackupInfo.Logs, partition: PartitionBackupInfo,
    collectionID: Int64
  ) {
    self.init(.segments, segment, partition, collectionID)
    insertDirectory = Self.directory(.insert, collectionID, partition.partitionID, segment.groupID)
    add(segment, logs)
  }

  /// The unit of the delete-only segment `segment`.
  fileprivate init(
    deletesOf segment: SegmentBackupInfo, _ logs: SegmentBackupInfo.Logs, partition: PartitionBackupInfo,
    collectionID: Int64
  ) {
    self.init(.deletes, segment, partition, collectionID)
    let ids = segment.groupID == segment.segmentID ? [segment.segmentID] : [segment.groupID, segment.segmentID]
    deltaDirectory = Self.directory(.delta, [collectionID, partition.partitionID] + ids.filter { $0 != 0 })
    segmentIDs = [segment.segmentID]
    objects = logs.objects.count
    bytes = logs.size
  }

  private init(_ kind: Kind, _ segment: SegmentBackupInfo, _ partition: PartitionBackupInfo, _ collectionID: Int64) {
    self.init(
      kind: kind, collectionID: collectionID, partitionID: partition.partitionID,
      partitionName: partition.partitionName, segmentIDs: [], rows: 0, objects: 0, bytes: 0,
      vChannel: segment.vChannel, storageVersion: segment.storageVersion)
  }

  fileprivate mutating func add(_ segment: SegmentBackupInfo, _ logs: SegmentBackupInfo.Logs) {
    segmentIDs.append(segment.segmentID)
    rows &+= segment.numOfRows
    objects += logs.objects.count
    bytes &+= logs.size
    if logs.deltaCount > 0 {
      deltaDirectory = Self.directory(.delta, collectionID, partitionID, segment.groupID)
    }
  }

  private static func directory(
    _ kind: LogKey.Kind, _ collectionID: Int64, _ partitionID: Int64, _ groupID: Int64
  ) -> String {
    directory(kind, [collectionID, partitionID] + (groupID == 0 ? [] : [groupID]))
  }

  private static func directory(_ kind: LogKey.Kind, _ ids: [Int64]) -> String {
    "binlogs/\(kind.rawValue)/" + ids.map { "\($0)/" }.joined()
  }
}
