// What a backup that did not finish has left, and what of it can be used again.
//
// Milvus never writes a log object twice and never gives a log id twice, so that an object of the same key and size is the
// same log. Stores publish objects whole or not at all.

import BackupFormat
import ObjectStore

/// The objects of an unfinished backup.
struct Remains: Sendable {
  /// Log objects with their sizes.
  var data: [ObjectKey: Int64] = [:]
  /// Metadata files, in the order in which they must be removed: the backup is known by the first.
  var metadata: [ObjectKey] = []

  /// Nothing.
  static let none = Remains()

  /// Lists what lies below a backup's directory.
  /// - Throws: `EngineError` `.alreadyExists` when it is a whole backup, `.invalidRequest` when other things lie there.
  static func find(_ layout: BackupLayout, in store: any ObjectStore) async throws -> Remains {
    var remains = Remains()
    var foreign: [String] = []
    try await store.listAll(ObjectKey(layout.directory)) { page in
      for object in page.objects {
        guard let path = layout.path(ofKey: object.key.string) else { continue }
        if LogKey(backupPath: path) != nil {
          remains.data[object.key] = object.size
        } else if !MetaFile.allCases.contains(where: { $0.path == path }) {
          foreign.append(path)
        }
      }
    }
    let place = "below \(layout.directory) in \(store.location)"
    for file in MetaFile.allCases {
      let key = ObjectKey(layout.key(file))
      do {
        _ = try await store.head(key)
      } catch let error as StoreError where error.code == .notFound {
        continue
      }
      guard file != .full else {
        throw EngineError(
          .alreadyExists,
          "The backup \(layout.backupName) \(place) is finished; there is nothing to resume. Choose another name.")
      }
      remains.metadata.append(key)
    }
    guard foreign.isEmpty else {
      throw EngineError(
        .invalidRequest,
        """
        The backup \(layout.backupName) cannot be resumed: \(place) lie objects that no backup has, such as \
        \(foreign.sorted().listed(3)). Choose another name, or delete that backup.
        """)
    }
    return remains
  }
}
