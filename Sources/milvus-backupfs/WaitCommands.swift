// `wait`, `cancel` and `jobs`: jobs of a mount's daemon, by the files that show them, and of all processes, by the journal.

import ArgumentParser
import BackupEngine
import Glibc

/// `milvus-backupfs wait`.
struct WaitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wait", abstract: "Wait for a job of a mount, with a progress bar.",
    discussion: """
      milvus-backupfs wait /mnt/milvus/milvus_B/my_backup
      milvus-backupfs wait /mnt/milvus/.milvus-backupfs/jobs/restore-1

      Exit status: 0 when the job is done, 1 when it was refused or has failed or there is none, 2 when it was cancelled, 3
      when only part was done.
      Interrupted, it stops waiting; the job goes on.
      """)

  @Argument(help: "A backup, its file restore, a store's file create, or a job's file in .milvus-backupfs/jobs.")
  var path: String

  func run() async throws {
    let file = JobFile(path)
    var display = ProgressDisplay()
    while true {
      let report = try file.report()
      switch report.state {
      case "running":
        display.show(report.line)
        try await Task.sleep(for: .milliseconds(display.pace))
        continue
      case "done":
        display.clear()
        report.warn()
        print(report.value("result") ?? "done")
      case "none":
        throw CommandFailure("There is no job at \(file.path).")
      default:
        display.clear()
        report.warn()
        throw CommandFailure(
          report.value("error") ?? report.value("result") ?? "The job at \(file.path) is \(report.state).",
          exitCode: report.state == "cancelled" ? 2 : report.state == "partial" ? JobFollower.partial : 1)
      }
      return
    }
  }
}

/// `milvus-backupfs cancel`.
struct CancelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "Cancel a job of a mount and wait until it has cleaned up.",
    discussion: """
      milvus-backupfs cancel /mnt/milvus/milvus_B/my_backup

      The same as writing --cancel to the control file. What a restore has created and not finished is dropped again. Exit
      status 1 when no job is running there.
      """)

  @Argument(help: "A backup, its file restore, a store's file create, or a job's file in .milvus-backupfs/jobs.")
  var path: String

  func run() async throws {
    let file = JobFile(path)
    try file.write("--cancel")
    while true {
      let report = try file.report()
      guard report.state == "running" else {
        print(report.value("error") ?? report.value("result") ?? report.state)
        return
      }
      try await Task.sleep(for: .milliseconds(100))
    }
  }
}

/// `milvus-backupfs jobs`.
struct JobsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "jobs", abstract: "List the jobs of this user on this machine, of all mounts and commands.")

  func run() throws {
    let journal = JobJournal(directory: StateDirectory.jobs, isService: false) { _ in }
    for job in JobCenter.written(in: journal) {
      let end = job.result ?? job.error?.message ?? ""
      print("\(job.id)  \(job.target)  \(job.state.rawValue)\(end.isEmpty ? "" : "  \(end)")")
    }
  }
}

/// A control file or a job's file of a mount.
struct JobFile {
  let path: String

  /// A directory stands for its file `restore`.
  init(_ path: String) {
    var status = stat()
    let isDirectory = stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = isDirectory ? "\(path)/restore" : path
  }

  /// What the file shows now.
  func report() throws(CommandFailure) -> JobReport {
    guard let file = fopen(path, "r") else { throw failure("read") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      guard count > 0 else { break }
      bytes += buffer[..<count]
    }
    guard ferror(file) == 0 else { throw failure("read") }
    return JobReport(String(decoding: bytes, as: UTF8.self))
  }

  /// Writes a line to it.
  func write(_ line: String) throws(CommandFailure) {
    let file = open(path, O_WRONLY)
    guard file >= 0 else { throw failure("opened") }
    defer { close(file) }
    let bytes = Array("\(line)\n".utf8)
    guard bytes.withUnsafeBytes({ Glibc.write(file, $0.baseAddress, $0.count) }) == bytes.count else {
      if errno == ESRCH { throw CommandFailure("No job is running at \(path).") }
      throw failure("written")
    }
  }

  private func failure(_ what: String) -> CommandFailure {
    CommandFailure(
      "\(path) cannot be \(what): \(String(cString: strerror(errno))). Name a backup in a mount of milvus-backupfs, or a file "
        + "in its .milvus-backupfs/jobs.")
  }
}

/// The lines of `key: value` by which a job shows itself.
struct JobReport {
  private let lines: [(key: String, value: String)]

  init(_ text: String) {
    lines = text.split(separator: "\n").compactMap { line in
      guard let colon = line.firstRange(of: ": ") else { return nil }
      return (String(line[..<colon.lowerBound]), String(line[colon.upperBound...]))
    }
  }

  /// The first value of a key.
  func value(_ key: String) -> String? { lines.first { $0.key == key }?.value }

  /// The job's state; `none` for a file that shows no job.
  var state: String { value("state") ?? "none" }

  /// For display.
  var line: ProgressLine {
    let bytes = value("bytes")?.split(separator: " ") ?? []
    let number = { (key: String) in value(key)?.split(separator: " ").first.flatMap { Double($0) } }
    return ProgressLine(
      percent: value("progress").flatMap { Int($0.dropLast()) } ?? 0, phase: value("phase") ?? "",
      bytesDone: bytes.first.flatMap { Int64($0) } ?? 0, bytesTotal: bytes.last.flatMap { Int64($0) } ?? 0,
      bytesPerSecond: number("rate"), secondsLeft: number("left"))
  }

  /// Shows the warnings on standard error.
  func warn() {
    for line in lines where line.key == "warning" { printError("milvus-backupfs: warning: \(line.value)") }
  }
}
