// Reads a backup's metadata and compares its promises with what lies in the store.

import BackupFormat
import ObjectStore

/// One backup in a store.
struct BackupReader: Sendable {
  let store: any ObjectStore
  let layout: BackupLayout

  private var place: String { "below \(layout.directory) in \(store.location)" }

  /// Reads the metadata.
  /// - Throws: `EngineError` `.notFound` (no such backup), `.incomplete` (no complete metadata), `.corrupted`,
  ///   `.unsupported` (another format).
  func metadata() async throws -> MetaFiles.Reading {
    guard !layout.backupName.isEmpty, !layout.backupName.contains("/"), ![".", ".."].contains(layout.backupName) else {
      throw EngineError(.invalidRequest, "\(layout.backupName.debugDescription) cannot be the name of a backup.")
    }
    var files: [MetaFile: [UInt8]] = [:]
    if let full = try await contents(.full) {
      files[.full] = full
    } else {
      for file in MetaFile.levels { files[file] = try await contents(file) }
      if files.isEmpty { try await explainAbsence() }
    }
    let reading = try MetaFiles.decode(files)
    switch reading.info.dataFormat {
    case .binlog:
      return reading
    case .snapshot:
      throw EngineError(
        .unsupported,
        """
        The backup \(layout.backupName) is a snapshot exported by Milvus 3. This program restores backups of log objects \
        only; use milvus-backup for it.
        """)
    case .unknown(let format):
      throw EngineError(
        .unsupported,
        "The backup \(layout.backupName) has the format \(format.debugDescription), which this program does not know.")
    }
  }

  /// Checks that every log object of these collections is there with its size, and nothing else among them.
  /// - Throws: `EngineError` `.incomplete` or `.corrupted`, naming the first objects concerned and their number.
  func checkObjects(of collections: [CollectionBackupInfo]) async throws {
    let contents = BackupContents(collections: collections)
    if let problem = contents.problems.first {
      throw EngineError(
        .incomplete, "The metadata of the backup \(layout.backupName) cannot be relied on: \(problem)")
    }
    let promised = contents.objects
    var check = CompletenessCheck(promised: promised)
    let directories = Set(collections.map(\.collectionID)).sorted().flatMap { id in
      [LogKey.Kind.insert, .delta].map { "binlogs/\($0.rawValue)/\(id)/" }
    }
    for directory in directories {
      try await store.listAll(ObjectKey(layout.key(directory) + "/")) { page in
        for object in page.objects {
          if let path = layout.path(ofKey: object.key.string) { check.add(path: path, size: object.size) }
        }
      }
    }
    try report(check.finish(), promised: promised.count)
  }

  private func report(_ result: Completeness, promised: Int) throws(EngineError) {
    if !result.missing.isEmpty {
      throw EngineError(
        .incomplete,
        """
        The backup \(layout.backupName) is not complete: of \(promised.counted("log object")) \
        \(result.missing.count.grouped) are missing \(place): \(result.missing.map(\.path).listed()). \
        Copy the backup again, or what is missing of it.
        """)
    }
    if let first = result.wrongSizes.first {
      throw EngineError(
        .incomplete,
        """
        The backup \(layout.backupName) is damaged: \(result.wrongSizes.count.counted("object")) \(place) have another \
        size than when they were saved (\(result.wrongSizes.map(\.promised.path).listed()); the first has \
        \(first.actualSize.grouped) bytes instead of \((first.promised.size ?? 0).grouped)). Copy them again.
        """)
    }
    if !result.extra.isEmpty {
      throw EngineError(
        .corrupted,
        """
        Among the log objects of the backup \(layout.backupName) lie \(result.extra.count.counted("object")) that its \
        metadata does not know, \(place): \(result.extra.listed()). Milvus would import them with the others. \
        Remove them, then restore again.
        """)
    }
  }

  private func contents(_ file: MetaFile) async throws -> [UInt8]? {
    do {
      return try await store.get(ObjectKey(layout.key(file)), range: nil, version: nil).bytes
    } catch let error as StoreError where error.code == .notFound {
      return nil
    }
  }

  private func explainAbsence() async throws {
    let page = try await store.list(ListRequest(prefix: ObjectKey(layout.directory), limit: 1))
    if page.objects.isEmpty {
      throw EngineError(.notFound, "There is no backup \(layout.backupName): nothing lies \(place).")
    }
    throw EngineError(
      .incomplete,
      """
      The backup \(layout.backupName) has no metadata: there are objects \(place), but no meta/full_meta.json. It was not \
      finished or not copied completely. Metadata is always written last: wait until the copy has ended, or copy again.
      """)
  }
}
