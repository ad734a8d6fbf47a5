// The log objects of one segment as they were listed in Milvus' bucket, and whether they can be right. Logic without I/O.

import BackupFormat
import MilvusClient
import ObjectStore

/// One segment with its log objects.
struct SegmentFiles: Sendable, Hashable {
  /// One log object: where it lies in Milvus' bucket, and which log it is in the backup.
  struct File: Sendable, Hashable {
    var source: ObjectInfo
    var log: LogKey
  }

  /// What can be wrong with a listing.
  enum Problem: Error, Hashable, CustomStringConvertible {
    /// Rows, but no insert log.
    case noInsertLogs(segmentID: Int64, rows: Int64)
    /// Fields with different numbers of files.
    case unevenFields(segmentID: Int64, counts: [Int64: Int])
    /// Fields of the schema without any file.
    case missingFields(segmentID: Int64, fields: [Int64])
    /// Logs that the server names but the listing does not have.
    case missingLogs(segmentID: Int64, count: Int)

    /// A clause that says what is wrong.
    var description: String {
      switch self {
      case .noInsertLogs(let segment, let rows):
        "segment \(segment) has \(rows.counted("row")) but no insert logs"
      case .unevenFields(let segment, let counts):
        "the fields of segment \(segment) have different numbers of files ("
          + counts.sorted { $0.key < $1.key }.map { "field \($0.key): \($0.value)" }.listed() + ")"
      case .missingLogs(let segment, let count):
        "of segment \(segment) \(count.counted("log")) that Milvus names \(count == 1 ? "does" : "do") not exist"
      case .missingFields(let segment, let fields):
        "segment \(segment) has no files for \(fields.count == 1 ? "field" : "fields") \(fields.sorted().listed())"
      }
    }
  }

  /// The segment.
  let segment: SegmentInfo
  /// Its insert logs, in key order.
  let inserts: [File]
  /// Its delta logs, in key order.
  let deltas: [File]
  /// Virtual channel; empty if the server did not tell it.
  let vChannel: String

  /// Whether the segment holds deletes only.
  var isL0: Bool { segment.level == .l0 }
  /// Bytes of all log objects.
  var size: Int64 { files.reduce(0) { $0 + $1.source.size } }
  /// All log objects, inserts first.
  var files: [File] { inserts + deltas }

  /// Takes a segment's listings apart.
  /// - Parameter described: the log ids that the server names; anything else that was listed is a leftover of an upload
  ///   that was repeated, and not part of the segment.
  /// - Parameter levelsAreHidden: whether the server does not tell which segments hold deletes only.
  /// - Throws: `BackupFormatError` when a key is not that of a log; `Problem` when a named log is not there.
  init(
    _ segment: SegmentInfo, inserts: [ObjectInfo], deltas: [ObjectInfo], rootPath: String,
    described: DescribedSegment? = nil, levelsAreHidden: Bool = false
  ) throws {
    var segment = segment
    // A segment of rows always has insert logs; what has deletes only and no level is one of deletes.
    if levelsAreHidden, segment.level == .legacy, segment.numOfRows == 0, inserts.isEmpty, !deltas.isEmpty {
      segment.level = .l0
    }
    self.segment = segment
    vChannel = described?.vChannel ?? ""
    // Deletes of all partitions have no group (milvus-backup format); everything else has one per segment.
    let group = segment.partitionID == SegmentBackupInfo.allPartitions ? 0 : segment.segmentID
    func files(_ objects: [ObjectInfo]) throws(BackupFormatError) -> [File] {
      var files: [File] = []
      for object in objects {
        var log = try LogKey(milvusKey: object.key.string, rootPath: rootPath)
        log.groupID = group
        files.append(File(source: object, log: log))
      }
      return files
    }
    let (allInserts, allDeltas) = (try files(inserts), try files(deltas))
    guard let described else {
      (self.inserts, self.deltas) = (allInserts, allDeltas)
      return
    }
    self.inserts = allInserts.filter { described.inserts[$0.log.fieldID]?.contains($0.log.logID) ?? false }
    self.deltas = allDeltas.filter { described.deltas.contains($0.log.logID) }
    let named = described.inserts.values.reduce(0) { $0 + $1.count } + described.deltas.count
    let missing = named - self.inserts.count - self.deltas.count
    if missing > 0 { throw Problem.missingLogs(segmentID: segment.segmentID, count: missing) }
  }

  /// Checks that the logs can be a whole segment.
  /// - Parameter required: field ids that each segment must have; empty where that is not known.
  func check(required: Set<Int64>) throws(Problem) {
    guard !isL0 else { return }
    guard !inserts.isEmpty else {
      if segment.numOfRows > 0 { throw .noInsertLogs(segmentID: segment.segmentID, rows: segment.numOfRows) }
      return
    }
    var counts: [Int64: Int] = [:]
    for file in inserts { counts[file.log.fieldID, default: 0] += 1 }
    if Set(counts.values).count > 1 { throw .unevenFields(segmentID: segment.segmentID, counts: counts) }
    guard segment.storageVersion <= 1 else { return }
    let missing = required.subtracting(counts.keys)
    if !missing.isEmpty { throw .missingFields(segmentID: segment.segmentID, fields: missing.sorted()) }
  }
}
