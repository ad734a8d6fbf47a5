// Tells a writer that was killed from one that closed its file: what a killed one wrote must not be published.
//
// The kernel closes the files of a dying process and sends FLUSH for them as for any other close. What tells them
// apart is in /proc/<thread>/stat (proc(5)): field 9, the flags, has PF_SIGNALED when a signal ended the thread, and
// field 52, the exit status, names that signal in its low seven bits. The flag alone is not enough: when a process with
// several threads leaves by exit(3), the kernel ends the others by a signal too, and one of those closes the files.

import Glibc

/// What /proc tells about a thread that closes a file.
struct CallerProcess: Equatable {
  /// Field 9: PF_… of include/linux/sched.h.
  var flags: UInt32
  /// Field 52: as in wait(2); 0 while it runs, and for a reader who may not know.
  var exitStatus: UInt32

  private static let signaled: UInt32 = 0x400

  /// From the contents of /proc/<thread>/stat; nil when they are not understood.
  init?(stat: some Collection<UInt8>) {
    // The second field is the name of the program in parentheses, and may itself hold blanks and parentheses.
    guard let end = stat.indices.reversed().first(where: { stat[$0] == UInt8(ascii: ")") }) else { return nil }
    let fields = stat[end...].split(whereSeparator: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") })
    // fields[0] is the parenthesis, fields[1] the third field.
    guard fields.count > 50, let flags = Self.number(fields[7]), let status = Self.number(fields[50]) else {
      return nil
    }
    self.flags = flags
    exitStatus = status
  }

  /// A signal ended the process.
  /// - Parameter maySeeExitStatus: an exit status of 0 means 0, not that it is hidden from us.
  func wasKilled(maySeeExitStatus: Bool) -> Bool {
    guard flags & Self.signaled != 0 else { return false }
    if exitStatus == 0 { return !maySeeExitStatus }
    return exitStatus & 0x7f != 0
  }

  /// Whether the process of this thread is dying of a signal; false when that cannot be known.
  /// - Parameters:
  ///   - thread: number of the thread in our namespace; 0 is unknown.
  ///   - user: the user it runs as.
  static func wasKilled(thread: Int32, user: UInt32) -> Bool {
    guard thread > 0 else { return false }
    let process = withContents(of: "/proc/\(thread)/stat") { CallerProcess(stat: $0) }
    guard let process, process.flags & signaled != 0 else { return false }
    return process.wasKilled(maySeeExitStatus: user == geteuid() || maySeeAllProcesses)
  }

  /// We have CAP_SYS_PTRACE, bit 19 of the effective set (capabilities(7)).
  private static let maySeeAllProcesses: Bool = {
    let title = Array("CapEff:".utf8)
    let set = withContents(of: "/proc/self/status") { contents -> UInt64? in
      let line = contents.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: title) }
      guard let line else { return nil }
      let digits = line.dropFirst(title.count).filter { $0 != UInt8(ascii: "\t") && $0 != UInt8(ascii: " ") }
      return UInt64(String(decoding: digits, as: UTF8.self), radix: 16)
    }
    return ((set ?? nil) ?? 0) & (1 << 19) != 0
  }()

  private static func number(_ digits: some Collection<UInt8>) -> UInt32? {
    var number: UInt32 = 0
    guard !digits.isEmpty else { return nil }
    for digit in digits {
      guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
      let (product, tooLarge) = number.multipliedReportingOverflow(by: 10)
      let (sum, stillTooLarge) = product.addingReportingOverflow(UInt32(digit - UInt8(ascii: "0")))
      guard !tooLarge, !stillTooLarge else { return nil }
      number = sum
    }
    return number
  }

  /// Hands over the first 4 KiB of a file of /proc.
  static func withContents<Result>(of path: String, _ body: (UnsafeRawBufferPointer) -> Result?) -> Result? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
      let count = read(descriptor, buffer.baseAddress, buffer.count)
      guard count > 0 else { return nil }
      return body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }
}
