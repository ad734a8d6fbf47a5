// Small files, whole.

import Glibc

/// Reading and writing of small files by the system's own calls.
package enum FileBytes {
  /// Why a file could not be read or written.
  package struct Failure: Error, CustomStringConvertible {
    package var description: String

    init(_ path: String) { description = "\(path): \(String(cString: strerror(errno)))" }
  }

  /// All bytes of a file.
  package static func read(_ path: String) throws(Failure) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(path) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Failure(path) }
      guard count > 0 else { return bytes }
      bytes += buffer[..<count]
    }
  }

  /// Makes `path` a file of these bytes, readable by its owner alone; whoever reads it sees the old bytes or the new ones.
  package static func replace(_ path: String, with bytes: [UInt8]) throws(Failure) {
    let draft = path + ".new"
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Failure(draft) }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let failure = Failure(draft)
        close(descriptor)
        unlink(draft)
        throw failure
      }
      written += count
    }
    close(descriptor)
    guard rename(draft, path) == 0 else {
      let failure = Failure(path)
      unlink(draft)
      throw failure
    }
  }

  /// Makes a directory and those above it, for its owner alone.
  package static func makeDirectory(_ path: String) throws(Failure) {
    var made = path.hasPrefix("/") ? "" : "."
    for name in path.split(separator: "/") {
      made += "/" + name
      guard mkdir(made, 0o700) == 0 || errno == EEXIST else { throw Failure(made) }
    }
  }

  /// The names in a directory; none when there is no such directory.
  package static func names(in path: String) throws(Failure) -> [String] {
    guard let directory = opendir(path) else {
      if errno == ENOENT { return [] }
      throw Failure(path)
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      // An entry may be allocated shorter than its type says, so its name is read where it lies.
      let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
      names.append(String(cString: (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self)))
    }
    return names
  }
}
