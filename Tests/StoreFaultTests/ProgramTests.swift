import Foundation
import Testing

extension StoreFaults {
  /// The proxy as a program, the way scripts use it.
  @Suite struct ProgramTests {
    private struct Ports: Decodable {
      var port: Int
      var control: Int?
    }

    /// Runs the program before the real store, and ends it.
    private func run(_ arguments: [String], _ body: (Ports) async throws -> Void) async throws {
      let binary = try #require(Bed.variable("MILVUS_BACKUPFS_FAULT_PROXY"), "see scripts/test")
      let endpoint = try #require(Bed.variable("S3_TEST_ENDPOINT"))
      let process = Process()
      process.executableURL = URL(filePath: binary)
      process.arguments = ["--to", endpoint] + arguments
      let output = Pipe()
      process.standardOutput = output
      try process.run()
      let line = output.fileHandleForReading.availableData
      let result: Result<Void, any Error>
      do {
        result = .success(try await body(try JSONDecoder().decode(Ports.self, from: line)))
      } catch {
        result = .failure(error)
      }
      process.terminate()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0 && process.terminationReason == .exit)
      try result.get()
    }

    private func curl(_ arguments: String...) throws -> String {
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments = ["curl", "--silent", "--max-time", "30"] + arguments
      let output = Pipe()
      process.standardOutput = output
      try process.run()
      let data = try output.fileHandleForReading.readToEnd() ?? Data()
      process.waitUntilExit()
      return String(decoding: data, as: UTF8.self)
    }

    @Test func latencyIsAddedToEachRequest() async throws {
      try await run(["--latency", "700ms"]) { ports throws in
        let begin = ContinuousClock.now
        #expect(try curl("http://127.0.0.1:\(ports.port)/").contains("<"))
        #expect(ContinuousClock.now - begin >= .milliseconds(700))
        #expect(ports.control == nil)
      }
    }

    @Test func rulesComeFromAFileAndOverTheControlPort() async throws {
      let file = FileManager.default.temporaryDirectory.appending(path: "rules-\(UUID().uuidString).json")
      defer { try? FileManager.default.removeItem(at: file) }
      try #"[{"fault": {"refuse": {"code": "SlowDown"}}}]"#.write(to: file, atomically: true, encoding: .utf8)
      try await run(["--rules", file.path, "--control", "127.0.0.1:0"]) { ports in
        let control = try #require(ports.control)
        #expect(try curl("http://127.0.0.1:\(ports.port)/b/k").contains("<Code>SlowDown</Code>"))
        #expect(try curl("http://127.0.0.1:\(control)/events").contains("\"key\":\"k\""))
        try #"[{"fault": {"refuse": {"code": "NoSuchBucket"}}}]"#.write(to: file, atomically: true, encoding: .utf8)
        #expect(try curl("-T", file.path, "http://127.0.0.1:\(control)/rules").contains("NoSuchBucket"))
        #expect(try curl("http://127.0.0.1:\(ports.port)/b/k").contains("<Code>NoSuchBucket</Code>"))
      }
    }
  }
}
