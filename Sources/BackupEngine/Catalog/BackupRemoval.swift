// Removes a backup whole, whatever state it is in.
//
// Invariants: no key outside the backup's directory is touched; metadata goes first, so that at no moment what is left
// looks like a complete backup; it can be repeated until nothing is left.

import BackupFormat
import ObjectStore

/// The removal of backups.
public enum BackupRemoval {
  /// What was removed.
  public struct Report: Sendable, Hashable {
    /// Name of the backup.
    public var backup: String
    /// Where it was: directory and bucket.
    public var place: String
    /// Objects removed.
    public var objects = 0
    /// Their bytes.
    public var bytes: Int64 = 0
    /// Unfinished uploads aborted.
    public var uploads = 0
    /// What went another way than expected without leaving objects behind.
    public var warnings: [String] = []

    /// The result in one sentence.
    public var summary: String {
      let aborted = uploads > 0 ? " and \(uploads.counted("unfinished upload"))" : ""
      return "Removed \(objects.counted("object")) with \(bytes.grouped) bytes\(aborted) \(place)."
    }
  }

  /// Most rounds of listing and removing: more are needed only while something else writes there.
  private static let rounds = 5

  /// Removes the backup `name`.
  /// - Throws: `EngineError` `.notFound` when nothing lies there, `.invalidRequest` when the directory is no backup's or
  ///   holds Milvus' own objects, or why the store refused; what is left then can be removed by the same call.
  public static func run(
    _ name: String, in context: EngineContext, _ progress: JobProgress = JobProgress()
  ) async throws(EngineError) -> Report {
    try await during("Removing the backup \(name) of \(context.storeName)") {
      let layout = BackupLayout(rootPath: context.backupRoot, backupName: name)
      try check(name, layout, context)
      try await checkIsBackup(layout, in: context.backups)
      var report = Report(backup: name, place: "below \(layout.directory) in \(context.backups.location)")
      progress.enter("removing", percent: 0...99)
      do {
        // The two files by which a backup is known, in the order that leaves none that looks whole.
        for file in [MetaFile.full, .backup] { try await remove(file, layout, context.backups, &report) }
        try await removeAll(layout, context.backups, &report, progress)
      } catch {
        throw EngineError(error, during: "Removing the backup \(name) of \(context.storeName)").adding(
          aftermath: """
            \(report.objects.counted("object")) \(report.place) were removed before that; the rest is no complete backup \
            any more. Remove the cause and delete the backup again.
            """)
      }
      await abortUploads(layout, context.backups, &report)
      progress.finish()
      return report
    }
  }

  /// The name must be that of one directory directly below the root, and Milvus must not live in it.
  private static func check(
    _ name: String, _ layout: BackupLayout, _ context: EngineContext
  ) throws(EngineError) {
    guard !name.isEmpty, !name.contains("/"), ![".", ".."].contains(name) else {
      throw EngineError(.invalidRequest, "\(name.debugDescription) cannot be the name of a backup.")
    }
    let root = context.milvusRoot + "/"
    guard context.backups.location == context.milvusObjects.location, root.hasPrefix(layout.directory) else { return }
    throw EngineError(
      .invalidRequest,
      """
      \(layout.directory) in \(context.backups.location) is where Milvus keeps its own objects (minio.rootPath is \
      \(context.milvusRoot)): it is no backup and was not touched.
      """)
  }

  /// Something else than backups may lie below the root. Objects decide: some stores keep showing directories whose last
  /// object is gone.
  private static func checkIsBackup(_ layout: BackupLayout, in store: any ObjectStore) async throws {
    for part in ["meta/", "binlogs/", "bundle/"] {
      let request = ListRequest(prefix: ObjectKey(layout.directory + part), limit: 1)
      if try await !store.list(request).objects.isEmpty { return }
    }
    let others = try await store.list(ListRequest(prefix: ObjectKey(layout.directory), limit: 3)).objects
    guard others.isEmpty else {
      throw EngineError(
        .invalidRequest,
        """
        \(layout.directory) in \(store.location) is no backup: there is neither meta nor binlogs in it, but objects such \
        as \(others.map(\.key).listed()). Nothing was removed.
        """)
    }
    throw EngineError(
      .notFound, "There is no backup \(layout.backupName): nothing lies below \(layout.directory) in \(store.location)."
    )
  }

  private static func remove(
    _ file: MetaFile, _ layout: BackupLayout, _ store: any ObjectStore, _ report: inout Report
  ) async throws {
    let key = ObjectKey(layout.key(file))
    do {
      let size = try await store.head(key).size
      try await store.delete(key)
      report.objects += 1
      report.bytes += size
    } catch let error as StoreError where error.code == .notFound {
      return
    }
  }

  private static func removeAll(
    _ layout: BackupLayout, _ store: any ObjectStore, _ report: inout Report, _ progress: JobProgress
  ) async throws {
    for _ in 0..<rounds {
      var removed = 0
      try await store.listAll(ObjectKey(layout.directory)) { page in
        // A listing is believed only as far as the directory goes.
        let objects = page.objects.filter { layout.path(ofKey: $0.key.string) != nil }
        guard !objects.isEmpty else { return }
        try await store.delete(objects.map(\.key))
        removed += objects.count
        report.objects += objects.count
        report.bytes += objects.reduce(0) { $0 + $1.size }
        progress.add(objects: objects.count)
        progress.note("removing (\(report.objects.counted("object")) so far)")
      }
      if removed == 0 { return }
    }
    throw EngineError(
      .changed,
      """
      Objects keep appearing \(report.place): a copy or a backup is writing there. Stop it, then delete the backup again.
      """)
  }

  /// Uploads that were never finished hold space, and would bring objects back if they were.
  private static func abortUploads(
    _ layout: BackupLayout, _ store: any ObjectStore, _ report: inout Report
  ) async {
    do {
      let directory = ObjectKey(layout.directory)
      for pending in try await store.listAllUploads(directory) where pending.upload.key.hasPrefix(directory) {
        try await store.abortUpload(pending.upload)
        report.uploads += 1
      }
    } catch {
      report.warnings.append(
        "Unfinished uploads \(report.place) could not be looked for or aborted: \(EngineError.sentence(error))")
    }
  }
}
