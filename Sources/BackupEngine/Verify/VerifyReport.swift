// What a verification looked at and what it found wrong.
//
// Invariant: of each kind of problem the first ones are kept and all are counted, so that a backup of which everything is
// missing needs no more memory than a sound one.

import Synchronization

/// A request to verify a backup.
public struct VerifyRequest: Sendable, Hashable {
  /// Name of the backup.
  public var backup: String
  /// Read every byte of every log and count the rows, instead of the beginnings only.
  public var deep: Bool

  /// Makes a request.
  public init(backup: String, deep: Bool = false) {
    self.backup = backup
    self.deep = deep
  }
}

/// Something wrong with a backup.
public struct BackupProblem: Sendable, Hashable, Encodable {
  /// What kind of thing is wrong, in the order in which problems are told.
  public enum Kind: String, Sendable, Hashable, CaseIterable, Encodable, Comparable {
    /// A metadata file is absent, damaged, or contradicts another.
    case metadata
    /// The fields of a segment have different numbers of logs, or one has none.
    case fields
    /// An object that the metadata promises does not exist.
    case missing
    /// An object has another size than the metadata says.
    case size
    /// An object lies among the logs that the metadata does not know; Milvus would import it.
    case extra
    /// A log says in its header that it belongs elsewhere.
    case header
    /// A log is not built as logs are.
    case damaged
    /// The logs of a field hold another number of rows than the metadata says.
    case rows

    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  }

  /// What kind of thing is wrong.
  public var kind: Kind
  /// The object's key in the bucket; the segment's directory for problems of a segment.
  public var key: String
  /// What is wrong, a clause; empty where the kind says all.
  public var detail: String

  /// `kind key: detail` on one line.
  public var line: String { "\(kind.rawValue) \(key)" + (detail.isEmpty ? "" : ": \(detail)") }
}

/// The outcome of a verification.
public struct VerifyReport: Sendable, Hashable, Encodable {
  /// Name of the backup.
  public var backup: String
  /// Where it lies: directory and bucket.
  public var place: String
  /// Whether every byte was read.
  public var deep: Bool
  /// Version of Milvus that the backup was made of.
  public var milvusVersion: String
  /// Number of collections.
  public var collections = 0
  /// Number of segments.
  public var segments = 0
  /// Rows that the metadata promises, deleted ones included.
  public var rows: Int64 = 0
  /// Log objects that the metadata promises.
  public var objects = 0
  /// Their bytes.
  public var bytes: Int64 = 0
  /// Bytes that were read for this.
  public var bytesRead: Int64 = 0
  /// Rows that were counted; only if `deep`.
  public var rowsCounted: Int64?
  /// The problems, kind by kind: the first `ProblemList.kept` of each.
  public var problems: [BackupProblem] = []
  /// Number of problems of each kind, by the kind's word.
  public var problemCounts: [String: Int] = [:]
  /// Things that are unusual without being wrong.
  public var warnings: [String] = []
  /// Whether nothing is wrong.
  public internal(set) var sound = true

  /// The result in one sentence.
  public var summary: String {
    let what = """
      \(collections.counted("collection")), \(segments.counted("segment")), \(rows.grouped) rows (deleted ones \
      included), \(objects.counted("object")) with \(bytes.grouped) bytes
      """
    guard sound else {
      let counts = BackupProblem.Kind.allCases.compactMap { kind in
        problemCounts[kind.rawValue].map { "\($0.grouped) \(kind.rawValue)" }
      }
      return "The backup \(backup) is not sound \(place): \(counts.joined(separator: ", ")); of \(what)."
    }
    let how = deep ? "every byte was read and the rows were counted" : "sizes and headers of all objects are right"
    return "The backup \(backup) is sound: \(what); \(how)."
  }

  /// What an operator should do about the problems; empty if there are none.
  public var remedy: String {
    let kinds = Set(problemCounts.keys)
    if kinds.isEmpty { return "" }
    if kinds == [BackupProblem.Kind.extra.rawValue] { return "Remove the objects that do not belong there." }
    return "Copy the backup again, or what is wrong of it, or make a new one."
  }
}

/// Problems as they are found, from many tasks.
final class ProblemList: Sendable {
  /// Most problems of a kind that are kept.
  static let kept = 1000

  private struct State {
    var problems: [BackupProblem.Kind: [BackupProblem]] = [:]
    var counts: [BackupProblem.Kind: Int] = [:]
  }

  private let state = Mutex(State())

  func add(_ kind: BackupProblem.Kind, _ key: String, _ detail: String = "") {
    state.withLock { state in
      state.counts[kind, default: 0] += 1
      guard state.problems[kind, default: []].count < Self.kept else { return }
      state.problems[kind, default: []].append(BackupProblem(kind: kind, key: key, detail: detail))
    }
  }

  /// Puts them into a report, in the order of kinds and keys.
  func write(to report: inout VerifyReport) {
    let state = state.withLock { $0 }
    report.problems = state.problems.values.flatMap { $0 }.sorted { ($0.kind, $0.key) < ($1.kind, $1.key) }
    report.sound = state.counts.isEmpty
    report.problemCounts = Dictionary(
      state.counts.map { ($0.key.rawValue, $0.value) }, uniquingKeysWith: { first, _ in first })
  }
}
