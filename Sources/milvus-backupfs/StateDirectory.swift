// Where the program keeps what outlives a process: logs and journals.

import Glibc

/// `$XDG_STATE_HOME/milvus-backupfs`, or the same below `~/.local/state`.
enum StateDirectory {
  /// Where it should be.
  static var wanted: String {
    let home = getenv("HOME").map { String(cString: $0) } ?? "/tmp"
    let state = getenv("XDG_STATE_HOME").map { String(cString: $0) } ?? "\(home)/.local/state"
    return "\(state)/milvus-backupfs"
  }

  /// Its path; made, for the user alone, if need be. Nil, with errno, when it cannot be made.
  static func path() -> String? {
    var directory = ""
    for part in wanted.split(separator: "/") {
      directory += "/\(part)"
      guard mkdir(directory, 0o700) == 0 || errno == EEXIST else { return nil }
    }
    return directory
  }

  /// Where jobs are written down.
  static var jobs: String { "\(wanted)/jobs" }
}
