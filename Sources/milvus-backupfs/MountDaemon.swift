// Starting the daemon: the program runs itself again, detached, and waits until that says that the mount answers.
//
// A process with threads cannot fork safely, so the daemon is a new process. Overrides may hold secrets and therefore go
// through its standard input, not through its arguments, which every user of the machine can read.

import FUSEServer
import Glibc

/// What a daemon tells whoever started it: lines through a pipe, or standard error in the foreground.
struct ReadinessReport: Sendable {
  let descriptor: Int32?

  func warn(_ text: String) { write("warning: \(text)") }
  func succeeded() { end(with: "ready") }
  func failed(_ error: any Error) { end(with: "error: \((error as? CommandFailure)?.message ?? "\(error)")") }

  private func end(with line: String) {
    guard let descriptor else { return }
    write(line)
    close(descriptor)
  }

  private func write(_ line: String) {
    let oneLine = line.split(whereSeparator: \.isNewline).joined(separator: " ")
    guard let descriptor else {
      printError("milvus-backupfs: \(oneLine)")
      return
    }
    let bytes = Array((oneLine + "\n").utf8)
    _ = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
  }
}

/// Starts the daemon of a mount.
struct MountDaemon {
  /// The descriptor on which the daemon reports; 0 to 2 are taken.
  private static let reportDescriptor: Int32 = 3
  /// POSIX_SPAWN_SETSID of spawn.h, which Swift does not see because it needs _GNU_SOURCE.
  private static let newSession: Int16 = 0x80

  let command: MountCommand

  /// Starts it and waits for its report.
  func start() throws {
    let logPath = try logPath()
    let report = try Self.pipe()
    let input = try Self.pipe()
    try spawn(log: logPath, report: report[1], input: input[0])
    close(report[1])
    close(input[0])
    let settings = Array(command.overrides.overrides.joined(separator: "\n").utf8)
    _ = settings.withUnsafeBytes { write(input[1], $0.baseAddress, $0.count) }
    close(input[1])
    try follow(report[0], log: logPath)
  }

  /// A pipe that only the spawned program gets, and only where it is told to.
  private static func pipe() throws -> [Int32] {
    var ends: [Int32] = [0, 0]
    guard Glibc.pipe(&ends) == 0 else {
      throw CommandFailure("The daemon cannot be started: \(String(cString: strerror(errno))).")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return ends
  }

  /// Descriptors that this program inherited would live as long as the daemon, and whoever waits for their end with them.
  private static func keepDescriptorsToOurselves() {
    guard let directory = opendir("/proc/self/fd") else { return }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if let descriptor = Int32(name), descriptor > STDERR_FILENO { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    }
  }

  private func follow(_ descriptor: Int32, log: String) throws {
    guard let file = fdopen(descriptor, "r") else { throw CommandFailure("The daemon's report cannot be read.") }
    defer { fclose(file) }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while getline(&line, &capacity, file) > 0, let line {
      let text = String(String(cString: line).dropLast())
      if text == "ready" {
        try checkAnswer()
        return
      }
      if text.hasPrefix("error: ") { throw CommandFailure(String(text.dropFirst(7))) }
      printError("milvus-backupfs: \(text)")
    }
    throw CommandFailure("The daemon ended before the mount answered; its log is \(log).")
  }

  private func checkAnswer() throws {
    var status = stat()
    guard stat(command.mountPoint, &status) == 0 else {
      throw CommandFailure("\(command.mountPoint) does not answer: \(String(cString: strerror(errno))).")
    }
  }

  private func spawn(log: String, report: Int32, input: Int32) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    posix_spawn_file_actions_adddup2(&actions, report, Self.reportDescriptor)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setflags(&attributes, Self.newSession)

    Self.keepDescriptorsToOurselves()
    var words = ["milvus-backupfs", "mount", command.configuration, command.mountPoint, "--foreground"]
    words += ["--ready-descriptor", "\(Self.reportDescriptor)"]
    if command.readOnly { words.append("--read-only") }
    if command.allowOther { words.append("--allow-other") }
    if command.writeBehind { words.append("--write-behind") }
    if command.replace { words.append("--replace") }
    for store in command.readOnlyStores { words += ["--read-only-store", store] }
    for list in command.options { words += ["-o", list] }
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    arguments.append(nil)
    defer { for argument in arguments { free(argument) } }
    var process = pid_t()
    let error = posix_spawn(&process, "/proc/self/exe", &actions, &attributes, arguments, environ)
    guard error == 0 else { throw CommandFailure("The daemon cannot be started: \(String(cString: strerror(error))).") }
  }

  /// The log file, its directory made if need be.
  private func logPath() throws -> String {
    if let given = command.log { return given }
    let name = command.mountPoint.split(separator: "/").joined(separator: "-")
    guard let directory = StateDirectory.path() else {
      throw CommandFailure(
        "The log directory \(StateDirectory.wanted) cannot be made: \(String(cString: strerror(errno))). Name a file with "
          + "--log.")
    }
    return "\(directory)/mount-\(name).log"
  }
}
