// The jobs of this user on this machine, on disk: one small file each, replaced as a whole at each change.
//
// Invariants: names are unique among all processes that share the directory, because a name is taken by creating its file;
// two running jobs never claim the same thing, because claims are compared and written under the directory's lock. The
// journal never fails a job for being unwritable: that is told once, and then the job is not found again after a crash.

import FoundationEssentials
import Glibc
import ObjectStore
import Synchronization

/// The journal of jobs.
public final class JobJournal: Sendable {
  /// Ended jobs that are kept.
  static let keptJobs = 100
  /// A record larger than this is written at most so often, in seconds.
  private static let large = (bytes: 64 << 10, pause: 0.5)

  /// Where the files are.
  public let directory: String
  /// Whether this process is a daemon.
  let isService: Bool
  private let warn: @Sendable (String) -> Void
  private let hasFailed = Mutex(false)
  private let written = Mutex<[String: ContinuousClock.Instant]>([:])

  /// Opens a journal; nothing is read or written yet.
  /// - Parameters:
  ///   - isService: whether this process is a daemon, which goes on with the restores of one that ended.
  ///   - warn: told once, in a sentence, when the journal cannot be written.
  public init(directory: String, isService: Bool, warn: @escaping @Sendable (String) -> Void) {
    self.directory = directory
    self.isService = isService
    self.warn = warn
  }

  /// All jobs, in the order of their begin; files that cannot be read are left out.
  public func records() -> [JobRecord] {
    let names = (try? FileBytes.names(in: directory)) ?? []
    return names.filter { $0.hasSuffix(".json") }.compactMap { record($0) }
      .sorted { ($0.started, $0.id) < ($1.started, $1.id) }
  }

  private func record(_ name: String) -> JobRecord? {
    guard let bytes = try? FileBytes.read("\(directory)/\(name)") else { return nil }
    return try? JSONDecoder().decode(JobRecord.self, from: Data(bytes))
  }

  /// Takes the next free name of a kind, such as `restore-4`; nil when nothing can be written.
  func take(_ kind: JobKind) -> String? {
    do {
      try FileBytes.makeDirectory(directory)
    } catch {
      tellOnce("\(error)")
      return nil
    }
    let prefix = "\(kind.rawValue)-"
    let names = (try? FileBytes.names(in: directory)) ?? []
    let numbers = names.filter { $0.hasPrefix(prefix) }.compactMap {
      Int($0.dropFirst(prefix.count).prefix { $0 != "." })
    }
    var number = numbers.max() ?? 0
    while true {
      number += 1
      let file = open(
        "\(directory)/\(prefix)\(number).json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      if file >= 0 {
        close(file)
        return "\(prefix)\(number)"
      }
      guard errno == EEXIST else {
        tellOnce("\(directory): \(String(cString: strerror(errno)))")
        return nil
      }
    }
  }

  /// Gives a name back that was not used.
  func giveBack(_ id: String) { unlink(path(id)) }

  /// Writes a record. Large ones are left out when the last writing was a moment ago, unless it must be.
  func save(_ record: JobRecord, must: Bool = true) {
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      let now = ContinuousClock.now
      if !must, let last = written.withLock({ $0[record.id] }), now - last < .seconds(Self.large.pause) { return }
      let bytes = Array(try encoder.encode(record))
      if bytes.count > Self.large.bytes { written.withLock { $0[record.id] = now } }
      try FileBytes.replace(path(record.id), with: bytes)
    } catch {
      tellOnce("\(error)")
    }
  }

  /// Runs `body` while no other process does the same here.
  func withLock<Value>(_ body: () -> Value) -> Value {
    let file = open("\(directory)/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    if file >= 0 { _ = flock(file, LOCK_EX) }
    defer { if file >= 0 { close(file) } }
    return body()
  }

  /// A running job of another process that claims one of these things.
  func conflict(with claims: [String], except id: String) -> (job: String, claim: String)? {
    for record in records() where record.id != id && record.isAlive && record.process != .current {
      if let claim = claims.first(where: record.claims.contains) { return (record.id, claim) }
    }
    return nil
  }

  /// Removes the oldest ended jobs above the number that is kept. Restores that can be gone on with stay.
  func prune() {
    let ended = records().filter { $0.state != .running }
    for record in ended.dropLast(Self.keptJobs)
    where record.restore?.collections.isEmpty ?? true || record.state == .done {
      unlink(path(record.id))
    }
  }

  private func path(_ id: String) -> String { "\(directory)/\(id).json" }

  private func tellOnce(_ reason: String) {
    let isFirst = hasFailed.withLock { failed in
      defer { failed = true }
      return !failed
    }
    guard isFirst else { return }
    warn(
      """
      Jobs cannot be written down (\(reason)). They run all the same; but they are not gone on with when this process \
      ends, and no other process knows of them. Make \(directory) writable.
      """)
  }
}
