import Foundation
import Testing

extension EndToEnd.Servers {
  /// Commands about whole backups, on logs that a real Milvus wrote.
  @Suite(.serialized) struct Backups {
    /// A backup of its own, copied of the fixture, so that it may be broken.
    private func with(_ name: String, _ body: (Workplace, String) async throws -> Void) async throws {
      try await Fixture.ensure()
      try await Oracle.remove("B", "backup/\(name)/")
      try await Workplace.with { place in
        try await run("cp -r '\(place.mount)/milvus_B/fixture' '\(place.mount)/milvus_B/\(name)'")
        try await body(place, "--config '\(place.configs)/milvus_B.yaml'")
      }
      try await Oracle.remove("B", "backup/\(name)/")
    }

    private func key(_ name: String, _ part: String) async throws -> String {
      let keys = try await Oracle.objects("B", "backup/\(name)/").keys.sorted()
      return try #require(keys.first { $0.contains(part) })
    }

    @Test func aSoundBackupIsSoundToTheLastRow() async throws {
      try await with("verified") { place, config in
        let shallow = try await run("\"$BACKUPFS\" verify \(config) -n verified 2> /dev/null")
        #expect(shallow.contains("is sound"), "\(shallow)")
        let deep = try await run("\"$BACKUPFS\" verify \(config) -n verified --deep --json 2> /dev/null")
        let counted = try await run(
          "echo '\(deep)' | jq '.rows_counted == .rows and .rows >= 3000 and .problems == []'")
        #expect(counted == "true", "\(deep)")
        try await run("echo --deep > '\(place.mount)/milvus_B/verified/verify'")
        let state = try await Story.follow("\(place.mount)/milvus_B/verified/verify")
        #expect(state.contains("state: done") && state.contains("rows were counted"), "\(state)")
        #expect(try await run("ls '\(place.mount)/milvus_B/verified'") == "binlogs\nmeta")
      }
    }

    @Test func whatIsWrongIsNamedAndTheExitStatusIsOne() async throws {
      try await with("broken") { place, config in
        let missing = try await key("broken", "/insert_log/")
        try await Oracle.ask("B", "delete", "backup/broken/", missing)
        let first = try await shell("\"$BACKUPFS\" verify \(config) -n broken")
        #expect(first.status == 1 && first.output.contains("missing backup/broken/\(missing)"), "\(first.output)")
        let cut = try await key("broken", "/delta_log/")
        try await Oracle.ask("B", "store", "backup/broken/\(cut)", "short")
        let stray = missing.split(separator: "/").dropLast().joined(separator: "/") + "/1"
        try await Oracle.ask("B", "store", "backup/broken/\(stray)", "stray")
        let second = try await shell("\"$BACKUPFS\" verify \(config) -n broken --json")
        #expect(second.status == 1)
        for word in ["missing", "size", "damaged", "extra"] {
          #expect(second.output.contains("\"kind\" : \"\(word)\""), "\(word): \(second.output)")
        }
        let refused = try await run(
          "echo > '\(place.mount)/milvus_B/broken/verify'; sleep 3; cat '\(place.mount)/milvus_B/broken/verify'")
        #expect(refused.contains("state: failed") && refused.contains("problem: missing backup/broken/\(missing)"))
        let state = try await run(
          "\"$BACKUPFS\" list \(config) --json | jq -r '.[] | select(.name == \"broken\").state'")
        #expect(state == "incomplete")
        let long = try await run("\"$BACKUPFS\" get \(config) -n broken --long")
        #expect(long.contains("state: incomplete") && long.contains("default.fixture"), "\(long)")
      }
    }

    @Test func aBackupIsRemovedWholeEvenIfItCannotBeRead() async throws {
      try await with("doomed") { place, config in
        try await Oracle.ask("B", "store", "backup/doomed/meta/full_meta.json", "{")
        let before = try await Oracle.objects("B", "backup/fixture/")
        let output = try await run("\"$BACKUPFS\" delete \(config) -n doomed")
        #expect(output.hasSuffix("delete backup done"), "\(output)")
        #expect(try await Oracle.objects("B", "backup/doomed/").isEmpty)
        #expect(try await Oracle.objects("B", "backup/fixture/") == before)
        let again = try await shell("\"$BACKUPFS\" delete \(config) -n doomed")
        #expect(again.status == 1 && again.output.contains("no backup doomed"), "\(again.output)")
      }
    }

    @Test func aBackupThatWasKilledIsResumed() async throws {
      try await Fixture.ensure()
      try await Oracle.remove("A", "backup/resumed/")
      try await Workplace.with(mounted: false) { place in
        let config = "--config '\(place.configs)/milvus_A.yaml' -n resumed"
        let create = "\"$BACKUPFS\" create \(config) -a '{\"default\":[\"fixture\"]}' --strategy skip_flush"
        try await run(create, limit: 300)
        let whole = try await Oracle.objects("A", "backup/resumed/")
        for (key, _) in whole where key.hasPrefix("meta/") || key.contains("/100/") {
          try await Oracle.ask("A", "delete", "backup/resumed/", key)
        }
        let taken = try await shell(create)
        #expect(taken.status == 1 && taken.output.contains("--resume"), "\(taken.output)")
        try await run("\(create) --resume", limit: 300)
        let resumed = try await Oracle.objects("A", "backup/resumed/")
        #expect(resumed.keys.sorted() == whole.keys.sorted())
        #expect(resumed.filter { $0.key.hasPrefix("binlogs/") } == whole.filter { $0.key.hasPrefix("binlogs/") })
        let report = try await run("\"$BACKUPFS\" verify \(config) --deep 2> /dev/null", limit: 300)
        #expect(report.contains("is sound"), "\(report)")
        try await run("\"$BACKUPFS\" delete \(config)")
      }
    }

    @Test func whatMilvus235CannotDoIsSaidBeforeAnythingIsWritten() async throws {
      try await Fixture.ensure()
      try await Workplace.with(mounted: false) { place in
        let config = "--config '\(place.configs)/milvus_A.yaml'"
        let bulk = try await shell("\"$BACKUPFS\" create \(config) -c fixture -n never --strategy bulk_flush")
        #expect(bulk.status == 1 && bulk.output.contains("serial_flush"), "\(bulk.output)")
        let rbac = try await shell("\"$BACKUPFS\" create \(config) -c fixture -n never --rbac")
        #expect(rbac.status == 1 && rbac.output.contains("--rbac"), "\(rbac.output)")
        #expect(try await Oracle.objects("A", "backup/never/").isEmpty)
      }
    }
  }
}
