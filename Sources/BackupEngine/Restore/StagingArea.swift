// Copies of a backup's log objects in Milvus' own bucket: Milvus imports from nowhere else.
//
// Invariants: everything lies below one directory below Milvus' root path that belongs to one restore and is in its ledger
// before the first copy; a bundle's copies are removed when its import has ended, and the whole directory when the restore
// has, whatever the outcome, but for what Milvus may still be reading. What that and a crash leave is found by the record
// that the restore kept on disk.

import BackupFormat
import FoundationEssentials
import ObjectStore

/// The temporary directory of one restore.
struct StagingArea: Sendable {
  let context: EngineContext
  let layout: BackupLayout
  /// Key prefix of everything in it, ending with a slash.
  let directory: String

  /// Names a directory that nothing else uses. Nothing is written yet.
  init(context: EngineContext, layout: BackupLayout) {
    self.context = context
    self.layout = layout
    directory = ObjectPath.join(context.milvusRoot, "restore-temp-\(UUID().uuidString.lowercased())") + "/"
  }

  /// Copies a bundle's directories.
  /// - Returns: the key prefix below which the bundle's relative directories lie now, ending with a slash.
  func stage(_ bundle: ImportBundle, as number: Int) async throws -> String {
    let base = "\(directory)\(number)/"
    var objects: [ObjectInfo] = []
    for source in bundle.sources {
      objects += try await context.backups.listAll(ObjectKey(layout.key(source) + "/"))
    }
    guard objects.count == bundle.objects else {
      throw EngineError(
        .changed,
        """
        The backup \(layout.backupName) changed while it was restored: \(bundle.objects.counted("object")) of the \
        partition \(bundle.partitionName) were there, now there are \(objects.count.grouped).
        """)
    }
    try await forEachConcurrently(objects, limit: context.limits.copiesInFlight) { object in
      guard let path = layout.path(ofKey: object.key.string) else { return }
      try await copy(object, as: ObjectKey(base + path))
    }
    return base
  }

  /// Copies one object. What one request does is not given up in mid-flight: the store may carry it out all the same, after
  /// the directory was removed.
  private func copy(_ object: ObjectInfo, as key: ObjectKey) async throws {
    try Task.checkCancellation()
    let copy = { @Sendable () async throws -> Void in
      try await ObjectCopier(budget: context.budget)
        .copy(object, from: context.backups, to: context.milvusObjects, as: key)
    }
    let isOneRequest =
      object.size <= Int64(ObjectCopier.partSize)
      || context.backups.location.isSameService(as: context.milvusObjects.location)
    if isOneRequest { try await Task { try await copy() }.value } else { try await copy() }
  }
}
