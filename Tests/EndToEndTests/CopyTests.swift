import Foundation
import Testing

extension EndToEnd.Files {
  /// `copy`: the transfer without a mount, on real stores, each result looked at by boto3.
  @Suite(.serialized) struct Copies {
    /// A made-up backup in store A under a name of its own; both ends are cleared afterwards.
    private func withBackup(
      objects: Int, size: Int, _ body: (_ place: Workplace, _ name: String) async throws -> Void
    ) async throws {
      let name = "copied_\(UInt32.random(in: 0 ... .max))"
      try await run(
        "\"$PYTHON\" '\(Fixture.scripts)/synthetic.py' \"$MILVUS_BACKUPFS_TESTBED\" A backup/ \(name) "
          + "--objects \(objects) --size \(size)")
      let result: Result<Void, any Error>
      do {
        try await Workplace.with(mounted: false) { try await body($0, name) }
        result = .success(())
      } catch {
        result = .failure(error)
      }
      for store in ["A", "B"] { try await Oracle.remove(store, "backup/\(name)") }
      try result.get()
    }

    private func copy(_ place: Workplace, _ name: String, _ options: String = "") -> String {
      "\"$BACKUPFS\" copy \(name) --from '\(place.configs)/milvus_A.yaml' --to '\(place.configs)/milvus_B.yaml' \(options)"
    }

    @Test func copiesAndKeepsWhatIsThere() async throws {
      try await withBackup(objects: 60, size: 40_000) { place, name in
        let environment = ["XDG_STATE_HOME": place.state]
        let first = try await run(copy(place, name), environment: environment)
        #expect(first.contains("61 objects"))
        #expect(try await Oracle.objects("A", "backup/\(name)/") == Oracle.objects("B", "backup/\(name)/"))
        let second = try await run(copy(place, name, "--verify"), environment: environment)
        #expect(second.contains("0 objects, 0 B copied") && second.contains("61 kept, 61 compared byte by byte"))
        #expect(try await Oracle.uploads("B", "backup/\(name)/") == 0)
      }
    }

    @Test func killedItPublishesNoBackupAndGoesOn() async throws {
      // Large objects are moved in parts, whose ETags say nothing across stores: the journal does.
      try await withBackup(objects: 24, size: 9 << 20) { place, name in
        let environment = ["XDG_STATE_HOME": place.state]
        let outcome = try await shell(
          "\(copy(place, name)) 2>'\(place.log)' & pid=$!; for i in $(seq 300); do sleep 0.05; "
            + "test \"$(cat '\(place.state)'/milvus-backupfs/copies/* 2>/dev/null | wc -l)\" -ge 4 && break; done; "
            + "kill -KILL $pid; wait $pid; echo killed $?", environment: environment)
        #expect(outcome.output.hasSuffix("killed 137\n"), "\(outcome.output)")
        let left = try await Oracle.objects("B", "backup/\(name)/")
        #expect(left.count >= 4 && left.count < 24 && !left.keys.contains { $0.hasPrefix("meta/") })
        let source = try await Oracle.objects("A", "backup/\(name)/")
        #expect(left.allSatisfy { source[$0.key] == $0.value })

        let again = try await run(copy(place, name), environment: environment)
        let kept = again.matches(of: /, (\d+) kept/).first.flatMap { Int($0.1) }
        #expect(try #require(kept) >= 4, "\(again)")
        #expect(try await Oracle.objects("B", "backup/\(name)/") == source)
        try await run(
          "\"$BACKUPFS\" check --sweep --older-than 0s --config '\(place.configs)/milvus_B.yaml'",
          environment: environment)
        #expect(try await Oracle.uploads("B", "backup/\(name)/") == 0)
      }
    }

    @Test func shardsAtOnceMakeOneBackup() async throws {
      try await withBackup(objects: 90, size: 20_000) { place, name in
        let runs = (1...3).map { "(\(copy(place, name, "--shard \($0)/3")) || echo failed) & " }.joined()
        let text = try await run("\(runs) wait", environment: ["XDG_STATE_HOME": place.state])
        #expect(!text.contains("failed"), "\(text)")
        #expect(try await Oracle.objects("A", "backup/\(name)/") == Oracle.objects("B", "backup/\(name)/"))
      }
    }

    @Test func refusalsChangeNothing() async throws {
      try await withBackup(objects: 8, size: 1000) { place, name in
        try await Oracle.ask("B", "store", "backup/\(name)/meta/full_meta.json", "{}")
        let before = try await Oracle.objects("B", "backup/\(name)/")
        let other = try await shell(copy(place, name))
        #expect(other.status == 1 && other.output.contains("--overwrite"), "\(other.output)")
        let none = try await shell(copy(place, "no_such_backup"))
        #expect(none.status == 1 && none.output.contains("There is no backup no_such_backup"), "\(none.output)")
        #expect(try await Oracle.objects("B", "backup/\(name)/") == before)
        try await run(copy(place, name, "--overwrite"))
        #expect(try await Oracle.objects("A", "backup/\(name)/") == Oracle.objects("B", "backup/\(name)/"))
      }
    }
  }
}
