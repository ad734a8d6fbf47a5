// Between a BackupInfo tree and the bytes of the metadata files.
//
// Writing gives the files the shape that milvus-backup has given them since 0.5.13: the levelled files hold each level
// without the levels below it, so that a segment is described twice (segment and full) and not four times.

/// Writes and reads the metadata files of a backup.
public enum MetaFiles {
  /// A metadata file with its contents.
  public struct Encoded: Hashable, Sendable {
    /// Which file.
    public let file: MetaFile
    /// Its contents.
    public let bytes: [UInt8]

    /// Makes a file with its contents.
    public init(file: MetaFile, bytes: [UInt8]) {
      self.file = file
      self.bytes = bytes
    }
  }

  /// The files of a backup in the order in which they must be written: full_meta.json last.
  public static func encode(_ info: BackupInfo) -> [Encoded] {
    MetaFile.writeOrder.map { Encoded(file: $0, bytes: encode($0, of: info)) }
  }

  /// The contents of one file.
  ///
  /// - Returns: the bytes; `{}` for ``MetaFile/channelCheckpoint``, which current versions do not write.
  public static func encode(_ file: MetaFile, of info: BackupInfo) -> [UInt8] {
    switch file {
    case .backup: FieldEncoder.encode(backupLevel(of: info))
    case .collection: FieldEncoder.encode(LevelInfos(infos: info.collectionBackups.map(collectionLevel)))
    case .partition: FieldEncoder.encode(LevelInfos(infos: partitions(of: info).map(partitionLevel)))
    case .segment: FieldEncoder.encode(LevelInfos(infos: partitions(of: info).flatMap(\.segmentBackups)))
    case .full: FieldEncoder.encode(info)
    case .channelCheckpoint: FieldEncoder.encode(LevelInfos<RPCChannelInfo>())
    }
  }

  private static func partitions(of info: BackupInfo) -> [PartitionBackupInfo] {
    info.collectionBackups.flatMap(\.partitionBackups)
  }

  private static func backupLevel(of info: BackupInfo) -> BackupInfo {
    .with {
      $0.id = info.id
      $0.stateCode = info.stateCode
      $0.name = info.name
      $0.backupTimestamp = info.backupTimestamp
      $0.size = info.size
      $0.milvusVersion = info.milvusVersion
      $0.format = info.format
    }
  }

  private static func collectionLevel(_ collection: CollectionBackupInfo) -> CollectionBackupInfo {
    var level = collection
    level.l0Segments = []
    level.partitionBackups = collection.partitionBackups.map(partitionLevel)
    return level
  }

  private static func partitionLevel(_ partition: PartitionBackupInfo) -> PartitionBackupInfo {
    var level = partition
    level.segmentBackups = []
    return level
  }
}
