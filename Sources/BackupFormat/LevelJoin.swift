// Joins the levelled metadata files into one tree.
//
// Invariants: segments belong to partitions by (collection id, partition id), partitions to collections by collection
// id; the order within each level is that of the files; sizes are computed anew from the bottom, because the files
// disagree on whether delete-only segments count.

/// Collects the levels from the bottom up and puts the tree together.
struct LevelJoin {
  private struct PartitionKey: Hashable, Comparable {
    let collectionID: Int64
    let partitionID: Int64

    static func < (left: Self, right: Self) -> Bool {
      (left.collectionID, left.partitionID) < (right.collectionID, right.partitionID)
    }
  }

  private var info: BackupInfo
  private var segments: [PartitionKey: [SegmentBackupInfo]] = [:]
  private var partitions: [Int64: [PartitionBackupInfo]] = [:]
  private var warnings: [String] = []

  init(backup: BackupInfo) {
    info = backup
    info.collectionBackups = []
  }

  mutating func add(segments: [SegmentBackupInfo]) {
    for segment in segments {
      let key = PartitionKey(collectionID: segment.collectionID, partitionID: segment.partitionID)
      self.segments[key, default: []].append(segment)
    }
  }

  mutating func add(partitions: [PartitionBackupInfo]) {
    for var partition in partitions {
      let key = PartitionKey(collectionID: partition.collectionID, partitionID: partition.partitionID)
      partition.segmentBackups = segments.removeValue(forKey: key) ?? []
      partition.size = partition.segmentBackups.reduce(0) { $0 &+ $1.size }
      self.partitions[partition.collectionID, default: []].append(partition)
    }
  }

  mutating func add(collections: [CollectionBackupInfo]) {
    for var collection in collections {
      collection.partitionBackups = partitions.removeValue(forKey: collection.collectionID) ?? []
      adoptCollectionWideSegments(into: &collection)
      collection.size = collection.partitionBackups.reduce(0) { $0 &+ $1.size }
      info.collectionBackups.append(collection)
    }
  }

  /// Delete-only segments of the whole collection stand in the collection's own list, in the segment file, or both.
  private mutating func adoptCollectionWideSegments(into collection: inout CollectionBackupInfo) {
    let key = PartitionKey(collectionID: collection.collectionID, partitionID: SegmentBackupInfo.allPartitions)
    guard let found = segments.removeValue(forKey: key) else { return }
    let known = Set(collection.l0Segments.map(\.segmentID))
    collection.l0Segments += found.filter { !known.contains($0.segmentID) }
  }

  consuming func finish() -> MetaFiles.Reading {
    for key in segments.keys.sorted() {
      warnings.append(
        "\(segments[key]?.count ?? 0) segments belong to partition \(key.partitionID) of collection"
          + " \(key.collectionID), which the metadata does not describe; they are left out.")
    }
    for collectionID in partitions.keys.sorted() {
      warnings.append(
        "\(partitions[collectionID]?.count ?? 0) partitions belong to collection \(collectionID), which the metadata"
          + " does not describe; they are left out.")
    }
    info.size = info.collectionBackups.reduce(0) { $0 &+ $1.size }
    return MetaFiles.Reading(info: info, source: .backup, warnings: warnings)
  }
}
