// One collection of a backup: describe, flush, find the segments, copy their log objects.
//
// Milvus compacts while this runs: segments vanish and others take their place. Whenever what was listed turns out to be
// no longer there, the segment list is read again and the data phase begins anew; what was copied of segments that are
// gone is removed, because a restore imports whatever lies in a segment's directory.

import BackupFormat
import Logging
import MilvusClient
import ObjectStore
import Synchronization

/// Saves one collection.
struct CollectionSaver: Sendable {
  /// What was saved of a collection.
  struct Saved: Sendable {
    var survey: CollectionSurvey
    var files: [SegmentFiles]
  }

  let writer: BackupWriter
  let name: CollectionName
  let slots: ByteBudget

  private var context: EngineContext { writer.plan.context }
  private var service: any MilvusService { writer.service }
  private var progress: JobProgress { writer.progress }

  /// Saves the collection; every log object is in the backup when it returns.
  func save() async throws -> Saved {
    var survey = try await during("Describing the collection \(name)") {
      CollectionSurvey(
        name: name, description: try await service.describeCollection(name.collection, in: name.database))
    }
    let request = writer.plan.request
    if request.strategy == .serialFlush {
      survey.flush = try await during("Flushing the collection \(name)") { try await flush() }
    }
    try await during("Describing the collection \(name)") {
      survey.partitions = try await service.partitions(of: name.collection, in: name.database)
      survey.indexes = try await service.indexes(of: name.collection, in: name.database)
      survey.loadState = try await loadState()
    }
    if request.strategy == .metaOnly { return Saved(survey: survey, files: []) }
    return Saved(survey: survey, files: try await copySegments(of: survey))
  }

  private func loadState() async throws -> LoadState {
    do {
      return try await service.loadState(of: name.collection, partitions: [], in: name.database)
    } catch  where error.code == .unsupported {
      return .notLoad
    }
  }

  private func flush() async throws -> FlushResult {
    progress.note("flushing \(name)")
    let flush = try await service.flush(name.collection, in: name.database)
    guard flush.segmentIDs != nil else { return flush }
    let begin = ContinuousClock.now
    var backoff = Backoff(context.pace.flushPoll)
    while !(try await service.isFlushed(flush, of: name.collection, in: name.database)) {
      guard ContinuousClock.now - begin < .seconds(context.limits.flushPatience) else { throw notFlushed("it") }
      try await backoff.wait()
    }
    return flush
  }

  private func notFlushed(_ what: String) -> EngineError {
    EngineError(
      .timedOut,
      """
      Milvus at \(context.milvus.address) has not finished flushing the collection \(name): after \
      \(Int(context.limits.flushPatience)) seconds \(what) was still being written. Look into Milvus' log and at its \
      object store, then try again; a backup that skips the flush saves only what is flushed already.
      """)
  }

  private func copySegments(of survey: CollectionSurvey) async throws -> [SegmentFiles] {
    var planned = (bytes: Int64(0), objects: 0)
    var attempt = 1
    do {
      return try await copySegments(of: survey, &planned, &attempt)
    } catch {
      progress.expect(bytes: -planned.bytes, objects: -planned.objects)
      throw error
    }
  }

  private func copySegments(
    of survey: CollectionSurvey, _ planned: inout (bytes: Int64, objects: Int), _ attempt: inout Int
  ) async throws -> [SegmentFiles] {
    while true {
      do {
        progress.note("reading the segments of \(name)")
        let files = try await listSegments(of: survey)
        let all = files.flatMap(\.files)
        let now = (bytes: all.reduce(Int64(0)) { $0 + $1.source.size }, objects: all.count)
        progress.expect(bytes: now.bytes - planned.bytes, objects: now.objects - planned.objects)
        planned = now
        try await discardOthers(than: all, of: survey)
        progress.note("copying \(name)")
        try await forEachConcurrently(all, limit: context.limits.copiesInFlight) { try await copy($0) }
        let rows = files.reduce(Int64(0)) { $0 + ($1.isL0 ? 0 : $1.segment.numOfRows) }
        progress.expect(rows: rows)
        progress.add(rows: rows)
        return files
      } catch  where Self.mayBeCompaction(error) {
        guard attempt < context.limits.attempts else { throw exhausted(error) }
        attempt += 1
        context.logger.notice(
          "segments changed while they were saved; reading them again",
          metadata: ["collection": "\(name)", "cause": "\(error)"])
        progress.note("reading the segments of \(name) again, because Milvus compacted it")
        try await Task.sleep(for: .seconds(context.pace.reread))
      }
    }
  }

