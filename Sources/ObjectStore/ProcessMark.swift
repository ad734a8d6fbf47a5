// Which process, so that it is not taken for a later one of the same number, one of another container, or one of another
// machine that shares the folder.

import Glibc

/// A process of some machine.
public struct ProcessMark: Codable, Sendable, Hashable {
  /// Its number.
  public var id: Int32
  /// When it began, in clock ticks since the machine's start (proc(5), `stat`, field 22).
  public var start: UInt64
  /// The machine's start, which gives the ticks a meaning (`/proc/sys/kernel/random/boot_id`).
  public var boot: String
  /// Host name, machine id and name space of process numbers: the place in which the number has a meaning.
  public var place: String

  /// What is known of a process by its mark.
  public enum Fate: Sendable, Hashable {
    /// It runs.
    case alive
    /// It has ended.
    case ended
    /// It belongs to another machine or container, so that there is no telling.
    case elsewhere
  }

  /// This process.
  public static let current = ProcessMark(
    id: getpid(), start: startTime(of: getpid()) ?? 0, boot: text("/proc/sys/kernel/random/boot_id"), place: here)

  /// Whether the process runs.
  public var fate: Fate {
    guard place == Self.current.place else { return .elsewhere }
    guard boot == Self.current.boot else { return .ended }
    return Self.startTime(of: id) == start ? .alive : .ended
  }

  private static let here: String = {
    var host = utsname()
    uname(&host)
    let name = withUnsafeBytes(of: host.nodename) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    var link = [CChar](repeating: 0, count: 64)
    let count = readlink("/proc/self/ns/pid", &link, link.count)
    let space = String(decoding: link.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return "\(name) \(text("/etc/machine-id")) \(space)"
  }()

  /// The field of `/proc/PID/stat`; nil when there is no such process, or only what is left of one.
  static func startTime(of process: Int32) -> UInt64? {
    // The program's name, in parentheses, may hold anything; the fields that count come behind it.
    guard let line = contents("/proc/\(process)/stat"), let end = line.lastIndex(of: ")") else { return nil }
    let fields = line[line.index(after: end)...].split(separator: " ")
    guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
    return UInt64(fields[19])
  }

  private static func text(_ path: String) -> String {
    (contents(path) ?? "").split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
  }

  private static func contents(_ path: String) -> String? {
    (try? FileBytes.read(path)).map { String(decoding: $0, as: UTF8.self) }
  }
}
