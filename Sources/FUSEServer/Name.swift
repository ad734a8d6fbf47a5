// A name as the kernel gives it: bytes. Names here are UTF-8 text of at most 255 bytes, the limit that programs expect;
// the kernel itself lets FUSE file systems have longer ones.

import BackupFileSystem
import Glibc
import SystemPackage

/// A name in a directory.
enum Name: Equatable {
  case text(String)
  case tooLong
  case notText

  /// Most bytes of a name.
  static let longest = 255

  init(_ name: UnsafePointer<CChar>) {
    if strnlen(name, Self.longest + 1) > Self.longest {
      self = .tooLong
    } else if let text = String(validatingCString: name) {
      self = .text(text)
    } else {
      self = .notText
    }
  }

  /// The name of something that should exist: what is no text names nothing.
  func existing() throws(FileSystemError) -> String {
    switch self {
    case .text(let name): return name
    case .tooLong: throw FileSystemError(.fileNameTooLong, "names have at most \(Self.longest) bytes")
    case .notText: throw FileSystemError(.noSuchFileOrDirectory, "the name is not UTF-8")
    }
  }

  /// The name of something new.
  func new() throws(FileSystemError) -> String {
    guard self != .notText else { throw FileSystemError(.illegalByteSequence, "the new name is not UTF-8") }
    return try existing()
  }
}
