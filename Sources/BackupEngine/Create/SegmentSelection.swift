// Which of the segments Milvus lists go into a backup. Logic without I/O.
//
// Milvus 2.3 lists what its data coordinator takes for flushed or flushing and healthy; other versions list more. After
// a flush was waited for, everything written before it is in flushed segments, so that anything else holds later rows
// only. Without a flush such rows are left out on purpose.

import MilvusClient

/// Segments of one collection, sorted by what to do with them.
struct SegmentSelection: Sendable, Hashable {
  /// Durable and wanted.
  var saved: [SegmentInfo] = []
  /// On their way to the object store: look again soon.
  var flushing: [SegmentInfo] = []
  /// Left out because they hold what was written after the flush, or what an unfinished import has written.
  var leftOut: [SegmentInfo] = []
  /// Left out because their partition does not exist any more.
  var orphans: [SegmentInfo] = []

  /// Sorts segments.
  /// - Parameter partitions: the partitions that go into the backup.
  init(_ segments: [SegmentInfo], partitions: Set<Int64>) {
    for segment in segments.sorted(by: { $0.segmentID < $1.segmentID }) {
      switch segment.state {
      case .dropped, .notExist:
        break
      case .growing, .sealed, .importing:
        leftOut.append(segment)
      case _ where segment.partitionID != -1 && !partitions.contains(segment.partitionID):
        orphans.append(segment)
      case .flushing:
        flushing.append(segment)
      default:
        // Flushed; also servers that do not tell the state, and states of the future: a segment without its logs is
        // found out later, a segment left out silently would not be.
        saved.append(segment)
      }
    }
  }
}
