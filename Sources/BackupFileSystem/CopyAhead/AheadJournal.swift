// What is being moved ahead, on disk: after a crash the next mount removes what nobody asked for.
//
// One file a copy, removed when nothing is left to remove. Each line is one fact, appended before it becomes true
// (intent) or after (moved, settled); a line that was cut off by the crash is none. Nothing is forced to the disk: the
// journal outlives the process, and after a loss of power the objects are whole, only not removed. The file is locked as
// long as its writer lives, so that nobody else takes it for a leftover.
//
// A journal that lacks a line would have the next mount remove what the copier was told it has. So the first line that
// cannot be written, on a full disk, takes the journal away: a crash then leaves objects that nobody asked for, which is
// less. Nothing more is moved ahead.
//
//     target <provider> <endpoint> <bucket> <prefix of the copied directory>
//     + <size> <key>       about to be moved
//     = <etag> <key>       moved
//     - <key>              asked for by the copier, or removed again

import Glibc
import ObjectStore
import Synchronization
import SystemPackage

/// The journal of one copy.
final class AheadJournal: Sendable {
  /// Beginning and end of journals' names.
  static let (prefix, suffix) = ("ahead-", ".journal")

  private let file: FileDescriptor
  private let path: FilePath
  private let append: @Sendable (FileDescriptor, UnsafeRawBufferPointer) throws -> Int
  /// Whether a line is missing.
  private let isSpoilt = Atomic(false)

  /// Begins a journal.
  /// - Parameter append: writes at the end of a file; replaceable in tests.
  /// - Throws: `Errno` when it cannot be written; then nothing may be moved ahead.
  init(
    directory: FilePath, name: String, target: StoreLocation, prefix: ObjectKey,
    append: @escaping @Sendable (FileDescriptor, UnsafeRawBufferPointer) throws -> Int = { try $0.write($1) }
  ) throws {
    self.append = append
    path = directory.appending("\(Self.prefix)\(name)\(Self.suffix)")
    file = try FileDescriptor.open(
      path, .writeOnly, options: [.create, .exclusiveCreate, .append, .closeOnExec], permissions: .ownerReadWrite)
    guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else { throw Errno(rawValue: Glibc.errno) }
    try write("target \(target.provider) \(target.endpoint) \(target.bucket) \(Self.escaped(prefix))")
  }

  deinit { try? file.close() }

  /// An object is about to be moved.
  func intend(_ key: ObjectKey, size: Int64) throws { try write("+ \(size) \(Self.escaped(key))") }

  /// An object was moved.
  func moved(_ key: ObjectKey, _ etag: ETag) {
    try? write("= \(Self.escaped(ObjectKey(etag.rawValue))) \(Self.escaped(key))")
  }

  /// An object was asked for, or is gone again.
  func settled(_ key: ObjectKey) { try? write("- \(Self.escaped(key))") }

  /// Everything is settled.
  func remove() { _ = path.withPlatformString { Glibc.unlink($0) } }

  private func write(_ line: String) throws {
    guard !isSpoilt.load(ordering: .acquiring) else { throw Errno.noSpace }
    var bytes = Array(line.utf8)
    bytes.append(UInt8(ascii: "\n"))
    do {
      // One call a line: lines of several threads do not mix in a file opened for appending.
      let written = try bytes.withUnsafeBytes { try append(file, $0) }
      guard written == bytes.count else { throw Errno.noSpace }
    } catch {
      isSpoilt.store(true, ordering: .releasing)
      remove()
      throw error
    }
  }

  /// Keys may hold line ends; everything else stands for itself.
  private static func escaped(_ key: ObjectKey) -> String {
    guard key.string.utf8.contains(where: { $0 == 0x5C || $0 == 0x0A || $0 == 0x20 }) else { return key.string }
    var text = ""
    for scalar in key.string.unicodeScalars {
      switch scalar {
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case " ": text += "\\s"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}

/// What a journal says was left.
struct AheadLeftovers {
  /// An object that was moved ahead and not asked for.
  struct Object {
    var key: ObjectKey
    var size: Int64
    /// The version that was moved; nil when the crash came before it was known.
    var etag: ETag?
  }

  var target: StoreLocation
  /// What the copied directory's keys begin with.
  var prefix: ObjectKey
  var objects: [Object]

  /// Reads a journal; nil when it is not one.
  init?(_ text: String) {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    // What follows the last newline was cut off.
    guard lines.popLast() != nil, let first = lines.first else { return nil }
    let head = first.split(separator: " ", omittingEmptySubsequences: false).map { Self.unescaped($0) }
    guard head.count == 5, head[0] == "target" else { return nil }
    target = StoreLocation(provider: head[1], endpoint: head[2], bucket: head[3])
    prefix = ObjectKey(head[4])
    var open: [String: Object] = [:]
    for line in lines.dropFirst() {
      let words = line.split(separator: " ", omittingEmptySubsequences: false).map { Self.unescaped($0) }
      switch words.first {
      case "+" where words.count == 3: open[words[2]] = Object(key: ObjectKey(words[2]), size: Int64(words[1]) ?? -1)
      case "=" where words.count == 3: open[words[2]]?.etag = ETag(words[1])
      case "-" where words.count == 2: open[words[1]] = nil
      default: continue
      }
    }
    objects = open.values.sorted { $0.key < $1.key }
  }

  private static func unescaped(_ text: Substring) -> String {
    var result = ""
    var isEscaped = false
    for scalar in text.unicodeScalars {
      if isEscaped {
        result.unicodeScalars.append(scalar == "n" ? "\n" : scalar == "s" ? " " : scalar)
        isEscaped = false
      } else if scalar == "\\" {
        isEscaped = true
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
