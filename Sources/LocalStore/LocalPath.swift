// From a key to a path below the store's directory. Logic without I/O.
//
// Invariant: a path that exists here has no segment that could lead elsewhere, and none that this store uses itself.

import ObjectStore

/// Why a key cannot be a path.
struct KeyRefusal: Error, Hashable {
  /// Half a sentence.
  let reason: String
}

/// The place of an object below the store's directory.
struct LocalPath: Hashable {
  /// What this store's own files and directories begin with; no key has such a segment, and no listing shows one.
  static let reservedPrefix = ".milvus-backupfs-"
  /// Most bytes of a segment: NAME_MAX of Linux' file systems.
  static let longestSegment = 255

  /// Names of the directories that lead to it.
  let directories: [String]
  /// Its own name.
  let name: String

  /// Checks a key.
  init(_ key: ObjectKey) throws(KeyRefusal) {
    var segments = try Self.segments(key.string)
    name = segments.removeLast()
    directories = segments
  }

  /// The directory it lies in, relative to the store's; empty for that itself.
  var directory: String { directories.joined(separator: "/") }

  /// The path relative to the store's directory.
  var relative: String { directories.isEmpty ? name : "\(directory)/\(name)" }

  /// Splits at slashes; every segment is one that a directory can hold.
  static func segments(_ text: String) throws(KeyRefusal) -> [String] {
    var segments: [String] = []
    // By bytes: a slash followed by a combining character is one Character.
    for part in text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      let segment = String(Substring(part))
      if let reason = refusal(of: segment) { throw KeyRefusal(reason: reason) }
      segments.append(segment)
    }
    return segments
  }

  private static func refusal(of segment: String) -> String? {
    switch segment {
    case "": return "a directory cannot hold an empty name, as a slash at an end or two in a row would make one"
    case ".", "..": return "'\(segment)' has a meaning of its own in a file system"
    default: break
    }
    if segment.utf8.contains(0) { return "a file name cannot contain a NUL byte" }
    if segment.hasPrefix(reservedPrefix) { return "names that begin with \(reservedPrefix) are this program's own" }
    guard segment.utf8.count <= longestSegment else {
      return "a file name has at most \(longestSegment) bytes, and one of its names has \(segment.utf8.count)"
    }
    return nil
  }
}
