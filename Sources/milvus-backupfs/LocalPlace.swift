// Which directory stands for the bucket, and what is the key prefix in it, where a storage is of type `local`.

import Configuration

/// Where Milvus' objects and the backups lie.
struct LocalPlace: Hashable {
  /// One of the two.
  struct Side: Hashable {
    /// The directory that stands for the bucket; nil for a storage that has buckets.
    var directory: String?
    /// Key prefix of everything that belongs to this side.
    var prefix: String
  }

  let milvus: Side
  let backups: Side

  /// A root path is a prefix in a bucket, but with type `local` it is the bucket itself.
  ///
  /// One exception: backups in a directory inside Milvus' own are keys below Milvus' directory, because then they lie in
  /// Milvus' storage, and Milvus imports them from where they are instead of from a copy.
  init(_ configuration: StoreConfiguration) {
    let milvus = Self.side(configuration.storage)
    var backups = Self.side(configuration.backupStorage)
    if let outer = milvus.directory, let inner = backups.directory, inner.hasPrefix("\(outer)/") {
      backups = Side(directory: outer, prefix: String(inner.dropFirst(outer.count + 1)))
    }
    self.milvus = milvus
    self.backups = backups
  }

  private static func side(_ storage: StorageConfiguration) -> Side {
    storage.storageType == .local
      ? Side(directory: storage.rootPath, prefix: "") : Side(directory: nil, prefix: storage.rootPath)
  }
}
