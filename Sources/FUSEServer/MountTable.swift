// What is mounted where, from /proc/self/mountinfo (proc(5)).

import Glibc

/// The mounts that this process sees.
struct MountTable {
  /// One mount.
  struct Mount: Equatable {
    /// Major and minor device number, as text.
    var device: String
    var mountPoint: String
    var type: String
    var source: String

    /// A FUSE file system of whatever program.
    var isFUSE: Bool { type == "fuse" || type == "fuseblk" || type.hasPrefix("fuse.") }
  }

  /// In the order of mounting: of two at one place, the later one is seen.
  let mounts: [Mount]

  /// Parses the contents of mountinfo; lines that are not understood are left out.
  init(_ text: String) {
    mounts = text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ")
      // Optional fields, any number of them, end with a dash.
      guard fields.count > 6, let dash = fields.dropFirst(6).firstIndex(of: "-"), fields.count > dash + 2 else {
        return nil
      }
      return Mount(
        device: String(fields[2]), mountPoint: Self.unescaped(fields[4]), type: Self.unescaped(fields[dash + 1]),
        source: Self.unescaped(fields[dash + 2]))
    }
  }

  /// The mounts of now.
  static func current() -> MountTable {
    MountTable(contents(of: "/proc/self/mountinfo"))
  }

  /// What is seen at a path, if that is a mount point.
  func top(at path: String) -> Mount? {
    mounts.last { $0.mountPoint == path }
  }

  /// Whether a device is mounted at a path, perhaps under another mount.
  func contains(device: String, at path: String) -> Bool {
    mounts.contains { $0.mountPoint == path && $0.device == device }
  }

  /// Blanks and the like are written as a backslash and three octal digits.
  private static func unescaped(_ field: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = field.utf8
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      if byte == UInt8(ascii: "\\"), digits.count == 3,
        let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
      {
        bytes.append(code)
        rest.removeFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func contents(of path: String) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += buffer[..<count]
    }
  }
}
