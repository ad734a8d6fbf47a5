// Rows that came back against rows that were saved. Logic without I/O.
//
// A segment's row count in the metadata does not know its deletes, and how many rows the delta logs delete is not told
// anywhere. So a segment without deltas must come back whole, and one with deltas with at most as many rows.

/// Rows of one import, or of several of one partition.
struct RowAccount: Sendable, Hashable {
  /// Rows saved, deletes not applied.
  var saved: Int64 = 0
  /// Rows of segments without deletes.
  var certain: Int64 = 0
  /// Rows Milvus says it imported.
  var restored: Int64 = 0

  /// What cannot be right; nil if all can.
  var problem: String? {
    if restored > saved {
      return "\(restored.counted("row")) came back, but the backup holds \(saved.grouped)"
    }
    guard restored < certain else { return nil }
    let deletes = certain == saved ? "" : ", of which \(certain.grouped) cannot have been deleted"
    return "only \(restored.counted("row")) came back; the backup holds \(saved.grouped)\(deletes)"
  }

  static func += (left: inout RowAccount, right: RowAccount) {
    left.saved += right.saved
    left.certain += right.certain
    left.restored += right.restored
  }
}
