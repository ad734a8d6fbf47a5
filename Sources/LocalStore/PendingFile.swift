// A file that is being written under a name of its own, and becomes an object by being renamed.
//
// Invariants: until `publish` nobody sees it; published means durable; one that is dropped leaves nothing behind.

import Glibc
import ObjectStore

/// A file on its way to become an object.
final class PendingFile {
  /// What the names of such files begin with.
  static let prefix = LocalPath.reservedPrefix + "tmp-"
  /// Bytes written or copied between two looks at whether the caller still wants it.
  private static let piece = 4 << 20

  private let directory: Descriptor
  private let file: Descriptor
  private let name: String
  private var isPublished = false
  /// Bytes written so far.
  private(set) var size: Int64 = 0

  /// Creates the file in the directory where the object will be: a rename works within one file system only.
  /// - Throws: `ENOENT` when the directory was removed meanwhile.
  init(in directory: Descriptor) throws(SystemFailure) {
    let name = Self.prefix + String(UInt64.random(in: 0 ... .max), radix: 36)
    file = try directory.open(name, O_WRONLY | O_CREAT | O_EXCL, mode: 0o666)
    self.directory = directory
    self.name = name
  }

  deinit {
    if !isPublished { try? directory.removeFile(name) }
  }

  /// Appends bytes.
  func append(_ bytes: [UInt8], _ cancellation: Cancellation) throws {
    try bytes.withUnsafeBytes { bytes in
      var position = 0
      while position < bytes.count {
        try cancellation.check()
        let end = min(position + Self.piece, bytes.count)
        try file.write(UnsafeRawBufferPointer(rebasing: bytes[position..<end]), at: size)
        size += Int64(end - position)
        position = end
      }
    }
  }

  /// Appends the first `count` bytes of another file, inside the kernel where that can.
  func append(contentsOf source: Descriptor, count: Int64, _ cancellation: Cancellation) throws {
    var done: Int64 = 0
    while done < count {
      try cancellation.check()
      let wanted = Int(min(Int64(Self.piece), count - done))
      let copied =
        try copyInsideKernel(source, at: done, count: wanted) ?? copyThroughMemory(source, at: done, count: wanted)
      guard copied > 0 else { return }
      done += Int64(copied)
      size += Int64(copied)
    }
  }

  /// Nil when the kernel cannot: the files are on different file systems, or one of these does not know how.
  private func copyInsideKernel(
    _ source: Descriptor, at offset: Int64, count: Int
  ) throws(SystemFailure) -> Int? {
    do throws(SystemFailure) {
      return try file.copy(from: source, at: offset, to: size, count: count)
    } catch {
      guard [EXDEV, EINVAL, ENOSYS, EOPNOTSUPP, EBADF].contains(error.number) else { throw error }
      return nil
    }
  }

  private func copyThroughMemory(_ source: Descriptor, at offset: Int64, count: Int) throws -> Int {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 4096)
    defer { buffer.deallocate() }
    let read = try source.read(into: buffer, at: offset)
    try file.write(UnsafeRawBufferPointer(rebasing: buffer[..<read]), at: size)
    return read
  }

  /// Gives the file its name.
  /// - Parameters:
  ///   - name: in the same directory.
  ///   - condition: with `.absent`, `EEXIST` is thrown when the name is taken.
  ///   - isDurable: false for what need not outlive a crash of the machine.
  /// - Returns: its status afterwards.
  func publish(
    as name: String, condition: WriteCondition, isDurable: Bool = true
  ) throws(SystemFailure) -> FileStatus {
    try file.touch()
    if isDurable { try file.sync() }
    switch condition {
    case .none: try directory.rename(self.name, to: name)
    case .absent: try directory.rename(self.name, toAbsent: name)
    }
    isPublished = true
    if isDurable { try directory.sync() }
    return try file.status()
  }

  /// Status of what has the name now.
  func status(of name: String) throws(SystemFailure) -> FileStatus { try directory.status(of: name) }
}
