import Foundation
import Testing

extension EndToEnd.Files {
  /// Executes the examples of docs/SEMANTICS.md.
  @Suite(.serialized) struct Semantics {
    struct Example: Sendable, CustomTestStringConvertible {
      var heading: String
      var line: Int
      var script: String
      var testDescription: String { "line \(line), \(heading)" }
    }

    static let examples: [Example] = {
      let path = "\(Testbed.project)/docs/SEMANTICS.md"
      guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
      var examples: [Example] = []
      var heading = ""
      var script: [Substring]?
      for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        if line == "```sh" {
          script = []
        } else if line == "```", let lines = script {
          examples.append(
            Example(heading: heading, line: number - lines.count, script: lines.joined(separator: "\n")))
          script = nil
        } else if script != nil {
          script?.append(line)
        } else if line.hasPrefix("## ") {
          heading = String(line.dropFirst(3))
        }
      }
      return examples
    }()

    @Test func thereAreExamples() { #expect(Self.examples.count >= 24) }

    @Test(arguments: examples)
    func eachExampleHolds(example: Example) async throws {
      for name in ["A", "B"] { try await Oracle.remove(name, "backup/ex/") }
      try await Workplace.with { place in
        let testbed = ProcessInfo.processInfo.environment["MILVUS_BACKUPFS_TESTBED"] ?? ""
        let prelude = """
          set -eo pipefail
          export XDG_STATE_HOME='\(place.state)'
          CONFIGS='\(place.configs)' POINT='\(place.state)/point'
          mkdir "$POINT"
          A='\(place.mount)/milvus_A' B='\(place.mount)/milvus_B'
          oracle() { "$PYTHON" '\(Testbed.project)/Tests/EndToEndTests/Oracle/objects.py' '\(testbed)' "$@"; }
          objects() { oracle "$1" list "backup/$2" | cut -f 2; }
          content() { oracle "$1" show "backup/$2"; }
          put() { oracle "$1" store "backup/$2" "$3"; }
          mkdir "$A/ex" "$B/ex"
          """
        // A command that is expected to fail must not end the script, and one that succeeds against expectation must.
        let checked = example.script.split(separator: "\n").map { line in
          line.hasPrefix("! ") ? "if \(line.dropFirst(2)); then exit 99; fi" : String(line)
        }.joined(separator: "\n")
        let outcome = try await shell(prelude + "\n" + checked, limit: 60)
        #expect(outcome.succeeded, "\(example.script)\nexited \(outcome.status): \(outcome.output)")
      }
      for name in ["A", "B"] { try await Oracle.remove(name, "backup/ex/") }
    }
  }
}
