// The files that start jobs and show their state. This module knows when they are opened, written and read; what a line
// means is known to whoever implements `ControlFiles`.

import SystemPackage

/// Which control file.
public enum ControlTarget: Sendable, Hashable {
  /// `<store>/create`: makes a backup of the store's Milvus.
  case create(store: String)
  /// `<store>/<backup>/restore`: restores a backup into the store's Milvus.
  case restore(store: String, backup: String)
  /// `<store>/<backup>/verify`: compares a backup with its metadata.
  case verify(store: String, backup: String)
  /// `.milvus-backupfs/refresh`: has listings read again.
  case refresh
  /// `.milvus-backupfs/stats`: what is open and held, and what the stores were asked.
  case stats
  /// `.milvus-backupfs/version`: which program this is.
  case version
  /// `.milvus-backupfs/jobs/<name>`: the state of a job, which can be cancelled there.
  case job(String)

  /// Whether lines can be written to it.
  var isWritable: Bool {
    switch self {
    case .create, .restore, .verify, .refresh, .job: true
    case .stats, .version: false
    }
  }
}

/// Understands what is written to control files and says what they show.
public protocol ControlFiles: Sendable {
  /// Takes one line, without its newline: checks it, starts the job and returns while that runs.
  /// - Throws: what the write answers; `text` shows the sentence afterwards.
  func submit(_ line: String, to target: ControlTarget) async throws(FileSystemError)

  /// What reading the file shows: the state of the latest job or the latest refusal, ending in a newline.
  ///
  /// For `.stats`: further lines of `name value`, or none. May be called while the file system is locked: it must not
  /// call it back.
  func text(of target: ControlTarget) -> String

  /// Names of the jobs that `.milvus-backupfs/jobs` shows, oldest first.
  var jobNames: [String] { get }
}

/// Control files that refuse everything: a mount without jobs.
public struct NoControlFiles: ControlFiles {
  /// Makes one.
  public init() {}
  public func submit(_ line: String, to target: ControlTarget) async throws(FileSystemError) {
    throw FileSystemError(.notPermitted, "this mount takes no jobs")
  }
  public func text(of target: ControlTarget) -> String { target == .stats ? "" : "state: none\n" }
  public var jobNames: [String] { [] }
}

/// The lines of one open control file: bytes come in any pieces, a line is complete at its newline.
struct ControlLines {
  /// Longest line taken, in bytes.
  static let longestLine = 64 << 10
  private var pending: [UInt8] = []

  /// Takes bytes and answers the lines that they complete.
  mutating func append(_ bytes: UnsafeRawBufferPointer) throws(FileSystemError) -> [String] {
    pending += bytes
    var lines: [String] = []
    while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
      lines.append(String(decoding: pending[..<end], as: UTF8.self))
      pending.removeFirst(end + 1)
    }
    guard pending.count <= Self.longestLine else {
      pending = []
      throw FileSystemError(.invalidArgument, "a line is longer than \(Self.longestLine) bytes")
    }
    return lines
  }

  /// What came without a newline, once.
  mutating func takeRest() -> String? {
    guard !pending.isEmpty else { return nil }
    defer { pending = [] }
    return String(decoding: pending, as: UTF8.self)
  }
}
