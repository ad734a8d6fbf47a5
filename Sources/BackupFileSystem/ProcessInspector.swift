// What the file system wants to know of the processes that use it, read from /proc.
//
// Source: proc(5). Answers are advice: a process may have gone meanwhile, or live in another namespace; nil is unknown.

import Glibc

/// Looks at other processes; replaceable in tests.
public struct ProcessInspector: Sendable {
  /// The process (thread group) that a thread belongs to.
  public var process: @Sendable (_ thread: Int32) -> Int32?
  /// Whether a process has a descriptor open on a path that ends like this.
  public var hasOpen: @Sendable (_ process: Int32, _ pathSuffix: String) -> Bool
  /// Whether a thread has not ended.
  public var isRunning: @Sendable (_ thread: Int32) -> Bool

  /// Makes an inspector from its functions.
  public init(
    process: @escaping @Sendable (Int32) -> Int32?, hasOpen: @escaping @Sendable (Int32, String) -> Bool,
    isRunning: @escaping @Sendable (Int32) -> Bool = { _ in true }
  ) {
    self.process = process
    self.hasOpen = hasOpen
    self.isRunning = isRunning
  }

  /// Reads /proc of this machine.
  public static let system = ProcessInspector(
    process: { thread in
      guard thread > 0 else { return nil }
      let file = open("/proc/\(thread)/status", O_RDONLY | O_CLOEXEC)
      guard file >= 0 else { return nil }
      defer { close(file) }
      // Asked for with each file that is made: the line is among the first, and read as bytes.
      return withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { bytes in
        let count = read(file, bytes.baseAddress, bytes.count)
        guard count > 0 else { return nil }
        for line in bytes[..<count].split(separator: UInt8(ascii: "\n")) where line.starts(with: "Tgid:".utf8) {
          return Int32(String(decoding: line.dropFirst(5).drop { $0 == UInt8(ascii: "\t") }, as: UTF8.self))
        }
        return nil
      }
    },
    hasOpen: { process, suffix in
      guard let directory = opendir("/proc/\(process)/fd") else { return false }
      defer { closedir(directory) }
      var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
      while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        let count = target.withUnsafeMutableBytes { bytes in
          bytes.bindMemory(to: CChar.self).baseAddress.map { readlink("/proc/\(process)/fd/\(name)", $0, bytes.count) }
            ?? 0
        }
        if count > 0, String(decoding: target.prefix(count), as: UTF8.self).hasSuffix(suffix) { return true }
      }
      return false
    },
    isRunning: { thread in
      guard thread > 0, let file = fopen("/proc/\(thread)/stat", "r") else { return false }
      defer { fclose(file) }
      var line = [UInt8](repeating: 0, count: 512)
      let count = fread(&line, 1, line.count, file)
      // The state follows the name, which is in parentheses and may hold some itself.
      guard let end = line[..<count].lastIndex(of: UInt8(ascii: ")")), end + 2 < count else { return false }
      return line[end + 2] != UInt8(ascii: "Z") && line[end + 2] != UInt8(ascii: "X")
    })
}
