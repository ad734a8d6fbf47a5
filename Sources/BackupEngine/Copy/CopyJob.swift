// Copies a backup from one store to another without a mount: what is there already is kept, data first, metadata last.
//
// Invariants:
// - The target has no metadata of this backup before all its data is there; whichever shard ends last writes it.
// - An object is kept only if it is known to be equal (`isKnownEqual`), never by its size alone.
// - Nothing at the target is removed but the metadata of another backup that is to be replaced.

import BackupFormat
import Logging
import ObjectStore

/// The copying of a backup.
public struct CopyJob: Sendable {
  /// Failures after which the rest is not tried.
  private static let patience = 10

  private let request: CopyRequest
  private let source: EngineContext
  private let target: EngineContext
  private let from: BackupLayout
  private let to: BackupLayout
  private let journal: CopyJournal?
  private let throttles: @Sendable () -> Int
  private let progress: JobProgress
  private var copier: ObjectCopier { ObjectCopier(budget: target.budget) }

  /// Prepares a copy; nothing is asked yet.
  /// - Parameters:
  ///   - journalDirectory: where to remember what has arrived; nil for nowhere.
  ///   - throttles: how often either store has asked for fewer requests so far.
  /// - Throws: `EngineError` `.invalidRequest` for names that no backup can have and for a copy onto itself.
  public init(
    _ request: CopyRequest, from source: EngineContext, to target: EngineContext, journalDirectory: String?,
    throttles: @escaping @Sendable () -> Int = { 0 }, progress: JobProgress
  ) throws(EngineError) {
    self.request = request
    self.source = source
    self.target = target
    self.throttles = throttles
    self.progress = progress
    from = BackupLayout(rootPath: source.backupRoot, backupName: request.backup)
    to = BackupLayout(rootPath: target.backupRoot, backupName: request.newName)
    do {
      try BackupName.validate(request.newName)
    } catch {
      throw EngineError(error, during: "Naming the copy \(request.newName.debugDescription)")
    }
    guard source.backups.location != target.backups.location || from.directory != to.directory else {
      throw EngineError(
        .invalidRequest,
        """
        The backup \(request.backup) would be copied onto itself: both configurations lead to \(from.directory) in \
        \(source.backups.location). Name another store, or another name with --as.
        """)
    }
    let identity = [
      "\(source.backups.location)", from.directory, "\(target.backups.location)", to.directory, "\(request.shard)",
    ]
    journal = journalDirectory.map { CopyJournal(directory: $0, identity: identity.joined(separator: "\n")) }
  }

  /// Copies. When it returns with nothing waiting, the backup is complete and durable at the target.
  /// - Throws: `EngineError`: `.notFound` or `.incomplete` when the source is no whole backup, `.alreadyExists` when
  ///   another backup has the name, or what the stores report. What has arrived stays, without metadata, for the next run.
  public func run() async throws(EngineError) -> CopyReport {
    try await during("Copying the backup \(request.backup) from \(source.storeName) to \(target.storeName)") {
      let (here, mine, missing) = try await survey()
      do {
        return try await copy(here, mine, missing)
      } catch {
        throw EngineError(error, during: "Copying the backup \(request.backup)").adding(
          aftermath: "What has arrived stays \(place) without metadata; run the same command again to go on from there."
        )
      }
    }
  }

  private var place: String { "below \(to.directory) in \(target.backups.location)" }

  private typealias File = (path: String, object: ObjectInfo)

  /// Looks at both ends: what the source has, what of it this run has to see to, and what of that is to be moved. The
  /// target has no metadata any more if there is anything to be moved.
  private func survey() async throws -> (here: DirectoryListing, mine: [File], missing: [File]) {
    progress.enter("listing", percent: 0...2)
    async let reading = BackupReader(store: source.backups, layout: from).metadata()
    async let listed = DirectoryListing(from, in: source.backups)
    async let found = DirectoryListing(to, in: target.backups)
    let (metadata, here, there) = try await (reading, listed, found)
    for warning in metadata.warnings { progress.warn(warning) }
    try checkComplete(metadata.info, here)
    let isSameBackup = try await hasOnlyMetadata(of: here, there)
    let mine = here.data.filter { request.shard.contains($0.path) }
    let missing = mine.filter { path, object in
      !(there.objects[path].map { object.isKnownEqual(to: $0, path, journal) } ?? false)
    }
    if !isSameBackup || !missing.isEmpty {
      // The file by which a backup is known goes first.
      for (_, object) in there.metadata.reversed() { try await target.backups.delete(object.key) }
    }
    return (here, mine, missing)
  }

