// What `check` found, as a table for people and as JSON for programs.

import FoundationEssentials

/// One thing that was tried.
struct CheckItem: Encodable, Sendable, Equatable {
  /// What is checked.
  enum Side: String, Encodable, Sendable {
    /// The bucket of the backups.
    case backups
    /// The bucket that Milvus works in.
    case milvusObjects = "milvus objects"
    /// The two buckets together.
    case both
    /// The server.
    case milvus
  }

  enum Result: String, Encodable, Sendable {
    case ok, failed, skipped
  }

  var side: Side
  /// What was tried.
  var what: String
  var result: Result
  /// Why it failed or was skipped, and what to do; for successes what there is to tell. May be empty.
  var detail = ""
}

/// One upload, or other leftover, that `--sweep` came across.
struct SweepItem: Encodable, Sendable, Equatable {
  enum Result: String, Encodable, Sendable {
    case removed, left, failed
  }

  var what: String
  var result: Result
  var detail: String
}

/// All that was found.
struct CheckReport: Encodable, Sendable {
  var store: String
  var items: [CheckItem] = []
  /// Nil when it was not asked for.
  var sweep: [SweepItem]?

  init(store: String) { self.store = store }

  private enum CodingKeys: String, CodingKey {
    case store, ok, checks, sweep
  }

  /// Whether nothing failed.
  var isGood: Bool {
    items.allSatisfy { $0.result != .failed } && (sweep ?? []).allSatisfy { $0.result != .failed }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(store, forKey: .store)
    try container.encode(isGood, forKey: .ok)
    try container.encode(items, forKey: .checks)
    try container.encodeIfPresent(sweep, forKey: .sweep)
  }

  /// One JSON object, with a line end.
  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
  }

  /// A line for each item.
  func table() -> String {
    var rows = [["WHERE", "WHAT", "RESULT", "DETAIL"]]
    rows += items.map { [$0.side.rawValue, $0.what, $0.result.rawValue, $0.detail] }
    if let sweep {
      rows += sweep.map { ["sweep", $0.what, $0.result.rawValue, $0.detail] }
      if sweep.isEmpty { rows.append(["sweep", "unfinished uploads", "ok", "the journal has none of this store"]) }
    }
    let widths = (0..<3).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      var line = ""
      for (column, width) in widths.enumerated() {
        line += row[column] + String(repeating: " ", count: width - row[column].count + 2)
      }
      line += row[3]
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }.joined()
  }
}