  /// Copies one log object unless the same version of it was copied before.
  private func copy(_ file: SegmentFiles.File) async throws {
    let key = ObjectKey(writer.layout.key(file.log))
    guard !writer.written.holds(key, source: file.source) else { return }
    if writer.written.adopt(key, source: file.source) {
      progress.add(bytes: file.source.size, objects: 1)
      return
    }
    if let old = writer.written.begin(key) { progress.add(bytes: -old.size, objects: -1) }
    let moved = Atomic(Int64(0))
    do {
      let copier = ObjectCopier(budget: context.budget)
      _ = try await slots.withBytes(1) {
        try await copier.copy(file.source, from: context.milvusObjects, to: context.backups, as: key) { bytes in
          moved.add(bytes, ordering: .relaxed)
          progress.add(bytes: bytes)
        }
      }
      writer.written.end(key, source: file.source)
      progress.add(objects: 1)
    } catch {
      progress.add(bytes: -moved.load(ordering: .relaxed))
      throw error
    }
  }

  /// Removes what an earlier attempt copied of segments or logs that are not listed any more.
  private func discardOthers(than files: [SegmentFiles.File], of survey: CollectionSurvey) async throws {
    let id = survey.description.collectionID
    let directories = [LogKey.Kind.insert, .delta].map { writer.layout.key("binlogs/\($0.rawValue)/\(id)") + "/" }
    let wanted = Set(files.map { ObjectKey(writer.layout.key($0.log)) })
    let discarded = try await writer.written.discard(below: directories, keeping: wanted)
    progress.add(bytes: -discarded.bytes, objects: -discarded.objects)
  }

  /// Milvus' number for a segment that was asked for and is gone (`code` of its status, 2.3 and later).
  private static let segmentNotFound: Int32 = 600

  /// Whether a failure can come from segments that were compacted or collected after they were listed.
  private static func mayBeCompaction(_ error: any Error) -> Bool {
    switch error {
    case is SegmentFiles.Problem: true
    case let error as StoreError: error.code == .notFound || error.code == .changed
    case let error as MilvusError: error.status?.code == segmentNotFound
    case let error as EngineError: error.cause.map(mayBeCompaction) ?? false
    default: false
    }
  }

  private func exhausted(_ error: any Error) -> EngineError {
    EngineError(
      .changed,
      """
      Saving the collection \(name) failed \(context.limits.attempts) times, because what Milvus lists is not what lies \
      in \(context.milvusObjects.location): \(EngineError.sentence(error)) Either compaction keeps replacing segments while they are copied: \
      try again when less is written. Or files of a segment are lost or left over: compact the collection, wait some \
      minutes and try again.
      """, cause: error)
  }

  private func listSegments(of survey: CollectionSurvey) async throws -> [SegmentFiles] {
    let segments = try await settledSegments(of: survey)
    let listed = try await mapConcurrently(segments, limit: context.limits.copiesInFlight) { segment in
      let described = try await describe(segment)
      return try SegmentFiles(
        segment, inserts: try await list(.insert, segment), deltas: try await list(.delta, segment),
        rootPath: context.milvusRoot, described: described, levelsAreHidden: service.features.hidesSegmentLevels)
    }
    let required = survey.requiredFields(service.features)
    do throws(SegmentFiles.Problem) {
      for files in listed { try files.check(required: required) }
    } catch {
      if case .noInsertLogs = error, try await isAbsent(survey) { throw wrongRoot(error, survey) }
      throw error
    }
    return listed.filter { !$0.files.isEmpty }
  }

  /// The log ids that the server names; nil where it cannot or does not tell, and a listing has to do.
  private func describe(_ segment: SegmentInfo) async throws -> DescribedSegment? {
    guard service.features.segmentInfoREST, let rest = context.rest, let server = rest.server else { return nil }
    do {
      return try await slots.withBytes(1) {
        try await rest.describeSegment(
          segment.segmentID, collection: segment.collectionID, database: name.database)
      }
    } catch let error where !error.isCancellation {
      progress.warn(
        """
        Milvus does not tell which logs its segments have at \(server), though its version can (\(error)): they are \
        found by listing, as on older versions. Leftovers of repeated uploads cannot be told apart then.
        """)
      return nil
    }
  }

