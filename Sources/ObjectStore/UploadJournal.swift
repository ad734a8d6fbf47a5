// Which uploads this machine has begun and not ended, in a directory: a store does not say whose an upload is.
//
// One small file for each, written before the store is asked to begin it, completed by the upload's name, removed when it is
// completed or aborted. So after a crash every upload has a file, although a file may be left of an upload that is gone.
// Only multipart uploads are written down; small objects cost nothing. Files are not forced to the disk: a machine that
// loses its power within the half minute in which the kernel writes them may lose them too.
//
// Invariants: the journal never fails a transfer. What cannot be written is told once, and then goes unrecorded.

import FoundationEssentials
import Glibc
import Synchronization

/// The unfinished uploads of this user on this machine.
public final class UploadJournal: Sendable {
  /// One upload's place in the journal.
  public struct Entry: Sendable, Hashable {
    let path: String
    let record: UploadRecord
  }

  /// A file of the journal with what it says; nil when it cannot be understood.
  public struct StoredRecord: Sendable, Hashable {
    /// The file.
    public var path: String
    /// Its contents.
    public var record: UploadRecord?
  }

  private struct State {
    var isPrepared = false
    var hasFailed = false
    var counter = 0
    /// Uploads of this process, by place and name.
    var entries: [UploadName: Entry] = [:]
  }

  private struct UploadName: Hashable {
    var location: StoreLocation
    var key: ObjectKey
    var id: String

    init(location: StoreLocation, upload: MultipartUpload) {
      self.location = location
      key = upload.key
      id = upload.id
    }
  }

  /// Where the files are.
  public let directory: String
  private let warn: @Sendable (String) -> Void
  private let state = Mutex(State())

  /// Opens a journal; nothing is read or written yet.
  /// - Parameter warn: told once, in a sentence, when the journal cannot be written.
  public init(directory: String, warn: @escaping @Sendable (String) -> Void) {
    self.directory = directory
    self.warn = warn
  }

  /// The directory that is meant for it (XDG Base Directory Specification): `$XDG_STATE_HOME/milvus-backupfs/uploads`, or
  /// the same below `~/.local/state`.
  public static func directory(environment: [String: String]) -> String {
    // By the specification a relative path there counts as not set.
    if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return state + "/milvus-backupfs/uploads" }
    let home = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp"
    return home + "/.local/state/milvus-backupfs/uploads"
  }

  /// Writes down that an upload is about to be begun. Nil when that cannot be written.
  public func intend(_ location: StoreLocation, _ key: ObjectKey) -> Entry? {
    let record = UploadRecord(
      provider: location.provider, endpoint: location.endpoint, bucket: location.bucket, key: key.string,
      state: .intended,
      process: .current, time: Int64(Glibc.time(nil)))
    let number = state.withLock { state in
      state.counter += 1
      return state.counter
    }
    // The start makes the name unique where several containers share the directory and number their processes alike.
    let mark = ProcessMark.current
    let entry = Entry(path: "\(directory)/\(mark.id)-\(mark.start)-\(number).json", record: record)
    return write(record, entry.path) ? entry : nil
  }

  /// Adds the upload's name.
  public func begun(_ entry: Entry?, _ upload: MultipartUpload) {
    guard let entry else { return }
    var record = entry.record
    record.uploadID = upload.id
    record.state = .begun
    let named = Entry(path: entry.path, record: record)
    state.withLock { $0.entries[UploadName(location: record.location, upload: upload)] = named }
    _ = write(record, entry.path)
  }

  /// The upload may exist, but its name is not known.
  public func lost(_ entry: Entry?) {
    guard let entry else { return }
    var record = entry.record
    record.state = .lost
    _ = write(record, entry.path)
  }

  /// There is no such upload.
  public func over(_ entry: Entry?) {
    if let entry { unlink(entry.path) }
  }

  /// The upload could not be removed.
  public func lost(_ upload: MultipartUpload, in location: StoreLocation) {
    let entry = state.withLock { $0.entries[UploadName(location: location, upload: upload)] }
    lost(entry)
  }

  /// The upload is completed or aborted.
  public func over(_ upload: MultipartUpload, in location: StoreLocation) {
    let entry = state.withLock { $0.entries.removeValue(forKey: UploadName(location: location, upload: upload)) }
    over(entry)
  }

  /// All files of the journal, whoever wrote them.
  /// - Throws: an error that says in words why the directory cannot be read.
  public func records() throws -> [StoredRecord] {
    var records: [StoredRecord] = []
    for name in try FileBytes.names(in: directory).sorted() where name.hasSuffix(".json") {
      let path = "\(directory)/\(name)"
      // It may be gone by now: its upload has ended.
      guard let bytes = try? FileBytes.read(path) else { continue }
      records.append(
        StoredRecord(path: path, record: try? JSONDecoder().decode(UploadRecord.self, from: Data(bytes))))
    }
    return records
  }

  /// Removes a file of the journal.
  public func remove(_ stored: StoredRecord) { unlink(stored.path) }

  /// The contents of a record's file.
  func encode(_ record: UploadRecord) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return Array(try encoder.encode(record))
  }

  private func write(_ record: UploadRecord, _ path: String) -> Bool {
    do {
      if !state.withLock({ $0.isPrepared }) {
        try FileBytes.makeDirectory(directory)
        state.withLock { $0.isPrepared = true }
      }
      try FileBytes.replace(path, with: try encode(record))
      return true
    } catch {
      let isFirst = state.withLock { state in
        defer { state.hasFailed = true }
        return !state.hasFailed
      }
      if isFirst {
        warn(
          "Unfinished uploads cannot be written down (\(error)). Transfers go on; but uploads that a crash leaves in a "
            + "store will not be found by milvus-backupfs check --sweep. Make \(directory) writable.")
      }
      return false
    }
  }
}
