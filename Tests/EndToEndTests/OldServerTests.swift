import Foundation
import Testing

extension EndToEnd.Servers {
  /// A real Milvus 2.2.16, which keeps its data in a directory: its backup comes back on 2.3.5. In the long mode, and after
  /// `scripts/setup --old-milvus`.
  @Suite(.serialized) struct OldServers {
    static let kinds = ["plain", "deleted", "partitionkey"]

    @Test(.enabled(if: Restores.isLong)) func aBackupOfTwoDotTwoComesBackOnTwoDotThree() async throws {
      let folder = FileManager.default.temporaryDirectory.appending(path: "e2e-old-\(UUID().uuidString)").path
      defer { try? FileManager.default.removeItem(atPath: folder) }
      try await OldMilvus.with(folder: folder) { server in
        let testbed = ProcessInfo.processInfo.environment["MILVUS_BACKUPFS_TESTBED"] ?? ""
        let contents = { (words: String) in
          try await run(
            "\"$PYTHON\" '\(Testbed.project)/Tests/EndToEndTests/Oracle/contents.py' '\(testbed)' \(words)", limit: 600)
        }
        try FileManager.default.createDirectory(atPath: "\(folder)/backups", withIntermediateDirectories: true)
        for kind in Self.kinds {
          _ = try await contents("make \(server.address) \(kind) old_\(kind)")
          _ = try await contents("drop B old_\(kind)_new")
        }
        try await Oracle.remove("B", "backup/old/")
        let real = try Testbed.instance("A").milvus.address.split(separator: ":").last ?? ""
        let edits = [
          ("  port: \(real)\n", "  port: \(server.port)\n"), ("storageType: minio", "storageType: local"),
          ("rootPath: files", "rootPath: \(server.data)"),
          ("backupRootPath: backup", "backupRootPath: \(folder)/backups"),
        ]
        try await Workplace.with(edits: ["A": edits]) { place in
          let checked = try await run("\"$BACKUPFS\" check --config '\(place.configs)/milvus_A.yaml'")
          #expect(checked.contains("Milvus v2.2.16"), "\(checked)")
          // Deletes are written down some time after they were made: after ten minutes, without the setting below.
          try await Task.sleep(for: .seconds(15))
          let made = try await run("\"$BACKUPFS\" create --config '\(place.configs)/milvus_A.yaml' -n old", limit: 600)
          #expect(made.contains("ten minutes after the last delete"), "\(made)")
          try await Task.sleep(for: .seconds(1.2))
          try await run("cp -r '\(place.mount)/milvus_A/old' '\(place.mount)/milvus_B/'", limit: 300)
          try await run(
            "\"$BACKUPFS\" restore --config '\(place.configs)/milvus_B.yaml' -n old -s _new --rebuild_index",
            environment: ["XDG_STATE_HOME": place.state], limit: 900)
        }
        for kind in Self.kinds {
          let result = try await contents("compare \(server.address) old_\(kind) B old_\(kind)_new")
          #expect(result.hasSuffix("rows equal") && result != "0 rows equal", "\(kind): \(result)")
        }
      }
      #expect(try await Oracle.objects("B", "files/restore-temp-").isEmpty)
    }
  }
}

/// A Milvus 2.2.16 on local storage, run by the starter of its own package.
struct OldMilvus: Sendable {
  let port: Int
  /// The directory of its data: `rootPath` of a configuration.
  let data: String
  var address: String { "127.0.0.1:\(port)" }

  static func with(folder: String, _ body: (OldMilvus) async throws -> Void) async throws {
    let program = "\(Testbed.project)/.testbed/milvus-2.2/bin/milvus-server"
    guard FileManager.default.isExecutableFile(atPath: program) else {
      throw Failed(description: "\(program) is missing: scripts/setup --old-milvus installs it")
    }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // The last port of the testbed's block, which its own servers leave free.
    let first = try Testbed.instance("A").milvus.address.split(separator: ":").last.flatMap { Int($0) }
    let server = OldMilvus(port: (first ?? 0) + 39, data: "\(folder)/server/data")
    let running = try Running(
      "exec '\(program)' --data '\(folder)/server' --proxy-port \(server.port) "
        + "--extra-config dataCoord.compaction.enableAutoCompaction=false "
        + "--extra-config dataNode.segment.syncPeriod=5 > '\(folder)/server.log' 2>&1",
      environment: [:])
    let result: Result<Void, any Error>
    do {
      try await server.untilReady(running, log: "\(folder)/server.log")
      try await body(server)
      result = .success(())
    } catch {
      result = .failure(error)
    }
    // Its data is not needed any more. The starter would take care of the server at SIGINT, which is blocked in what a
    // test starts.
    _ = try await shell("pkill -KILL -P \(running.identifier); kill -KILL \(running.identifier)")
    _ = try await running.wait(limit: 3600)
    try result.get()
  }

  private func untilReady(_ running: Running, log: String) async throws {
    for _ in 0..<1200 {
      let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
      if text.contains("Ctrl+C to exit") { return }
      guard running.isRunning else { throw Failed(description: "Milvus 2.2.16 ended: \(text)") }
      try await Task.sleep(for: .milliseconds(100))
    }
    throw Failed(description: "Milvus 2.2.16 was not ready after 120 seconds")
  }
}
