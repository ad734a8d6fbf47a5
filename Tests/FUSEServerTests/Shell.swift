// Runs real programs on a mount. A test never touches the mount itself: it would block a thread of the pool in which
// the file system's own tasks run.

import Foundation
import Glibc

/// What a program did.
struct ShellResult: Sendable {
  /// Exit status; 128 + signal when a signal ended it.
  var status: Int32
  /// Standard output and standard error, mixed.
  var output: String
}

/// A shell command that is running. Foundation's Process would not do: its children inherit the blocked signals of
/// whatever thread starts them, and these tests are about signals.
final class ShellCommand: Sendable {
  let processIdentifier: Int32
  private let outputPath: String
  private let ends: AsyncStream<Int32>

  /// Starts a command of bash, in which `$M` is a directory and `$1`… are arguments.
  init(_ command: String, in directory: String, _ arguments: [String] = []) throws {
    outputPath = NSTemporaryDirectory() + "output-" + UUID().uuidString
    let process = try Self.spawn(
      ["/bin/bash", "-c", command, "bash"] + arguments,
      environment: ProcessInfo.processInfo.environment.merging(["LC_ALL": "C.UTF-8", "M": directory]) { $1 },
      outputPath)
    processIdentifier = process
    let (ends, continuation) = AsyncStream.makeStream(of: Int32.self)
    self.ends = ends
    Thread.detachNewThread {
      var status: Int32 = 0
      while waitpid(process, &status, 0) < 0, errno == EINTR {}
      continuation.yield(status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f)
      continuation.finish()
    }
  }

  /// Waits for its end; to be asked once. When the test is cancelled because it took too long, the status is -1: a
  /// program that nobody answers cannot even be killed.
  var result: ShellResult {
    get async {
      var status: Int32 = -1
      for await end in ends { status = end }
      let data = FileManager.default.contents(atPath: outputPath) ?? Data()
      try? FileManager.default.removeItem(atPath: outputPath)
      return ShellResult(status: status, output: String(decoding: data, as: UTF8.self))
    }
  }

  private static func spawn(_ words: [String], environment: [String: String], _ outputPath: String) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    var all = sigset_t()
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for string in arguments + variables { free(string) } }
    var process = pid_t()
    let error = posix_spawn(&process, words[0], &actions, &attributes, &arguments, &variables)
    guard error == 0 else { throw POSIXError(POSIXErrorCode(rawValue: error) ?? .EIO) }
    return process
  }
}

/// Runs a command of bash; `$M` in it is a directory.
func shell(_ command: String, in directory: String = "/") async throws -> ShellResult {
  try await ShellCommand(command, in: directory).result
}

/// Waits until something is so; a test's time limit ends a wait in vain.
func eventually(_ condition: () -> Bool) async throws {
  while !condition() { try await Task.sleep(for: .milliseconds(5)) }
}
