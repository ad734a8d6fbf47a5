import Foundation
import Testing

extension EndToEnd.Files {
  /// The program against doubles of versions that cannot be had here. A double is no server: what runs here shows that
  /// calls, options and files are as those versions want them, as far as their sources tell.
  @Suite(.serialized) struct Doubles {
    /// What the double accepts is checked by clients that know nothing of this program; in the long mode, because the doubles
    /// change seldom.
    @Test(.enabled(if: EndToEnd.Servers.Restores.isLong)) func theDoublesThemselvesHoldWhatTheyPromise() async throws {
      let store = try Testbed.instance("A").store
      let outcome = try await shell(
        "'\(Testbed.project)/.testbed/double/bin/python' -m milvus_double.selfcheck --endpoint \(store.endpoint) "
          + "--bucket \(store.bucket) --access-key \(store.accessKeyID) --secret-key \(store.secretAccessKey) "
          + "--version 2.4.23 --version 2.5.16 --version 2.6.15 "
          + "> \"$LOG\" 2>&1; status=$?; grep -A 8 WRONG \"$LOG\"; tail -n 1 \"$LOG\"; rm \"$LOG\"; exit $status",
        environment: [
          "PYTHONPATH": Fixture.scripts,
          "LOG": FileManager.default.temporaryDirectory.appending(path: "selfcheck-\(UUID().uuidString)").path,
        ], limit: 900)
      #expect(outcome.succeeded, "\(outcome.output)")
      #expect(outcome.output.contains(" 0 do not"), "\(outcome.output)")
    }

    /// Not 2.4.0: it shows no segment levels and imports no deletes alone, and the program loses the deletes there.
    @Test(
      arguments: EndToEnd.Servers.Restores.isLong
        ? ["2.4.23", "2.5.4", "2.5.16", "2.6.0", "2.6.15"] : ["2.4.23", "2.6.15"])
    func aCollectionComesBackRowByRow(version: String) async throws {
      try await MilvusDouble.with(version) { double in
        try await run(
          "\"$PYTHON\" '\(Fixture.scripts)/fill.py' --address \(double.address) --collection coll --rows 3000")
        try await Workplace.with(mounted: false, edits: ["A": double.edits()]) { place in
          let config = "--config '\(place.configs)/milvus_A.yaml'"
          let before = try await double.calls().count
          try await run("\"$BACKUPFS\" create \(config) -c coll -n made")
          let restored = try await run("\"$BACKUPFS\" restore \(config) -n made -s _bak --rebuild_index --load")
          #expect(restored.contains("coll_bak"))
          #expect(
            try await double.calls().dropFirst(before).contains { $0.name == "LoadCollection" && $0.outcome == "ok" })
          let refused = try await double.calls().dropFirst(before).filter { $0.outcome != "ok" && !$0.isAnswer }
          #expect(refused.isEmpty)
          try await run(
            "\"$PYTHON\" '\(Fixture.scripts)/verify.py' --source \(double.address) --source-collection coll "
              + "--target \(double.address) --target-collection coll_bak --min-rows 2900")
        }
      }
    }

    /// Milvus 2.3.5 dies of a caller that goes away while it looks for an import's state.
    @Test func aCommandInterruptedTwiceWaitsForTheAnswerAboutAnImport() async throws {
      try await MilvusDouble.with("2.4.23", options: ["--import-delay", "30", "--state-delay", "1"]) { double in
        try await run(
          "\"$PYTHON\" '\(Fixture.scripts)/fill.py' --address \(double.address) --collection coll --rows 1000")
        try await Workplace.with(mounted: false, edits: ["A": double.edits()]) { place in
          let config = "--config '\(place.configs)/milvus_A.yaml'"
          let environment = ["XDG_STATE_HOME": place.state, "BACKUPFS": try Testbed.program.get()]
          try await run("\"$BACKUPFS\" create \(config) -c coll -n made", environment: environment)
          let restore = try Running("exec \"$BACKUPFS\" restore \(config) -n made -s _bak", environment: environment)
          let begin = ContinuousClock.now
          func states() async throws -> [String] {
            try await double.calls().filter { $0.name == "GetImportState" }.map(\.outcome)
          }
          while try await states().last != "waits", ContinuousClock.now < begin + .seconds(30) {
            try await Task.sleep(for: .milliseconds(20))
          }
          kill(restore.identifier, SIGINT)
          try await Task.sleep(for: .milliseconds(100))
          kill(restore.identifier, SIGINT)
          let ended = try await restore.wait(limit: 30)
          #expect(ended.status == 130 && ended.output.contains("ended at once"), "\(ended.output)")
          while try await states().last == "waits" { try await Task.sleep(for: .milliseconds(50)) }
          let outcomes = try await states()
          #expect(outcomes.last == "ok", "\(outcomes)")
        }
      }
    }

    @Test func usersRolesAndGrantsComeBack() async throws {
      try await MilvusDouble.with("2.6.15") { double in
        let access = { (verb: String) in
          try await run(
            "'\(Testbed.project)/.testbed/double/bin/python' '\(Testbed.project)/Tests/EndToEndTests/Oracle/access.py' "
              + "\(double.address) \(verb)")
        }
        try await run(
          "\"$PYTHON\" '\(Fixture.scripts)/fill.py' --address \(double.address) --collection coll --rows 1000")
        _ = try await access("make")
        let made = try await access("show")
        #expect(made == #"{"users": {"anna": ["reader"]}, "roles": {"reader": [["coll", "Query"]]}}"#)
        try await Workplace.with(mounted: false, edits: ["A": double.edits()]) { place in
          let config = "--config '\(place.configs)/milvus_A.yaml'"
          try await run("\"$BACKUPFS\" create \(config) -c coll -n without")
          try await run("\"$BACKUPFS\" create \(config) -c coll -n with --rbac")
          let refused = try await shell("\"$BACKUPFS\" restore \(config) -n without -s _none --rbac")
          #expect(refused.status == 1 && refused.output.contains("made without --rbac"), "\(refused.output)")

          // What is there already is left as it is, then what is gone comes back.
          let first = try await run("\"$BACKUPFS\" restore \(config) -n with -s _one --rbac --dry-run")
          #expect(!first.contains("RestoreRBAC"), "\(first)")
          _ = try await access("forget")
          #expect(try await access("show") == #"{"users": {}, "roles": {}}"#)
          let plan = try await run("\"$BACKUPFS\" restore \(config) -n with -s _two --rbac --dry-run")
          #expect(plan.contains("RestoreRBAC"), "\(plan)")
          try await run("\"$BACKUPFS\" restore \(config) -n with -s _two --rbac")
          #expect(try await access("show") == made)
        }
      }
    }
  }
}

extension MilvusDouble.Call {
  /// Whether a failed call is nothing but an answer: there is no such index, nothing is loaded.
  fileprivate var isAnswer: Bool { outcome.hasPrefix("700:") || outcome.hasPrefix("101:") }
}
