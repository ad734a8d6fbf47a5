import Foundation
import Testing

extension EndToEnd.Files {
  /// Many programs that do everything at once; afterwards nothing is open, held or left.
  @Suite(.serialized) struct Stress {
    /// Seconds; ten minutes in the long mode (`MILVUS_BACKUPFS_STRESS_SECONDS=600`).
    static let seconds = ProcessInfo.processInfo.environment["MILVUS_BACKUPFS_STRESS_SECONDS"].flatMap(Int.init) ?? 30

    /// Budgets of the daemon (48 MiB for readers, 64 for writers, 64 on their way between stores) and the program itself. A
    /// sanitizer keeps what was freed, and records of all memory.
    static let memoryLimit = ProcessInfo.processInfo.environment["MILVUS_BACKUPFS_SANITIZER"] == nil ? 256 : 2048

    @Test func everythingAtOnceLeavesNothing() async throws {
      try await Workplace.with { place in
        let seed = ProcessInfo.processInfo.environment["MILVUS_BACKUPFS_SEED"] ?? "1"
        let daemon = try await run("pgrep -f -- '\(place.mount) [-]-foreground'")
        let text = try await run(
          "\"$PYTHON\" '\(Testbed.project)/Tests/EndToEndTests/Oracle/stress.py' '\(place.mount)' \(Self.seconds) \(seed) "
            + daemon, limit: Double(Self.seconds) * 2 + 120)
        for word in ["WRONG", "NOT ZERO", "MISSING"] { #expect(!text.contains(word), "\(text)") }
        let peak = text.matches(of: /peak (\d+) MiB/).first.flatMap { Int($0.1) }
        #expect(try #require(peak) < Self.memoryLimit, "\(text)")
        print(text)
      }
      for store in ["A", "B"] {
        #expect(try await Oracle.objects(store, "backup/stress_").isEmpty)
        #expect(try await Oracle.uploads(store, "backup/stress_") == 0)
      }
    }

    /// Each operation on a failing store ends well or with an errno that is documented, and nothing partial is in the store.
    @Test func aStoreThatFailsAtRandomHoldsWhatWasSaid() async throws {
      try await Oracle.remove("A", "backup/faulty/")
      let own = try #require(try Testbed.instance("A").store.endpoint.split(separator: ":").last)
      let seed = ProcessInfo.processInfo.environment["MILVUS_BACKUPFS_SEED"] ?? "1"
      try await StoreProxy.with("A") { port, control in
        try await Workplace.with(edits: ["A": [("port: \(own)", "port: \(port)")]]) { place in
          let script = "\(Testbed.project)/Tests/EndToEndTests/Oracle/faulty.py"
          let text = try await run(
            "\"$PYTHON\" '\(script)' \"$MILVUS_BACKUPFS_TESTBED\" '\(place.mount)' \(control) \(Self.seconds / 2) \(seed)",
            limit: Double(Self.seconds) * 4 + 240)
          print(text)
          #expect(!text.contains("WRONG"), "\(text)")
          // Uploads that could not be aborted were written down: the next mount removes them.
          try await run("\"$BACKUPFS\" umount '\(place.mount)'")
          try await place.remount()
          for _ in 0..<40 where try await Oracle.uploads("A", "backup/faulty/") > 0 {
            try await Task.sleep(for: .milliseconds(500))
          }
          #expect(try await Oracle.uploads("A", "backup/faulty/") == 0, "\(text)")
          let failed = text.matches(of: /(\d+) failed/).first.flatMap { Int($0.1) }
          #expect(try #require(failed) > 0, "the faults were felt")
        }
      }
      try await Oracle.remove("A", "backup/faulty/")
    }
  }
}