  /// Whether there is no log of the collection at all: then it is not this Milvus' bucket or root.
  private func isAbsent(_ survey: CollectionSurvey) async throws -> Bool {
    let page = try await context.milvusObjects.list(ListRequest(prefix: ObjectKey(logDirectory(survey)), limit: 1))
    return page.objects.isEmpty
  }

  private func logDirectory(_ survey: CollectionSurvey) -> String {
    ObjectPath.join(context.milvusRoot, LogKey.Kind.insert.rawValue, "\(survey.description.collectionID)") + "/"
  }

  private func wrongRoot(_ problem: SegmentFiles.Problem, _ survey: CollectionSurvey) -> EngineError {
    EngineError(
      .notFound,
      """
      Milvus at \(context.milvus.address) says that of the collection \(name) \(problem), and there is nothing below \
      \(logDirectory(survey)) in \(context.milvusObjects.location). This is not the bucket or not the root path that this \
      Milvus uses: set minio.bucketName and minio.rootPath to the values in its own configuration.
      """)
  }

  private func list(_ kind: LogKey.Kind, _ segment: SegmentInfo) async throws -> [ObjectInfo] {
    let directory = LogKey.milvusDirectory(
      kind, rootPath: context.milvusRoot, collectionID: segment.collectionID, partitionID: segment.partitionID,
      segmentID: segment.segmentID)
    return try await slots.withBytes(1) { try await context.milvusObjects.listAll(ObjectKey(directory)) }
  }

  /// The segments to save; waits for those of the flush that are being written out at the moment.
  private func settledSegments(of survey: CollectionSurvey) async throws -> [SegmentInfo] {
    let partitions = Set(survey.partitions.map(\.partitionID))
    let begin = ContinuousClock.now
    var backoff = Backoff(context.pace.flushPoll)
    while true {
      let segments = try await during("Asking Milvus for the segments of \(name)") {
        try await service.segments(of: name.collection, in: name.database)
      }
      if let other = segments.first(where: { $0.collectionID != survey.description.collectionID }) {
        throw EngineError(
          .changed,
          """
          The collection \(name) was dropped and created anew while it was being saved: its number was \
          \(survey.description.collectionID) and is \(other.collectionID) now. Start the backup again.
          """)
      }
      let selection = SegmentSelection(segments, partitions: partitions)
      // Milvus calls a flush done when the rows are stored; the state of their segment follows a moment later. Other
      // segments on their way hold rows that were written after the flush.
      let awaited = selection.flushing.filter { survey.flush?.covers($0.segmentID) ?? isFlushedWhole }
      if awaited.isEmpty {
        report(selection)
        return selection.saved
      }
      guard ContinuousClock.now - begin < .seconds(context.limits.flushPatience) else {
        throw notFlushed("segments \(awaited.map(\.segmentID).listed())")
      }
      try await backoff.wait()
    }
  }

  /// Whether everything was flushed beforehand: then no segment can be told to hold later rows only.
  private var isFlushedWhole: Bool { writer.plan.request.strategy == .bulkFlush }

  private func report(_ selection: SegmentSelection) {
    let unsaved = selection.flushing + selection.leftOut
    if writer.plan.request.strategy == .skipFlush, !unsaved.isEmpty {
      let rows = unsaved.reduce(Int64(0)) { $0 + $1.numOfRows }
      progress.warn(
        "\(name): \(rows.counted("row")) not yet flushed are not in the backup, because it skipped the flush.")
    }
    if !selection.orphans.isEmpty {
      let ids = selection.orphans.map { "\($0.segmentID)" }.listed()
      progress.warn("\(name): segments of partitions that were dropped are not in the backup: \(ids).")
    }
  }
}

extension FlushResult {
  /// Whether rows written before the flush can be in a segment. Without a list of segments none can be excluded.
  fileprivate func covers(_ segmentID: Int64) -> Bool {
    guard let segmentIDs else { return true }
    return segmentIDs.contains(segmentID) || flushedSegmentIDs.contains(segmentID)
  }
}
