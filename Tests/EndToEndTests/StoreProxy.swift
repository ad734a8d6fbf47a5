// The fault proxy before a store of the testbed.

import Foundation
import Testing

enum StoreProxy {
  /// Runs `body` with the port of a proxy before a store, and that of its control.
  static func with(
    _ instance: String, _ body: (_ port: Int, _ control: String) async throws -> Void
  ) async throws {
    let program = try #require(ProcessInfo.processInfo.environment["MILVUS_BACKUPFS_FAULT_PROXY"])
    let endpoint = try Testbed.instance(instance).store.endpoint.replacing("http://", with: "")
    let folder = FileManager.default.temporaryDirectory.appending(path: "proxy-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let proxy = try Running(
      "exec '\(program)' --to \(endpoint) --control 127.0.0.1:0 > '\(folder)/ports'", environment: [:])
    var ports = ""
    for _ in 0..<100 where ports.isEmpty {
      try await Task.sleep(for: .milliseconds(50))
      ports = (try? String(contentsOfFile: "\(folder)/ports", encoding: .utf8)) ?? ""
    }
    let port = Int(try await run("jq .port '\(folder)/ports'")) ?? 0
    let control = try await run("jq .control '\(folder)/ports'")
    let result: Result<Void, any Error>
    do {
      try await body(port, control)
      result = .success(())
    } catch {
      result = .failure(error)
    }
    kill(proxy.identifier, SIGTERM)
    _ = try await proxy.wait(limit: 10)
    try? FileManager.default.removeItem(atPath: folder)
    try result.get()
  }
}
