// Runs real programs on a mount. A test never touches the mount itself: it would block a thread of the pool in which the
// file system's own tasks run.

import Foundation
import Synchronization
import Testing

/// What a program did.
struct ShellResult: Sendable {
  /// Exit status; 128 + signal when a signal ended it.
  var status: Int32
  /// Standard output and standard error, mixed.
  var output: String
}

/// A shell command that is running.
final class ShellCommand: Sendable {
  // Foundation's Process is not Sendable; after `run` only its process id is used here.
  let processIdentifier: Int32
  private let finished: Task<ShellResult, Never>

  /// Starts a command of bash.
  init(_ command: String, in directory: String, _ arguments: [String] = []) throws {
    let outputPath = NSTemporaryDirectory() + "output-" + UUID().uuidString
    try Data().write(to: URL(fileURLWithPath: outputPath))
    let output = try #require(FileHandle(forWritingAtPath: outputPath))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", command, "bash"] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(["LC_ALL": "C.UTF-8", "M": directory]) { $1 }
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    let (ends, continuation) = AsyncStream.makeStream(of: Int32.self)
    process.terminationHandler = { process in
      continuation.yield(process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0))
      continuation.finish()
    }
    try process.run()
    processIdentifier = process.processIdentifier
    finished = Task {
      var status: Int32 = -1
      for await end in ends { status = end }
      let data = FileManager.default.contents(atPath: outputPath) ?? Data()
      try? FileManager.default.removeItem(atPath: outputPath)
      return ShellResult(status: status, output: String(decoding: data, as: UTF8.self))
    }
  }

  /// Waits for its end.
  var result: ShellResult { get async { await finished.value } }
}

/// Runs a command of bash; `$M` in it is the mount point.
func shell(_ command: String, in directory: String = "/") async throws -> ShellResult {
  try await ShellCommand(command, in: directory).result
}

/// Waits until something is so; a test's time limit ends a wait in vain.
func eventually(_ condition: () -> Bool) async throws {
  while !condition() { try await Task.sleep(for: .milliseconds(5)) }
}
