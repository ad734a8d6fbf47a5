// Tables for people, and the summary that `get --long` prints.

import BackupEngine
import BackupFormat

enum CatalogTable {
  /// A line for each backup.
  static func text(_ summaries: [BackupSummary]) -> String {
    var rows = [["NAME", "STATE", "COLLECTIONS", "ROWS", "SIZE", "MILVUS", "WRITTEN"]]
    rows += summaries.map { summary in
      [
        summary.name, summary.state.rawValue, "\(summary.collections)", "\(summary.rows)", size(summary.bytes),
        summary.milvusVersion, summary.modified,
      ]
    }
    return lines(rows, rightAligned: [2, 3, 4])
  }

  /// Columns as wide as their widest cell, two blanks between them.
  static func lines(_ rows: [[String]], rightAligned: Set<Int> = []) -> String {
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      var line = row.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return rightAligned.contains(column) ? padding + cell : cell + padding
      }.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }.joined()
  }

  /// Bytes with a unit and three digits, such as `12.3 MiB`.
  static func size(_ bytes: Int64) -> String {
    guard bytes >= 1024 else { return "\(bytes) B" }
    var value = Double(bytes)
    var units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"][...]
    repeat { value /= 1024 } while value >= 1000 && units.count > 1 && units.popFirst() != nil
    let digits = value < 10 ? 100.0 : value < 100 ? 10.0 : 1.0
    let rounded = (value * digits).rounded() / digits
    let text = digits == 1 ? "\(Int(rounded))" : "\(rounded)"
    return "\(text) \(units.first ?? "")"
  }
}

/// One backup with its collections.
struct BackupView: Encodable {
  struct Collection: Encodable {
    var database: String
    var name: String
    var partitions: Int
    var segments: Int
    var rows: Int64
    var bytes: Int64
    var fields: Int
    var indexes: Int
    var aliases: [String]
    var loadState: String
  }

  var backup: BackupSummary
  var databases: [String] = []
  var collections: [Collection] = []

  /// Looks at a backup; what its metadata does not tell is left out.
  init(_ name: String, in catalog: BackupCatalog) async throws {
    backup = try await catalog.summary(of: name)
    guard backup.state == .complete || backup.state == .incomplete else { return }
    let info = try await catalog.description(of: name).info
    databases = info.databaseBackups.map(\.dbName)
    collections = info.collectionBackups.map { collection in
      let totals = BackupContents(collections: [collection]).totals
      return Collection(
        database: collection.databaseName, name: collection.collectionName, partitions: totals.partitions,
        segments: totals.segments, rows: totals.rows, bytes: totals.bytes, fields: collection.schema?.fields.count ?? 0,
        indexes: collection.indexInfos.count, aliases: collection.aliases, loadState: collection.loadState)
    }
  }

  /// Lines of `key: value`, then a table of the collections.
  var text: String {
    var pairs: [(String, String)] = [("name", backup.name), ("state", backup.state.rawValue)]
    if !backup.detail.isEmpty { pairs.append(("detail", backup.detail)) }
    if !backup.milvusVersion.isEmpty { pairs.append(("milvus", backup.milvusVersion)) }
    pairs += [
      ("written", backup.modified), ("rows", "\(backup.rows) (deleted ones included)"),
      ("size", "\(backup.bytes) bytes in \(backup.objects) objects, \(backup.metaBytes) of them metadata"),
    ]
    if !databases.isEmpty { pairs.append(("databases", databases.joined(separator: " "))) }
    let head = pairs.map { "\($0.0): \($0.1)\n" }.joined()
    guard !collections.isEmpty else { return head }
    var rows = [["COLLECTION", "PARTITIONS", "SEGMENTS", "ROWS", "SIZE", "INDEXES", "LOADED", "ALIASES"]]
    rows += collections.map { collection in
      [
        "\(collection.database).\(collection.name)", "\(collection.partitions)", "\(collection.segments)",
        "\(collection.rows)", CatalogTable.size(collection.bytes), "\(collection.indexes)", collection.loadState,
        collection.aliases.joined(separator: " "),
      ]
    }
    return head + "\n" + CatalogTable.lines(rows, rightAligned: [1, 2, 3, 4, 5])
  }
}
