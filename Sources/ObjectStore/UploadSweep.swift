// Removes what crashed processes left in a store, as far as the journal tells that it is ours.
//
// Invariants: an upload of a living process is left alone, also where only its key is known; so is everything that is not
// in the journal. A file of the journal goes when its upload is gone, not before.

/// One cleaning of one store's unfinished uploads.
public struct UploadSweep: Sendable {
  /// One upload and what became of it.
  public struct Finding: Sendable, Hashable {
    /// What became of it.
    public enum Outcome: Sendable, Hashable {
      /// It was there, or may have been, and is not any more.
      case removed
      /// It is left, for a reason that `text` gives.
      case left
      /// It could not be removed, for a reason that `text` gives.
      case failed
    }

    /// The object that it was to become.
    public var key: ObjectKey
    /// The store's name for it, if known.
    public var uploadID: String?
    /// What became of it.
    public var outcome: Outcome
    /// In words.
    public var text: String
  }

  /// By so many seconds this machine's clock and the store's may differ.
  public static let clockSlack: Int64 = 300
  /// So many seconds the beginning of an upload may take, repetitions included.
  private static let longestBeginning: Int64 = 120
  /// Uploads of other machines and containers are left at least so long, in seconds: whether their process lives cannot
  /// be seen from here.
  public static let foreignAge: Int64 = 7 * 86_400

  private let store: any ObjectStore
  private let journal: UploadJournal
  private let age: Int64
  private let now: Int64

  /// Prepares a cleaning.
  /// - Parameters:
  ///   - age: only what was begun at least so many seconds ago is removed.
  ///   - now: seconds since 1970, UTC.
  public init(_ store: any ObjectStore, journal: UploadJournal, olderThan age: Int64, now: Int64) {
    self.store = store
    self.journal = journal
    self.age = max(0, age)
    self.now = now
  }

  /// Removes what may be removed; answers what became of each upload of the journal that belongs to this store.
  /// - Throws: when the journal cannot be read. Troubles with single uploads are findings.
  public func run() async throws -> [Finding] {
    let records = try journal.records().filter { $0.record?.location == store.location }
    // What is left alone must not be taken for a nameless upload of the same object.
    let kept = records.compactMap(\.record).filter { reasonToLeave($0) != nil }
    let keptNames = Set(kept.compactMap(\.uploadID))
    let keptKeys = Set(kept.filter { $0.uploadID == nil }.map { ObjectKey($0.key) })
    var findings: [Finding] = []
    for stored in records {
      guard let record = stored.record else { continue }
      let key = ObjectKey(record.key)
      func finding(_ outcome: Finding.Outcome, _ text: String) -> Finding {
        Finding(key: key, uploadID: record.uploadID, outcome: outcome, text: text)
      }
      if let reason = reasonToLeave(record) {
        findings.append(finding(.left, reason))
      } else if record.uploadID == nil, keptKeys.contains(key) {
        findings.append(finding(.left, "another upload of the same object is being begun"))
      } else {
        do {
          let count = try await remove(record, except: keptNames)
          journal.remove(stored)
          findings.append(
            finding(.removed, count == 0 ? "there was nothing left of it in the store" : "\(began(record)); aborted"))
        } catch {
          findings.append(finding(.failed, "\(error)"))
        }
      }
    }
    return findings
  }

  private func reasonToLeave(_ record: UploadRecord) -> String? {
    var bound = age
    if record.state != .lost {
      switch record.process.fate {
      case .alive: return "process \(record.process.id) is at work on it"
      case .elsewhere: bound = max(age, Self.foreignAge)
      case .ended: break
      }
    }
    guard now - record.time < bound else { return nil }
    let whose = bound > age ? " by another machine or container" : ""
    return "\(began(record))\(whose), which is less than \(Self.duration(bound)) ago"
  }

  private func began(_ record: UploadRecord) -> String {
    "begun \(Self.duration(max(0, now - record.time))) ago by process \(record.process.id)"
  }

  /// Aborts the upload of a record; answers how many there were, as far as the store tells.
  private func remove(_ record: UploadRecord, except kept: Set<String>) async throws -> Int {
    if let upload = record.upload {
      try await store.abortUpload(upload)
      return 1
    }
    let key = ObjectKey(record.key)
    let begun = record.time - Self.clockSlack...record.time + Self.longestBeginning + Self.clockSlack
    let found = try await store.listAllUploads(key).filter { pending in
      pending.upload.key == key && begun.contains(pending.begun) && !kept.contains(pending.upload.id)
    }
    for pending in found { try await store.abortUpload(pending.upload) }
    return found.count
  }

  /// Seconds in the unit that suits them.
  static func duration(_ seconds: Int64) -> String {
    switch seconds {
    case ..<120: "\(seconds) s"
    case ..<7200: "\(seconds / 60) min"
    case ..<172_800: "\(seconds / 3600) h"
    default: "\(seconds / 86_400) d"
    }
  }
}

/// A store that finds leftovers of its own writing without a journal, such as one that keeps drafts as files.
public protocol LeftoverSweeping: Sendable {
  /// Removes what crashed processes left behind at least so many seconds ago; a sentence for each thing.
  func sweepLeftovers(olderThan age: Int64) async throws -> [String]
}
