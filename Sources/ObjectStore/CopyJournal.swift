// Which objects of a long copy have arrived, so that the next run can tell them from others of the same size.
//
// Stores name versions each in their own way, so an object that was moved in parts cannot be compared by looking at both
// ends. The journal remembers the two names that belong together. One line of JSON an object, appended when it is
// stored; a line that a crash has cut short is passed over.
//
// Invariants: the journal never fails a copy: without it objects are moved again, that is all.

import FoundationEssentials
import Glibc
import Synchronization

/// The pairs of versions that one copy has made.
public final class CopyJournal: Sendable {
  private struct Line: Codable {
    var path: String
    var source: String
    var target: String
    var size: Int64
  }

  private struct Pair: Sendable, Hashable {
    var source: ETag
    var target: ETag
    var size: Int64
  }

  private struct State {
    var pairs: [String: Pair] = [:]
    var descriptor: Int32 = -1
  }

  /// The journal's file.
  public let path: String
  private let state = Mutex(State())

  /// Reads what earlier runs have written; a file that is not there is an empty journal.
  /// - Parameters:
  ///   - directory: where journals are kept; made when the first object is noted.
  ///   - identity: what is copied where; each has a journal of its own.
  public init(directory: String, identity: String) {
    path = "\(directory)/\(Self.name(of: identity)).jsonl"
    guard let bytes = try? FileBytes.read(path) else { return }
    let decoder = JSONDecoder()
    let pairs = bytes.split(separator: UInt8(ascii: "\n")).reduce(into: [String: Pair]()) { pairs, text in
      guard let line = try? decoder.decode(Line.self, from: Data(text)) else { return }
      pairs[line.path] = Pair(source: ETag(line.source), target: ETag(line.target), size: line.size)
    }
    state.withLock { $0.pairs = pairs }
  }

  deinit {
    let descriptor = state.withLock { $0.descriptor }
    if descriptor >= 0 { close(descriptor) }
  }

  /// Whether `target` is what a run has made of `source`.
  public func joins(_ path: String, source: ObjectInfo, target: ObjectInfo) -> Bool {
    let pair = Pair(source: source.etag, target: target.etag, size: source.size)
    return target.size == source.size && state.withLock { $0.pairs[path] == pair }
  }

  /// Takes note of an object that is stored.
  public func moved(_ path: String, source: ObjectInfo, target: ObjectInfo) {
    let line = Line(
      path: path, source: source.etag.rawValue, target: target.etag.rawValue, size: source.size)
    guard var bytes = try? JSONEncoder().encode(line) else { return }
    bytes.append(UInt8(ascii: "\n"))
    state.withLock { state in
      state.pairs[path] = Pair(source: source.etag, target: target.etag, size: source.size)
      if state.descriptor < 0 { state.descriptor = open() }
      // One call a line: two lines never mix, and a line that does not fit on the disk is passed over by the next run.
      _ = bytes.withUnsafeBytes { write(state.descriptor, $0.baseAddress, $0.count) }
    }
  }

  /// The copy is complete: nothing is to be remembered.
  public func remove() { unlink(path) }

  private func open() -> Int32 {
    if let slash = path.lastIndex(of: "/") { try? FileBytes.makeDirectory(String(path[..<slash])) }
    return Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
  }

  /// A short name that differs where identities differ (FNV-1a, 64 bits).
  private static func name(of identity: String) -> String {
    String(StableHash.fnv1a(identity.utf8), radix: 16)
  }
}

/// A hash that is the same in every process on every machine, unlike Swift's.
public enum StableHash {
  /// FNV-1a, 64 bits (Fowler, Noll, Vo).
  public static func fnv1a(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
  }
}
