// Whether the metadata files of a backup belong together.
//
// Source: the milvus-backup format. full_meta.json alone is read when it exists, but the official tool takes a directory
// for a backup only if backup_meta.json exists, and joins the levelled files when full_meta.json is lost.

import BackupFormat
import ObjectStore

/// Looks at the metadata files of one backup.
struct MetadataAudit: Sendable {
  let store: any ObjectStore
  let layout: BackupLayout

  /// Notes what is wrong with the files beside those that were read already.
  /// - Returns: bytes read.
  func check(_ reading: MetaFiles.Reading, _ problems: ProblemList) async throws -> Int64 {
    var bytesRead: Int64 = 0
    guard reading.source == .full else { return 0 }
    for file in MetaFile.levels {
      let key = layout.key(file)
      do {
        let bytes = try await store.get(ObjectKey(key), range: nil, version: nil).bytes
        bytesRead += Int64(bytes.count)
        if let problem = Self.problem(of: file, bytes, reading.info) { problems.add(.metadata, key, problem) }
      } catch let error as StoreError where error.code == .notFound {
        problems.add(.metadata, key, "it is missing")
      }
    }
    return bytesRead
  }

  /// What is wrong with a levelled file beside a whole tree.
  static func problem(of file: MetaFile, _ bytes: [UInt8], _ info: BackupInfo) -> String? {
    do {
      switch file {
      case .backup:
        let level = try MetaFiles.decodeBackupInfo(.backup, bytes)
        guard level.id == info.id, level.name == info.name else {
          return "it is of the backup \(level.name) (\(level.id)), full_meta.json of \(info.name) (\(info.id))"
        }
      case .collection:
        let here = try MetaFiles.collectionIDs(bytes)
        let there = info.collectionBackups.map(\.collectionID)
        guard Set(here) == Set(there) else { return "it lists other collections than full_meta.json" }
      case .segment:
        let here = try MetaFiles.segmentIDs(bytes)
        let partitions = info.collectionBackups.flatMap(\.partitionBackups)
        let wanted = Set(partitions.flatMap(\.segmentBackups).map(\.segmentID))
        // The lists of old versions also hold segments of all partitions.
        let wide = Set(info.collectionBackups.flatMap(\.l0Segments).map(\.segmentID))
        guard Set(here).subtracting(wide) == wanted.subtracting(wide) else {
          return "it lists other segments than full_meta.json"
        }
      default:
        let here = try MetaFiles.partitionIDs(bytes)
        let there = info.collectionBackups.flatMap(\.partitionBackups).map(\.partitionID)
        guard Set(here) == Set(there) else { return "it lists other partitions than full_meta.json" }
      }
      return nil
    } catch {
      return "\(error)"
    }
  }
}
