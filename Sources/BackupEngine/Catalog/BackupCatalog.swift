// What backups a store holds, without reading more than it takes to say so.

import BackupFormat
import ObjectStore

/// Looks at the backups below a root.
public struct BackupCatalog: Sendable {
  /// A directory below the backup root.
  public struct Entry: Sendable, Hashable {
    /// Its name.
    public var name: String
    /// Whether metadata lies in it: what makes a directory a backup.
    public var hasMetadata: Bool
  }

  /// Backup metadata together with the size of its files.
  public struct Description: Sendable {
    /// The whole tree.
    public var info: BackupInfo
    /// Bytes of all objects below `meta/`.
    public var metaSize: Int64
    /// What did not fit together.
    public var warnings: [String]

    /// Makes a description.
    public init(info: BackupInfo, metaSize: Int64, warnings: [String] = []) {
      self.info = info
      self.metaSize = metaSize
      self.warnings = warnings
    }
  }

  let store: any ObjectStore
  let root: String

  /// Looks below `root` of a bucket.
  public init(store: any ObjectStore, root: String) {
    self.store = store
    self.root = root
  }

  /// The directories below the root, in bytewise order of their names.
  /// - Throws: `EngineError` telling why the store could not be read.
  public func entries() async throws(EngineError) -> [Entry] {
    try await during("Looking at the backups in \(store.location)") {
      let prefix = ObjectKey(BackupLayout.listingPrefix(rootPath: root))
      var request = ListRequest(prefix: prefix, groupedByDirectory: true)
      var names: [String] = []
      repeat {
        let page = try await store.list(request)
        names += page.directories.map { String($0.string.dropFirst(prefix.string.count).dropLast()) }
        request.continuation = page.continuation
      } while request.continuation != nil
      let entries = try await mapConcurrently(names, limit: 16) { name -> Entry? in
        let layout = BackupLayout(rootPath: root, backupName: name)
        // Both generations of metadata: full_meta.json alone, or the levelled files.
        for file in [MetaFile.full, .backup] where try await exists(layout.key(file)) {
          return Entry(name: name, hasMetadata: true)
        }
        // Some stores keep showing a directory whose last object is gone.
        let anything = try await store.list(ListRequest(prefix: ObjectKey(layout.directory), limit: 1)).objects
        return anything.isEmpty ? nil : Entry(name: name, hasMetadata: false)
      }
      return entries.compactMap { $0 }
    }
  }

  /// The metadata of one backup.
  /// - Throws: `EngineError` `.notFound`, `.incomplete`, `.corrupted`, or why the store could not be read.
  public func description(of name: String) async throws(EngineError) -> Description {
    try await during("Looking at the backups in \(store.location)") {
      let layout = BackupLayout(rootPath: root, backupName: name)
      let reading = try await BackupReader(store: store, layout: layout).metadata()
      let metaSize = try await store.listAll(ObjectKey(layout.directory + "meta/")).reduce(0) { $0 + $1.size }
      return Description(info: reading.info, metaSize: metaSize, warnings: reading.warnings)
    }
  }

  private func exists(_ key: String) async throws -> Bool {
    do {
      _ = try await store.head(ObjectKey(key))
      return true
    } catch let error as StoreError where error.code == .notFound {
      return false
    }
  }
}
