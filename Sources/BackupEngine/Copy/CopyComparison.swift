// What lies at the two ends of a copy, and which objects need not be moved.

import BackupFormat
import ObjectStore

/// The objects of a backup's directory by their paths below it.
struct DirectoryListing: Sendable {
  let layout: BackupLayout
  let store: any ObjectStore
  private(set) var objects: [String: ObjectInfo] = [:]

  /// Lists a directory.
  init(_ layout: BackupLayout, in store: any ObjectStore) async throws {
    self.layout = layout
    self.store = store
    var objects: [String: ObjectInfo] = [:]
    try await store.listAll(ObjectKey(layout.directory)) { page in
      for object in page.objects {
        if let path = layout.path(ofKey: object.key.string), !path.isEmpty { objects[path] = object }
      }
    }
    self.objects = objects
  }

  /// Paths and objects of the data, in the order of their paths.
  var data: [(path: String, object: ObjectInfo)] {
    objects.filter { BackupLayout.copyRank(ofPath: $0.key) == 0 }.sorted { $0.key < $1.key }
      .map { (path: $0.key, object: $0.value) }
  }

  /// Paths and objects of the metadata, in the order in which they have to be copied.
  var metadata: [(path: String, object: ObjectInfo)] {
    objects.filter { BackupLayout.copyRank(ofPath: $0.key) > 0 }
      .sorted { (BackupLayout.copyRank(ofPath: $0.key), $0.key) < (BackupLayout.copyRank(ofPath: $1.key), $1.key) }
      .map { (path: $0.key, object: $0.value) }
  }

  /// Objects below `binlogs/` of which another listing has none.
  func extra(to other: DirectoryListing) -> [String] {
    objects.keys.filter { other.objects[$0] == nil && $0.utf8.starts(with: "binlogs/".utf8) }.sorted()
  }
}

extension ObjectInfo {
  /// Whether two objects in different stores are known to have the same bytes.
  ///
  /// Their ETags are equal MD5 sums, of the bytes or of the same parts (what S3 prescribes without encryption by KMS or
  /// by customers' keys, whose ETags are no sums of anything and differ), or a journal joins the two.
  func isKnownEqual(to target: ObjectInfo, _ path: String, _ journal: CopyJournal?) -> Bool {
    guard size == target.size else { return false }
    if etag.isMD5, etag == target.etag { return true }
    return journal?.joins(path, source: self, target: target) ?? false
  }
}
