// fusermount3, the setuid program by which users other than root mount and unmount.

import Glibc

/// The helper program of libfuse.
enum HelperProgram {
  /// Where it is; nil when it is not installed. Looked for where libfuse looks.
  static var path: String? {
    let search = getenv("PATH").map { String(cString: $0) } ?? ""
    let directories = ["/bin", "/usr/bin"] + search.split(separator: ":").map(String.init)
    return directories.lazy.map { $0 + "/fusermount3" }.first { access($0, X_OK) == 0 }
  }

  /// /etc/fuse.conf has a line `user_allow_other`.
  static var allowsOther: Bool {
    guard let file = fopen("/etc/fuse.conf", "r") else { return false }
    defer { fclose(file) }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while getline(&line, &capacity, file) > 0, let text = line {
      if String(cString: text).split(whereSeparator: \.isWhitespace) == ["user_allow_other"] { return true }
    }
    return false
  }

  /// Unmounts.
  /// - Parameter lazily: take it out of sight although it is in use.
  /// - Returns: nil on success, otherwise what the helper said.
  static func unmount(_ mountPoint: String, lazily: Bool) -> String? {
    guard let path else { return "the program fusermount3 is not installed" }
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return text(of: errno) }
    defer { close(ends[0]) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)

    let words = [path, "-u"] + (lazily ? ["-z"] : []) + ["--", mountPoint]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    arguments.append(nil)
    defer { for argument in arguments { free(argument) } }
    var process = pid_t()
    let error = posix_spawn(&process, path, &actions, nil, arguments, environ)
    close(ends[1])
    guard error == 0 else { return text(of: error) }

    var message: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 512)
    while true {
      let count = read(ends[0], &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      message += buffer[..<count]
    }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { break }
    }
    guard status != 0 else { return nil }
    let text = String(decoding: message, as: UTF8.self).split(separator: "\n").joined(separator: "; ")
    return text.isEmpty ? "fusermount3 failed with status \(status >> 8)" : text
  }
}
