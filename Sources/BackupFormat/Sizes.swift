// The sizes of a tree, summed from its segments.

extension BackupInfo {
  /// Computes the sizes of partitions, collections and the backup from those of the segments.
  ///
  /// Delete-only segments of a whole collection count for the collection, as current versions of milvus-backup count them.
  /// The sizes of the segments themselves are taken as they are.
  public mutating func recomputeSizes() {
    size = 0
    for index in collectionBackups.indices {
      collectionBackups[index].recomputeSizes()
      size &+= collectionBackups[index].size
    }
  }
}

extension CollectionBackupInfo {
  /// Computes the sizes of the partitions and of the collection from those of the segments.
  public mutating func recomputeSizes() {
    size = l0Segments.reduce(0) { $0 &+ $1.size }
    for index in partitionBackups.indices {
      partitionBackups[index].size = partitionBackups[index].segmentBackups.reduce(0) { $0 &+ $1.size }
      size &+= partitionBackups[index].size
    }
  }
}