  private func copy(_ here: DirectoryListing, _ mine: [File], _ missing: [File]) async throws -> CopyReport {
    var report = CopyReport()
    report.kept = mine.count - missing.count
    progress.expect(bytes: missing.reduce(0) { $0 + $1.object.size }, objects: missing.count)
    progress.enter("copying", percent: 2...97)
    try await move(missing)
    report.moved = missing.count
    report.bytes = missing.reduce(0) { $0 + $1.object.size }

    progress.enter("checking the target", percent: 97...98)
    let now = try await DirectoryListing(to, in: target.backups)
    let extra = now.extra(to: here)
    report.extra = extra.count
    report.waiting = try countWaiting(here, now)
    if !extra.isEmpty {
      progress.warn(
        """
        \(extra.count.counted("object")) \(place) are not in the source (\(extra.listed())): a restore would refuse them. \
        Remove them.
        """)
    }
    guard report.waiting == 0 else { return report }
    progress.enter("writing the metadata", percent: 98...99)
    try await writeMetadata(here, now, &report)
    if request.verifies {
      report.verified = try await CopyVerifier(from: here, to: to, in: target, progress: progress).run()
    }
    journal?.remove()
    progress.finish()
    return report
  }

  /// A source that lacks what its metadata promises makes a copy that cannot be restored.
  private func checkComplete(_ info: BackupInfo, _ here: DirectoryListing) throws(EngineError) {
    var check = CompletenessCheck(promised: BackupContents(info).objects)
    for (path, object) in here.objects { check.add(path: path, size: object.size) }
    let result = check.finish()
    guard result.isComplete else {
      let paths = result.missing.map(\.path) + result.wrongSizes.map(\.promised.path)
      throw EngineError(
        .incomplete,
        """
        The backup \(request.backup) is not complete at the source: \(paths.count.counted("log object")) that its \
        metadata promises are missing or have another size (\(paths.listed())) below \(from.directory) in \
        \(source.backups.location). A copy could not be restored. Make the backup again; cp on a mount copies it as it is.
        """)
    }
  }

  /// Whether the target has no metadata but that of this backup.
  /// - Throws: `.alreadyExists` when it has other metadata and that must not be replaced.
  private func hasOnlyMetadata(of here: DirectoryListing, _ there: DirectoryListing) async throws -> Bool {
    for (path, object) in there.metadata {
      if let original = here.objects[path], original.size == object.size {
        async let one = source.backups.get(original.key, range: nil, version: original.etag)
        async let other = target.backups.get(object.key, range: nil, version: object.etag)
        if try await one.bytes == other.bytes { continue }
      }
      guard request.overwrites else {
        throw EngineError(
          .alreadyExists,
          """
          Another backup of the name \(request.newName) exists \(place): its \(path) is not that of the source. Choose \
          another name with --as, or replace it with --overwrite.
          """)
      }
      return false
    }
    return true
  }

  private func move(_ files: [(path: String, object: ObjectInfo)]) async throws {
    let failures = await forEachAdaptively(files, patience: Self.patience, throttles: throttles) { path, object in
      let key = ObjectKey(to.key(path))
      let written = try await copier.copy(object, from: source.backups, to: target.backups, as: key) { bytes in
        progress.add(bytes: bytes)
      }
      if !object.isKnownEqual(to: written, path, nil) { journal?.moved(path, source: object, target: written) }
      progress.add(objects: 1)
      return object.size
    }
    try Task.checkCancellation()
    guard let first = failures.first(where: { !$0.isCancellation }) ?? failures.first else { return }
    let failure = EngineError(first, during: "Copying an object of \(request.backup)")
    guard failures.count > 1 else { throw failure }
    throw EngineError(
      failure.code, "\(failures.count.counted("object")) could not be copied. The first: \(failure.message)",
      cause: failure.cause)
  }

  /// How many objects of other shards are not there yet.
  private func countWaiting(_ here: DirectoryListing, _ now: DirectoryListing) throws(EngineError) -> Int {
    let absent = here.data.filter { now.objects[$0.path]?.size != $0.object.size }.map(\.path)
    let mine = absent.filter { request.shard.contains($0) }
    guard mine.isEmpty else {
      throw EngineError(
        .changed,
        """
        \(mine.count.counted("object")) that were copied are not there any more, or have another size, \(place): \
        \(mine.listed()). Somebody else changes that directory.
        """)
    }
    return absent.count
  }

  private func writeMetadata(
    _ here: DirectoryListing, _ now: DirectoryListing, _ report: inout CopyReport
  ) async throws {
    for (path, object) in here.metadata {
      if let present = now.objects[path], object.isKnownEqual(to: present, path, nil) {
        report.kept += 1
        continue
      }
      progress.expect(bytes: object.size, objects: 1)
      try await copier.copy(object, from: source.backups, to: target.backups, as: ObjectKey(to.key(path)))
      progress.add(bytes: object.size, objects: 1)
      report.moved += 1
      report.bytes += object.size
    }
  }
}
