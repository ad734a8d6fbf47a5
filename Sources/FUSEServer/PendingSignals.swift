// Which signals wait for a thread that is blocked in a request, from /proc/<thread>/status (proc(5)).
//
// A signal that is handled or ends the process stays pending until the system call returns: SigPnd for the thread, ShdPnd
// for its process. When a signal ends the whole process, the kernel makes SIGKILL pending for each of its threads.

import Glibc

/// The signals that wait for a thread.
struct PendingSignals: Equatable {
  /// Bit n-1 stands for signal n; blocked ones are left out.
  var mask: UInt64

  /// Signals that tell a program something and do not ask it to stop what it does, stopping for a while included.
  private static let harmless: UInt64 = [
    SIGCHLD, SIGCONT, SIGIO, SIGPROF, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGVTALRM, SIGWINCH,
  ].reduce(0) { $0 | 1 << UInt64($1 - 1) }

  /// From the contents of /proc/<thread>/status; nil when they are not understood.
  init?(status: some Collection<UInt8>) {
    var values: [String: UInt64] = [:]
    for line in status.split(separator: UInt8(ascii: "\n")) {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
      let name = String(decoding: line[..<colon], as: UTF8.self)
      guard ["SigPnd", "ShdPnd", "SigBlk"].contains(name) else { continue }
      let digits = line[line.index(after: colon)...].filter { $0 > UInt8(ascii: " ") }
      values[name] = UInt64(String(decoding: digits, as: UTF8.self), radix: 16)
    }
    guard let own = values["SigPnd"], let shared = values["ShdPnd"], let blocked = values["SigBlk"] else { return nil }
    mask = (own | shared) & ~blocked
  }

  /// Whether one of them asks the program to stop.
  var askToStop: Bool { mask & ~Self.harmless != 0 }

  /// Whether a thread is asked to stop; true when it cannot be known, or is gone: then nobody waits for the answer.
  static func askToStop(thread: Int32) -> Bool {
    guard thread > 0 else { return true }
    let signals = CallerProcess.withContents(of: "/proc/\(thread)/status") { PendingSignals(status: $0) }
    return signals?.askToStop ?? true
  }
}
