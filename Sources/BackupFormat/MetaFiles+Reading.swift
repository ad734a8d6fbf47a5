// Reading the metadata of backups of all generations.
//
// full_meta.json alone tells everything. Without it the four levelled files are joined by their ids, whatever nested
// copies they hold: before 0.5.13 each file repeated all the levels below it.

extension MetaFiles {
  /// A backup's metadata as it was read.
  public struct Reading: Hashable, Sendable {
    /// The whole tree.
    public var info: BackupInfo
    /// ``MetaFile/full``, or ``MetaFile/backup`` if the tree was joined from the levelled files.
    public var source: MetaFile
    /// What does not fit together although it could be read, one sentence each.
    public var warnings: [String]
  }

  /// Reads a backup's metadata.
  ///
  /// - Parameter files: the contents of the files that exist. If ``MetaFile/full`` is there the others are not looked
  ///   at and need not be fetched.
  /// - Throws: a ``BackupFormatError`` naming the missing files, or the file, place and problem of a malformed one.
  public static func decode(_ files: [MetaFile: [UInt8]]) throws(BackupFormatError) -> Reading {
    if let full = files[.full] {
      return Reading(info: try decode(BackupInfo.self, .full, full), source: .full, warnings: [])
    }
    let missing = MetaFile.levels.filter { files[$0] == nil }
    guard missing.isEmpty, let backup = files[.backup], let collections = files[.collection],
      let partitions = files[.partition], let segments = files[.segment]
    else {
      throw BackupFormatError(.missingMetadata, missingMessage(missing))
    }
    var join = LevelJoin(backup: try decode(BackupInfo.self, .backup, backup))
    join.add(segments: try decode(LevelInfos<SegmentBackupInfo>.self, .segment, segments).infos)
    join.add(partitions: try decode(LevelInfos<PartitionBackupInfo>.self, .partition, partitions).infos)
    join.add(collections: try decode(LevelInfos<CollectionBackupInfo>.self, .collection, collections).infos)
    return join.finish()
  }

  /// Reads one BackupInfo: ``MetaFile/full`` with everything in it, or ``MetaFile/backup`` with the scalars only.
  ///
  /// - Throws: a ``BackupFormatError`` naming the file, the place and the problem.
  public static func decodeBackupInfo(_ file: MetaFile, _ bytes: [UInt8]) throws(BackupFormatError) -> BackupInfo {
    try decode(BackupInfo.self, file, bytes)
  }

  /// The ids of the collections that ``MetaFile/collection`` lists.
  public static func collectionIDs(_ bytes: [UInt8]) throws(BackupFormatError) -> [Int64] {
    try decode(LevelInfos<CollectionBackupInfo>.self, .collection, bytes).infos.map(\.collectionID)
  }

  /// The ids of the partitions that ``MetaFile/partition`` lists.
  public static func partitionIDs(_ bytes: [UInt8]) throws(BackupFormatError) -> [Int64] {
    try decode(LevelInfos<PartitionBackupInfo>.self, .partition, bytes).infos.map(\.partitionID)
  }

  /// The ids of the segments that ``MetaFile/segment`` lists.
  public static func segmentIDs(_ bytes: [UInt8]) throws(BackupFormatError) -> [Int64] {
    try decode(LevelInfos<SegmentBackupInfo>.self, .segment, bytes).infos.map(\.segmentID)
  }

  private static func decode<Message: FieldVisitable>(
    _ type: Message.Type, _ file: MetaFile, _ bytes: [UInt8]
  ) throws(BackupFormatError) -> Message {
    do {
      return try FieldDecoder.decode(type, from: bytes)
    } catch {
      throw BackupFormatError(
        .malformedMetadata,
        "\(file.path) cannot be read: \(error). The file is damaged or was not copied completely; copy it again.")
    }
  }

  private static func missingMessage(_ missing: [MetaFile]) -> String {
    let names = missing.map(\.path).joined(separator: ", ")
    let whole = "\(MetaFile.full.path) is missing, and of the files that could replace it also \(names)"
    return "The backup has no complete metadata: \(whole). It was not finished or not copied completely."
  }
}
