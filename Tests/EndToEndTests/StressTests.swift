import Foundation
import Testing

extension EndToEnd {
  /// Many programs that do everything at once; afterwards nothing is open, held or left.
  @Suite(.serialized) struct Stress {
    /// Seconds; ten minutes in the long mode (`MILVUS_BACKUPFS_STRESS_SECONDS=600`).
    static let seconds = ProcessInfo.processInfo.environment["MILVUS_BACKUPFS_STRESS_SECONDS"].flatMap(Int.init) ?? 30

    /// Budgets of the daemon (48 MiB for readers, 64 for writers, 64 on their way between stores) and the program itself.
    static let memoryLimit = 256

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
  }
}
