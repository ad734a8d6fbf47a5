import Foundation
import Testing

extension EndToEnd.Files {
  /// Random operations against a model. MILVUS_BACKUPFS_MODEL_STEPS makes it longer, MILVUS_BACKUPFS_SEED chooses another
  /// run: a number, or `random`.
  @Suite(.serialized) struct ModelComparison {
    private static func number(_ variable: String) -> Int? {
      ProcessInfo.processInfo.environment[variable].flatMap { Int($0) }
    }

    /// Seeds that failed once: two found directories that the store keeps, the third that it completes no upload under
    /// the name of such a directory.
    static let keptSeeds = [2, 4, 7]

    static let seeds: [Int] = {
      guard let wanted = ProcessInfo.processInfo.environment["MILVUS_BACKUPFS_SEED"] else { return keptSeeds }
      return [Int(wanted) ?? Int.random(in: 1...1_000_000)]
    }()

    @Test(arguments: seeds)
    func theMountIsWhatTheModelSays(seed: Int) async throws {
      // A name of its own: what the store remembers of another run would change this one.
      let name = "model-\(seed)-\(UUID().uuidString.prefix(8))"
      let steps = Self.number("MILVUS_BACKUPFS_MODEL_STEPS") ?? 800
      try await Workplace.with(options: "-o lifetime=0.1") { place in
        try await run("mkdir '\(place.mount)/milvus_B/\(name)'")
        let testbed = ProcessInfo.processInfo.environment["MILVUS_BACKUPFS_TESTBED"] ?? ""
        let outcome = try await shell(
          """
          "$PYTHON" '\(Testbed.project)/Tests/EndToEndTests/Oracle/model.py' '\(testbed)' B \
            '\(place.mount)/milvus_B/\(name)' backup/\(name)/ \(steps) \(seed) 0.1
          """, limit: max(300, Double(steps)))
        print(outcome.output)
        #expect(outcome.succeeded, "\(outcome.output)")
        #expect(try await Oracle.uploads("B", "backup/\(name)/") == 0)
      }
      try await Oracle.remove("B", "backup/\(name)/")
    }
  }
}
