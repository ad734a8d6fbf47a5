// Mounts a file system in a temporary directory for the length of a test.

import BackupFileSystem
import FUSEServer
import Foundation
import Glibc
import Logging
import Testing

/// A served mount.
struct TestMount: Sendable {
  let path: String
  let server: FUSEServer
  let running: Task<Void, any Error>

  /// Runs a command in which `$M` is the mount point.
  func shell(_ command: String) async throws -> ShellResult {
    try await FUSEServerTests.shell(command, in: path)
  }

  /// Starts a command in which `$M` is the mount point.
  func start(_ command: String) throws -> ShellCommand {
    try ShellCommand(command, in: path)
  }

  /// Mounts, runs `body`, unmounts whatever is left and checks that every handle was released once.
  static func with(
    _ fileSystem: MemoryFileSystem, gracePeriod: Duration = .seconds(20), threads: Int = 2, readOnly: Bool = false,
    allowOther: Bool = false, logger: Logger = .silent, _ body: (TestMount) async throws -> Void
  ) async throws {
    let path = try temporaryDirectory()
    let options = MountOptions(
      mountPoint: path, readOnly: readOnly, allowOther: allowOther, threads: threads, gracePeriod: gracePeriod)
    let server = FUSEServer(fileSystem, options: options, logger: logger)
    try server.mount()
    let mount = TestMount(path: path, server: server, running: Task { try await server.run() })
    do {
      try await body(mount)
    } catch {
      fileSystem.letGo()
      try server.unmount(.now)
      try await mount.running.value
      throw error
    }
    fileSystem.letGo()
    try server.unmount(.now)
    try await mount.running.value
    #expect(fileSystem.openHandles == 0)
    #expect(fileSystem.recorded.releasedTwice == 0)
    try FileManager.default.removeItem(atPath: path)
  }
}

/// A new empty directory, its path without links.
func temporaryDirectory() throws -> String {
  let path = URL(fileURLWithPath: NSTemporaryDirectory()).resolvingSymlinksInPath().path
  let directory = path + "/fuse-test-" + UUID().uuidString
  try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  return directory
}

/// The suites that mount: one after the other, for a machine has few processors and one kernel cache.
@Suite(
  .serialized, .timeLimit(.minutes(2)),
  .enabled(if: geteuid() == 0 && access("/dev/fuse", F_OK) == 0, "mounting needs root and /dev/fuse"))
enum Mounted {}

extension Logger {
  /// Logs nothing.
  static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}
