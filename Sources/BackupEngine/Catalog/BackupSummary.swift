// One backup as a listing shows it: state, sizes, rows, versions.

import BackupFormat
import ObjectStore

/// What a listing says of one directory below the backup root.
public struct BackupSummary: Sendable, Hashable, Encodable {
  /// Whether it can be restored, as far as a listing of its objects tells.
  public enum State: String, Sendable, Hashable, Encodable {
    /// Every object that the metadata promises is there with its size, and nothing else among them.
    case complete
    /// Objects are missing, have another size, or do not belong there.
    case incomplete
    /// There is no complete metadata: under way, given up, or no backup.
    case unfinished
    /// The metadata cannot be read.
    case unreadable
    /// A format that this program does not read.
    case unsupported
  }

  /// Name of the directory.
  public var name: String
  /// Whether it can be restored.
  public var state: State
  /// Why not, a sentence; empty for a complete backup.
  public var detail = ""
  /// Version of Milvus that it was made of; empty if unknown.
  public var milvusVersion = ""
  /// Number of collections.
  public var collections = 0
  /// Number of segments.
  public var segments = 0
  /// Rows, deleted ones included.
  public var rows: Int64 = 0
  /// Objects that lie below the directory, metadata included.
  public var objects = 0
  /// Bytes of these objects.
  public var bytes: Int64 = 0
  /// Bytes of the metadata among them.
  public var metaBytes: Int64 = 0
  /// When the newest metadata file, or without any the newest object, was written; UTC, such as `2026-01-31T09:05:00Z`.
  public var modified = ""
}

extension BackupCatalog {
  /// Looks at one backup: reads its metadata and lists its objects.
  /// - Throws: `EngineError` `.notFound` when nothing lies there, or why the store could not be read.
  public func summary(of name: String) async throws(EngineError) -> BackupSummary {
    try await during("Looking at the backup \(name) in \(store.location)") {
      let layout = BackupLayout(rootPath: root, backupName: name)
      var summary = BackupSummary(name: name, state: .complete)
      var promised: [PromisedObject] = []
      do {
        let info = try await BackupReader(store: store, layout: layout).metadata().info
        let contents = BackupContents(info)
        let totals = contents.totals
        summary.milvusVersion = info.milvusVersion
        (summary.collections, summary.segments, summary.rows) = (totals.collections, totals.segments, totals.rows)
        promised = contents.objects
      } catch let error as EngineError where error.code == .incomplete {
        (summary.state, summary.detail) = (.unfinished, error.message)
      } catch let error as EngineError where error.code == .unsupported {
        (summary.state, summary.detail) = (.unsupported, error.message)
      } catch let error as BackupFormatError {
        summary.state = error.code == .missingMetadata ? .unfinished : .unreadable
        summary.detail = error.message
      }
      try await list(layout, promised, into: &summary)
      return summary
    }
  }

  /// All backups, and directories that may become some, in the order of their names.
  public func summaries() async throws(EngineError) -> [BackupSummary] {
    let entries = try await entries()
    return try await during("Looking at the backups in \(store.location)") {
      try await mapConcurrently(entries, limit: 4) { entry -> BackupSummary? in
        do {
          return try await summary(of: entry.name)
        } catch let error as EngineError where error.code == .notFound {
          // Removed meanwhile.
          return nil
        }
      }.compactMap { $0 }
    }
  }

  private func list(
    _ layout: BackupLayout, _ promised: [PromisedObject], into summary: inout BackupSummary
  ) async throws {
    var check = CompletenessCheck(promised: promised)
    var newest: (meta: Int64, any: Int64) = (0, 0)
    try await store.listAll(ObjectKey(layout.directory)) { page in
      for object in page.objects {
        guard let path = layout.path(ofKey: object.key.string) else { continue }
        summary.objects += 1
        summary.bytes += object.size
        newest.any = max(newest.any, object.modified)
        if path.utf8.starts(with: "meta/".utf8) {
          summary.metaBytes += object.size
          newest.meta = max(newest.meta, object.modified)
        }
        check.add(path: path, size: object.size)
      }
    }
    let modified = newest.meta > 0 ? newest.meta : newest.any
    summary.modified = modified > 0 ? UTCTime(secondsSince1970: modified).iso8601 : ""
    guard summary.state == .complete else { return }
    let result = check.finish()
    let faults = [
      ("missing", result.missing.count, result.missing.first?.path),
      ("of another size", result.wrongSizes.count, result.wrongSizes.first?.promised.path),
      ("not part of it", result.extra.count, result.extra.first),
    ].filter { $0.1 > 0 }
    guard let example = faults.first?.2 else { return }
    summary.state = .incomplete
    summary.detail =
      faults.map { "\($0.1.counted("object")) \($0.0)" }.joined(separator: ", ") + ", such as \(example)."
  }
}
