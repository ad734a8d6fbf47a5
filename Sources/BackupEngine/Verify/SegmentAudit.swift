// Whether the lists of logs in the metadata can be whole segments. Logic without I/O.

import BackupFormat
import MilvusClient

/// Looks at the segments of one backup.
struct SegmentAudit: Sendable {
  let layout: BackupLayout
  /// Milvus up to 2.3 writes every field into every segment; later versions can add fields to collections.
  private let hasAllFields: Bool

  init(_ info: BackupInfo, layout: BackupLayout) {
    self.layout = layout
    hasAllFields = ServerVersion(reported: info.milvusVersion) < ServerVersion(2, 4, 0)
  }

  /// Notes what is wrong with the segments of a collection.
  func check(_ collection: CollectionBackupInfo, _ segments: [PromisedSegment], _ problems: ProblemList) {
    for segment in segments {
      let id = segment.info.segmentID
      let place = segment.objects.first.map { layout.key($0.key.segmentDirectory) + "/" } ?? "segment \(id)"
      guard segment.insertCount > 0 else {
        if !segment.info.isL0, segment.info.numOfRows > 0 {
          problems.add(.fields, place, "\(segment.info.numOfRows.counted("row")) but no insert logs")
        }
        continue
      }
      guard segment.info.storageVersion <= 1 else { continue }
      var counts: [Int64: Int] = [:]
      for object in segment.inserts { counts[object.key.fieldID, default: 0] += 1 }
      if Set(counts.values).count > 1 {
        let texts = counts.sorted { $0.key < $1.key }.map { "field \($0.key): \($0.value)" }
        problems.add(.fields, place, "different numbers of logs: " + texts.listed(8))
      }
      let missing = required(collection).subtracting(counts.keys).sorted()
      if !missing.isEmpty {
        problems.add(.fields, place, "no logs of \(missing.count == 1 ? "field" : "fields") \(missing.listed())")
      }
    }
  }

  /// Row id and timestamp, and what the schema names as far as each segment must have it.
  private func required(_ collection: CollectionBackupInfo) -> Set<Int64> {
    guard hasAllFields, let schema = collection.schema else { return [0, 1] }
    return Set(schema.fields.map(\.fieldID)).union([0, 1])
  }
}
