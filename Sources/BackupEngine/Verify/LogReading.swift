// Reads log objects of a backup: the beginning of each, or every byte.
//
// Invariants: an object is never held whole unless it is small; many are read at a time, within the number of objects and
// the bytes that the context allows. A store that cannot be asked ends the verification; what is wrong with an object is
// a problem of it.

import BackupFormat
import ObjectStore
import Synchronization

/// Reads the logs of a backup, and notes what is wrong with them.
final class LogReading: Sendable {
  /// What was counted of the logs of one field of one segment.
  struct Tally: Sendable {
    var rows: Int64 = 0
    /// Not all of its logs could be counted.
    var isPartial = false
  }

  /// The field of a segment, or its column group, by the segment's place in the list.
  struct Field: Hashable, Sendable {
    var segment: Int
    var fieldID: Int64
  }

  private struct State {
    var bytesRead: Int64 = 0
    var tallies: [Field: Tally] = [:]
  }

  /// Bytes that tell what an object is: a descriptor without its extras has 85.
  private static let headLength: Int64 = 1024
  /// Bytes read at a time.
  private static let pieceLength: Int64 = 4 << 20

  private let context: EngineContext
  private let layout: BackupLayout
  private let deep: Bool
  private let progress: JobProgress
  private let problems: ProblemList
  private let state = Mutex(State())

  /// - Parameter deep: reads insert logs to their end as well; delta logs always are.
  init(_ context: EngineContext, _ layout: BackupLayout, deep: Bool, _ progress: JobProgress, _ problems: ProblemList) {
    self.context = context
    self.layout = layout
    self.deep = deep
    self.progress = progress
    self.problems = problems
  }

  /// Bytes read so far.
  var bytesRead: Int64 { state.withLock { $0.bytesRead } }
  /// Rows counted so far, by field of segment.
  var tallies: [Field: Tally] { state.withLock { $0.tallies } }

  /// One object to read.
  private struct Item: Sendable {
    var segment: Int
    var object: PromisedObject
    var form: LogScanner.Form
    /// To its end, instead of its beginning only.
    var whole: Bool
  }

  /// Reads the logs of all segments but those that are known to be missing.
  /// - Parameter encrypted: places of the segments of which only the headers can be read.
  func read(_ segments: [PromisedSegment], missing: Set<LogKey>, encrypted: Set<Int>) async throws {
    var work: [Item] = []
    for (index, segment) in segments.enumerated() {
      for object in segment.objects {
        if missing.contains(object.key) {
          note(index, object.key, rows: nil)
        } else {
          work.append(
            Item(
              segment: index, object: object,
              form: LogScanner.Form(object.key.kind, storageVersion: segment.info.storageVersion),
              whole: (deep || object.key.kind == .delta) && !encrypted.contains(index)))
        }
      }
    }
    // As far as the metadata tells the sizes.
    let bytes = work.reduce(Int64(0)) { sum, item in
      sum + (item.whole ? item.object.size ?? 0 : min(item.object.size ?? 0, Self.headLength))
    }
    progress.expect(bytes: bytes, objects: work.count)
    try await forEachConcurrently(work, limit: context.limits.copiesInFlight) { [self] item in
      try await read(item)
      progress.add(objects: 1)
    }
  }

  private func read(_ item: Item) async throws {
    let (segment, object, form) = (item.segment, item.object, item.form)
    let key = ObjectKey(layout.key(object.key))
    do {
      let rows = item.whole ? try await scan(object, key, form) : try await look(object, key, form)
      note(segment, object.key, rows: rows)
    } catch let error as BackupFormatError {
      problems.add(.damaged, key.string, error.message)
      note(segment, object.key, rows: nil)
    } catch let error as StoreError where error.code == .notFound {
      problems.add(.missing, key.string, "it vanished while the backup was verified")
      note(segment, object.key, rows: nil)
    }
  }

  /// Reads the beginning.
  private func look(_ object: PromisedObject, _ key: ObjectKey, _ form: LogScanner.Form) async throws -> Int64? {
    let bytes = try await get(key, 0..<Self.headLength, nil).bytes
    if form == .parquet {
      guard bytes.starts(with: "PAR1".utf8) else { throw BackupFormatError(.malformedLog, "it is not a Parquet file") }
    } else {
      compare(try BinlogDescriptor(beginningOf: bytes), object.key, key)
    }
    return nil
  }

  /// Reads everything.
  /// - Returns: the rows.
  private func scan(_ object: PromisedObject, _ key: ObjectKey, _ form: LogScanner.Form) async throws -> Int64 {
    let first = try await get(key, 0..<Self.pieceLength, nil)
    var scanner = LogScanner(object.key.kind, form: form, size: first.info.size)
    try scanner.feed(first.bytes)
    // A piece holds any descriptor with what stands before its extras.
    if let descriptor = scanner.descriptor { compare(descriptor, object.key, key) }
    var position = Int64(first.bytes.count)
    while position < first.info.size {
      let end = min(position + Self.pieceLength, first.info.size)
      let piece = try await get(key, position..<end, first.info.etag)
      try scanner.feed(piece.bytes)
      position = end
    }
    return try scanner.finish().rows
  }

  private func compare(_ descriptor: BinlogDescriptor, _ log: LogKey, _ key: ObjectKey) {
    if let contradiction = descriptor.contradiction(to: log) { problems.add(.header, key.string, contradiction) }
  }

  private func get(_ key: ObjectKey, _ range: Range<Int64>, _ version: ETag?) async throws -> ObjectContent {
    let content = try await context.budget.withBytes(range.count) {
      try await context.backups.get(key, range: range, version: version)
    }
    guard version == nil || content.bytes.count == range.count else {
      throw BackupFormatError(.malformedLog, "only \(content.bytes.count) of \(range.count) bytes could be read")
    }
    state.withLock { $0.bytesRead += Int64(content.bytes.count) }
    progress.add(bytes: Int64(content.bytes.count))
    return content
  }

  private func note(_ segment: Int, _ key: LogKey, rows: Int64?) {
    guard deep, key.kind == .insert else { return }
    state.withLock { state in
      let field = Field(segment: segment, fieldID: key.fieldID)
      var tally = state.tallies[field] ?? Tally()
      if let rows { tally.rows += rows } else { tally.isPartial = true }
      state.tallies[field] = tally
    }
  }
}
