// A double of a Milvus server of a version that cannot be had here: scripts/double, which is strict. It keeps its data
// in the bucket of the testbed's store A, below a root path of its own.

import Foundation

/// A running double.
struct MilvusDouble: Sendable {
  /// The version it stands for.
  let version: String
  /// `host:port` of gRPC and REST.
  let address: String
  /// `host:port` of health, garbage collection and `/double/…`.
  let management: String
  /// Key prefix of its data.
  let root: String
  /// Key prefix of the backups made of it.
  var backups: String { "\(root)-backup" }

  /// Starts a double, runs `body`, stops it and removes its data.
  static func with(_ version: String, options: [String] = [], _ body: (MilvusDouble) async throws -> Void) async throws
  {
    let store = try Testbed.instance("A").store
    let root = "double-\(version)-\(UUID().uuidString.prefix(8))"
    let log = FileManager.default.temporaryDirectory.appending(path: "\(root).log")
    _ = FileManager.default.createFile(atPath: log.path, contents: nil)
    let output = try FileHandle(forWritingTo: log)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "\(Testbed.project)/scripts/double")
    process.arguments =
      [
        "--version", version, "--port", "0", "--management-port", "0", "--endpoint", store.endpoint, "--bucket",
        store.bucket, "--access-key", store.accessKeyID, "--root-path", root,
      ] + options
    process.environment = ProcessInfo.processInfo.environment.merging([
      "MILVUS_DOUBLE_SECRET_KEY": store.secretAccessKey
    ]) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let result: Result<Void, any Error>
    do {
      try await body(ready(version, root, log: log, isRunning: { process.isRunning }))
      result = .success(())
    } catch {
      result = .failure(error)
    }
    process.terminate()
    process.waitUntilExit()
    try? output.close()
    try? FileManager.default.removeItem(at: log)
    for prefix in [root, "\(root)-backup"] { try await Oracle.remove("A", "\(prefix)/") }
    try result.get()
  }

  /// Waits for the line that the double prints when it serves.
  private static func ready(
    _ version: String, _ root: String, log: URL, isRunning: () -> Bool
  ) async throws -> MilvusDouble {
    for _ in 0..<600 {
      let text = try String(contentsOf: log, encoding: .utf8)
      if let found = text.firstMatch(of: /at ([0-9.]+:[0-9]+), REST [0-9]+, management ([0-9]+)/) {
        return MilvusDouble(
          version: version, address: String(found.1), management: "127.0.0.1:\(found.2)", root: root)
      }
      guard isRunning() else { throw Failed(description: "the double of \(version) ended: \(text)") }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw Failed(description: "the double of \(version) was not ready after 30 seconds")
  }

  /// What makes the configuration of the testbed's A one of this double: text to find, text to put there.
  func edits() throws -> [(String, String)] {
    let real = try Testbed.instance("A").milvus.address
    func port(_ address: String) -> Substring { address.split(separator: ":").last ?? "" }
    return [
      ("  port: \(port(real))\n", "  port: \(port(address))\n"), ("  rootPath: files\n", "  rootPath: \(root)\n"),
      ("  backupRootPath: backup\n", "  backupRootPath: \(backups)\n"),
    ]
  }

  /// One call that the double was asked for.
  struct Call: Decodable, Sendable, CustomStringConvertible {
    /// `grpc`, `rest` or `management`.
    var kind: String
    var name: String
    /// `ok`, or the code and the reason.
    var outcome: String
    var description: String { "\(kind) \(name): \(outcome)" }
  }

  /// What the double was asked for, in order.
  func calls() async throws -> [Call] {
    let text = try await run("curl -sf --noproxy '*' 'http://\(management)/double/calls'")
    return try JSONDecoder().decode([Call].self, from: Data(text.utf8))
  }
}
