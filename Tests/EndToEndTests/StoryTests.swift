import Foundation
import Testing

/// What needs the servers runs in two lanes, each one test after the other: the first waits for Milvus most of the time,
/// the second keeps the cores busy. Names of collections and backups are a test's own.
@Suite struct EndToEnd {
  @Suite(.serialized) struct Servers {}
  @Suite(.serialized) struct Files {}
}

extension EndToEnd.Servers {
  @Suite(.serialized) struct Story {
    private static let scripts = Fixture.scripts

    @Test func aCollectionMovesToAnotherMilvusRowByRow() async throws {
      let a = try Testbed.instance("A").milvus.address
      let b = try Testbed.instance("B").milvus.address
      try await Oracle.remove("A", "backup/story/")
      try await Oracle.remove("B", "backup/story/")
      try await Oracle.python("drop.py", "B", "story_bak")
      try await run("\"$PYTHON\" '\(Self.scripts)/fill.py' --address \(a) --collection story", limit: 300)

      try await Workplace.with { place in
        let create = try await run(
          "\"$BACKUPFS\" create --config '\(place.configs)/milvus_A.yaml' -c story -n story", limit: 300)
        #expect(create.contains("story"))

        #expect(try await run("ls '\(place.mount)'") == "milvus_A\nmilvus_B")
        // The listing may be a second old.
        try await Task.sleep(for: .seconds(1.2))
        #expect(try await run("ls '\(place.mount)/milvus_A/story'") == "binlogs\nmeta")
        let rows = try await run(
          "jq '[.collection_backups[].partition_backups[].segment_backups[].num_of_rows] | add' "
            + "'\(place.mount)/milvus_A/story/meta/full_meta.json'")
        #expect((Int(rows) ?? 0) >= 20_000)

        try await run("cp -r '\(place.mount)/milvus_A/story' '\(place.mount)/milvus_B/'", limit: 300)
        let source = try await Oracle.objects("A", "backup/story/")
        #expect(source.count > 20)
        #expect(try await Oracle.objects("B", "backup/story/") == source, "byte by byte, seen from outside")
        #expect(try await Oracle.uploads("B", "backup/story/") == 0)

        try await run("echo story_bak > '\(place.mount)/milvus_B/story/restore'")
        let state = try await Self.follow("\(place.mount)/milvus_B/story/restore")
        #expect(state.contains("state: done"), "\(state)")

        let verify = try await run(
          "\"$PYTHON\" '\(Self.scripts)/verify.py' --source \(a) --source-collection story "
            + "--target \(b) --target-collection story_bak --min-rows 19000", limit: 300)
        #expect(!verify.isEmpty)

        // The same again is refused: the collection exists now.
        let again = try await shell("echo story_bak > '\(place.mount)/milvus_B/story/restore'")
        #expect(!again.succeeded)
        #expect(again.output.contains("File exists"), "\(again.output)")
        let why = try await run("cat '\(place.mount)/milvus_B/story/restore'")
        #expect(why.contains("state: refused") && why.contains("story_bak already"), "\(why)")
        try await run(
          "\"$PYTHON\" '\(Self.scripts)/verify.py' --source \(a) --source-collection story "
            + "--target \(b) --target-collection story_bak --min-rows 19000", limit: 300)
      }
    }

    @Test func theCommandLineListsShowsAndRestoresWithoutAMount() async throws {
      try await Fixture.ensure()
      let b = try Testbed.instance("B").milvus.address
      let a = try Testbed.instance("A").milvus.address
      try await Oracle.python("drop.py", "B", "fixture_cli")
      try await Workplace.with(mounted: false) { place in
        let config = "--config '\(place.configs)/milvus_B.yaml'"
        let list = try await run("\"$BACKUPFS\" list \(config) 2>/dev/null")
        #expect(list.split(separator: "\n").first == ">> Backups:")
        #expect(list.split(separator: "\n").contains("fixture"))
        let name = try await run(
          "\"$BACKUPFS\" get \(config) -n fixture | jq -r '.collection_backups[0].collection_name'")
        #expect(name == "fixture")
        #expect(try await run("\"$BACKUPFS\" get \(config) -n fixture | jq '.meta_size > 0'") == "true")
        let restored = try await run("\"$BACKUPFS\" restore \(config) -n fixture -s _cli 2>/dev/null", limit: 300)
        #expect(restored.contains("fixture_cli"))
        try await run(
          "\"$PYTHON\" '\(Self.scripts)/verify.py' --source \(a) --source-collection fixture "
            + "--target \(b) --target-collection fixture_cli --min-rows 2000", limit: 300)
        let again = try await shell(
          "\"$BACKUPFS\" create --config '\(place.configs)/milvus_A.yaml' -c fixture -n fixture")
        #expect(again.status == 1 && again.output.contains("fixture"), "a name that is taken is refused")
      }
    }

    /// Reads a control file until the job has ended.
    static func follow(_ path: String, limit: Int = 180) async throws -> String {
      for _ in 0..<(limit * 10 / 3) {
        let text = try await run("cat '\(path)'")
        if !text.contains("state: running") { return text }
        try await Task.sleep(for: .milliseconds(300))
      }
      return "still running"
    }
  }
}
