import Foundation
import Testing

extension EndToEnd {
  /// Random operations against a model. MILVUS_BACKUPFS_MODEL_STEPS makes it longer, MILVUS_BACKUPFS_SEED repeats one run.
  @Suite(.serialized) struct ModelComparison {
    private static func number(_ variable: String) -> Int? {
      ProcessInfo.processInfo.environment[variable].flatMap { Int($0) }
    }

    /// Seeds that failed once.
    static let keptSeeds: [Int] = []

    static let seeds = [number("MILVUS_BACKUPFS_SEED") ?? Int.random(in: 1...1_000_000)] + keptSeeds

    @Test(arguments: seeds)
    func theMountIsWhatTheModelSays(seed: Int) async throws {
      try await Oracle.remove("B", "backup/model/")
      let steps = Self.number("MILVUS_BACKUPFS_MODEL_STEPS") ?? 2000
      try await Workplace.with(options: "-o lifetime=0.1") { place in
        try await run("mkdir '\(place.mount)/milvus_B/model'")
        let testbed = ProcessInfo.processInfo.environment["MILVUS_BACKUPFS_TESTBED"] ?? ""
        let outcome = try await shell(
          """
          "$PYTHON" '\(Testbed.project)/Tests/EndToEndTests/Oracle/model.py' '\(testbed)' B \
            '\(place.mount)/milvus_B/model' backup/model/ \(steps) \(seed) 0.1
          """, limit: max(300, Double(steps)))
        print(outcome.output)
        #expect(outcome.succeeded, "\(outcome.output)")
        #expect(try await Oracle.uploads("B", "backup/model/") == 0)
      }
      try await Oracle.remove("B", "backup/model/")
    }
  }
}
