import Foundation
import Testing

extension EndToEnd.Servers {
  /// Restores on the real servers, compared row by row through pymilvus.
  @Suite(.serialized) struct Restores {
    /// Saves collections of A as a backup and copies it to B.
    private func save(_ backup: String, _ collections: [String], _ place: Workplace) async throws {
      try await forget(backup)
      try await run(
        "\"$BACKUPFS\" create --config '\(place.configs)/milvus_A.yaml' -n \(backup) -c \(collections.joined(separator: ","))",
        limit: 600)
      // The listing may be a second old.
      try await Task.sleep(for: .seconds(1.2))
      try await run("cp -r '\(place.mount)/milvus_A/\(backup)' '\(place.mount)/milvus_B/'", limit: 300)
    }

    private func contents(_ words: String...) async throws -> String {
      let testbed = ProcessInfo.processInfo.environment["MILVUS_BACKUPFS_TESTBED"] ?? ""
      let rest = words.map { "'\($0)'" }.joined(separator: " ")
      return try await run(
        "\"$PYTHON\" '\(Testbed.project)/Tests/EndToEndTests/Oracle/contents.py' '\(testbed)' \(rest)", limit: 600)
    }

    @discardableResult
    private func restore(_ place: Workplace, _ store: String, _ backup: String, _ options: String) async throws
      -> String
    {
      try await run(
        "\"$BACKUPFS\" restore --config '\(place.configs)/milvus_\(store).yaml' -n \(backup) \(options)",
        environment: ["XDG_STATE_HOME": place.state], limit: 900)
    }

    /// Removes a backup of an earlier run.
    private func forget(_ backup: String) async throws {
      for store in ["A", "B"] { try await Oracle.remove(store, "backup/\(backup)/") }
    }

    private func temporaries(_ store: String) async throws -> [String] {
      try await Oracle.objects(store, "files/restore-temp-").keys.sorted()
    }

    /// Milvus 2.3 takes two seconds a partition: what has many of them is for the long mode (`MILVUS_BACKUPFS_LONG=1`).
    static let isLong = ProcessInfo.processInfo.environment["MILVUS_BACKUPFS_LONG"] != nil
    static let kinds =
      ["churn", "emptypartition", "limits"] + (isLong ? ["empty", "partitionkey", "segments200"] : [])

    @Test(arguments: kinds)
    func comesBackRowByRow(kind: String) async throws {
      let name = "r_\(kind)"
      _ = try await contents("make", "A", kind, name)
      try await forget(name)
      // A name at the limit leaves no room for a suffix.
      let full = kind == "limits" ? name.padding(toLength: 253, withPad: "x", startingAt: 0) : name
      let suffix = kind == "limits" ? "_b" : "_restored"
      for store in ["A", "B"] { _ = try await contents("drop", store, "\(full)\(suffix)") }
      try await Workplace.with(edits: ["B": try Self.backupsOfA]) { place in
        try await run(
          "\"$BACKUPFS\" create --config '\(place.configs)/milvus_A.yaml' -n \(name) -c \(full)",
          environment: ["XDG_STATE_HOME": place.state], limit: 600)
        // A imports from its own bucket, B by way of copies in its bucket.
        for store in Self.isLong || kind == "churn" ? ["A", "B"] : ["B"] {
          let begin = ContinuousClock.now
          try await restore(place, store, name, "-s \(suffix) --rebuild_index")
          print("restored \(kind) on \(store) in \((ContinuousClock.now - begin) / .seconds(1)) s")
          let result = try await contents("compare", "A", full, store, "\(full)\(suffix)")
          #expect(result.hasSuffix("rows equal"), "\(result)")
          if kind != "empty" { #expect(result != "0 rows equal") }
        }
      }
      #expect(try await temporaries("B") == [])
    }

    /// What makes B read backups where A keeps them.
    private static var backupsOfA: [(String, String)] {
      get throws {
        let (a, b) = (try Testbed.instance("A").store, try Testbed.instance("B").store)
        let port = a.endpoint.split(separator: ":").last ?? ""
        return [
          ("backupBucketName: \(b.bucket)", "backupBucketName: \(a.bucket)"),
          (
            "  backupRootPath: backup\n",
            """
              backupRootPath: backup
              backupAddress: 127.0.0.1
              backupPort: \(port)
              backupAccessKeyID: \(a.accessKeyID)
              backupSecretAccessKey: \(a.secretAccessKey)

            """
          ),
        ]
      }
    }

    @Test func aStoreThatFailsInMidRestoreCostsTimeOrLeavesNothing() async throws {
      _ = try await contents("make", "A", "parts", "r_store")
      try await forget("r_store")
      for name in ["r_store_retried", "r_store_refused"] { _ = try await contents("drop", "B", name) }
      let own = try #require(try Testbed.instance("B").store.endpoint.split(separator: ":").last)
      try await StoreProxy.with("B") { port, control in
        let setRules = { (rules: String) in
          _ = try await run("curl -fsS -T - http://127.0.0.1:\(control)/rules <<< '\(rules)'")
        }
        let edits = try Self.backupsOfA + [("port: \(own)", "port: \(port)")]
        try await Workplace.with(edits: ["B": edits]) { place in
          try await run(
            "\"$BACKUPFS\" create --config '\(place.configs)/milvus_A.yaml' -n r_store -c r_store",
            environment: ["XDG_STATE_HOME": place.state], limit: 600)
          // Each fourth write fails, and is repeated.
          try await setRules(
            #"[{"match": {"operation": "PutObject", "every": 4}, "fault": {"refuse": {"code": "SlowDown"}}}]"#)
          try await restore(place, "B", "r_store", "-s _retried --rebuild_index")
          _ = try await contents("compare", "A", "r_store", "B", "r_store_retried")
          // The fiftieth write is refused in a way that no repetition mends.
          try await setRules(
            ##"[{"match": {"operation": "PutObject", "keyPrefix": "files/restore-temp-", "every": 50}, "fault": {"refuse": {"code": "AccessDenied"}}}]"##
          )
          let refused = try await shell(
            "\"$BACKUPFS\" restore --config '\(place.configs)/milvus_B.yaml' -n r_store -s _refused",
            environment: ["XDG_STATE_HOME": place.state], limit: 300)
          #expect(refused.status == 1 && refused.output.contains("AccessDenied"), "\(refused.output)")
          #expect(refused.output.contains("restore-temp-"), "\(refused.output)")
          #expect(!(try await Oracle.python("names.py", "B")).contains("r_store_refused"))
        }
      }
      #expect(try await temporaries("B") == [])
    }

    @Test func intoAnotherDatabaseWithAliasesAndLoaded() async throws {
      for name in ["one", "two"] { _ = try await contents("make", "A", "plain", "shop.\(name)") }
      for store in ["A", "B"] { _ = try await contents("drop", store, "shop2.one", "shop2.two", "shop2.other") }
      try await Workplace.with { place in
        try await save("shop", ["shop.one", "shop.two"], place)
        let plan = try await restore(place, "B", "shop", "-r 'shop.*:shop2.*' --load --aliases --dry-run")
        for word in ["CreateCollection shop2.one", "Import into", "CreateAlias one_alias", "LoadCollection"] {
          #expect(plan.contains(word), "\(plan)")
        }
        try await restore(place, "B", "shop", "-r 'shop.*:shop2.*' --load --aliases")
        for name in ["one", "two"] {
          let info = try await contents("info", "B", "shop2.\(name)")
          #expect(info.contains("\"loaded\": true") && info.contains("\"\(name)_alias\""), "\(info)")
          _ = try await contents("compare", "A", "shop.\(name)", "B", "shop2.\(name)")
        }
        // One by its full name, dropping what is there, with the aliases.
        try await restore(
          place, "B", "shop", "-c shop.one -r shop.one:shop2.one --drop_exist_collection --rebuild_index --aliases")
        #expect(try await contents("info", "B", "shop2.one").contains("\"one_alias\""))
        try await restore(place, "B", "shop", "-c shop.two -r shop.two:shop2.other --rebuild_index")
        _ = try await contents("compare", "A", "shop.two", "B", "shop2.other")
      }
    }

    @Test func replacesIndexesOfACollectionThatExists() async throws {
      _ = try await contents("make", "A", "plain", "r_index")
      _ = try await contents("drop", "B", "r_index_bak")
      try await Workplace.with { place in
        try await save("r_index", ["r_index"], place)
        try await restore(place, "B", "r_index", "-s _bak --rebuild_index --meta_only")
        try await restore(
          place, "B", "r_index", "-s _bak --skip_create_collection --drop_exist_index --rebuild_index")
        #expect(try await contents("info", "B", "r_index_bak").contains("\"indexes\": [\"v\"]"))
        _ = try await contents("compare", "A", "r_index", "B", "r_index_bak")
      }
    }

    @Test(arguments: isLong ? ["flat", "groups", "0.4", "0.5", "current"] : ["0.4"])
    func backupsOfEveryGenerationComeBack(generation: String) async throws {
      let backup = "gen_\(generation.replacing(".", with: "_"))"
      _ = try await contents("make", "A", "churn", "r_churn")
      try await Workplace.with { place in
        try await save("gen", ["r_churn"], place)
        for store in Self.isLong ? ["A", "B"] : ["B"] {
          try await Oracle.remove(store, "backup/\(backup)/")
          try await Oracle.python("generations.py", store, "gen", generation, backup)
          _ = try await contents("drop", store, backup)
          try await restore(place, store, backup, "-r r_churn:\(backup) --rebuild_index")
          _ = try await contents("compare", "A", "r_churn", store, backup)
        }
      }
    }

    @Test(.enabled(if: isLong)) func manySegmentsAreFiveTimesFasterThanAnImportForEach() async throws {
      _ = try await contents("make", "A", "segments64", "r_many")
      for name in ["r_many_slow", "r_many_fast"] { _ = try await contents("drop", "A", name) }
      try await Workplace.with { place in
        try await save("r_many", ["r_many"], place)
        try await restore(place, "A", "r_many", "-s _slow --meta_only")
        let slow = try await run(
          "\"$PYTHON\" '\(Testbed.project)/Tests/EndToEndTests/Oracle/import_by_segment.py' "
            + "\"$MILVUS_BACKUPFS_TESTBED\" A r_many r_many r_many_slow", limit: 900)
        let begin = ContinuousClock.now
        try await restore(place, "A", "r_many", "-s _fast")
        let fast = (ContinuousClock.now - begin) / .seconds(1)
        let words = slow.split(separator: " ")
        let (segments, seconds) = (Int(words[0]) ?? 0, Double(words[1]) ?? 0)
        print(
          "\(segments) segments: an import for each \(seconds) s, restore \(fast) s: \(seconds / fast) times faster")
        #expect(segments >= 60 && seconds / fast >= 5)
        _ = try await contents("compare", "A", "r_many", "A", "r_many_fast")
        _ = try await contents("compare", "A", "r_many", "A", "r_many_slow")
      }
    }

    @Test(.enabled(if: isLong)) func goesOnWhenMilvusIsKilledAndStartedAgain() async throws {
      _ = try await contents("make", "A", "parts", "r_killed")
      _ = try await contents("drop", "B", "r_killed_bak")
      try await Workplace.with { place in
        try await save("r_killed", ["r_killed"], place)
        let file = "\(place.mount)/milvus_B/r_killed/restore"
        try await run("echo '-s _bak --rebuild_index' > '\(file)'")
        for _ in 0..<200 where !(try await run("cat '\(file)'")).contains("rows: 0 ") {
          if try await run("cat '\(file)'").matches(of: /rows: [1-9]/).count > 0 { break }
          try await Task.sleep(for: .milliseconds(100))
        }
        try await Server.restartMilvusB()
        // A task that the data node was given just before it died stays "started" until Milvus gives it up: 900 s, looked
        // at every 300.
        let state = try await Story.follow(file, limit: 1500)
        #expect(state.contains("state: done"), "\(state)")
        _ = try await contents("compare", "A", "r_killed", "B", "r_killed_bak")
      }
      #expect(try await temporaries("B") == [])
    }

    @Test(arguments: isLong ? ["KILL", "TERM"] : ["KILL"])
    func goesOnWhenTheDaemonIsStartedAgain(signal: String) async throws {
      _ = try await contents("make", "A", "parts", "r_daemon")
      try await forget("r_daemon")
      _ = try await contents("drop", "B", "r_daemon_bak")
      try await Workplace.with(edits: ["B": try Self.backupsOfA]) { place in
        try await run("echo '-c r_daemon -n r_daemon --wait' > '\(place.mount)/milvus_A/create'", limit: 300)
        let file = "\(place.mount)/milvus_B/r_daemon/restore"
        try await run("echo '-s _bak --rebuild_index' > '\(file)'")
        for _ in 0..<200 {
          if try await run("cat '\(file)'").matches(of: /rows: [1-9]/).count > 0 { break }
          try await Task.sleep(for: .milliseconds(100))
        }
        let before = try await run("cat '\(file)'")
        #expect(before.contains("state: running"), "\(before)")
        // Stopped for a second first: Milvus 2.3.5 crashes when whoever asked it about an import is gone before the answer,
        // and no process can help that when it is killed.
        try await run(
          "p=$(pgrep -f -- '\(place.mount) [-]-foreground'); kill -STOP $p; sleep 1; kill -\(signal) $p; kill -CONT $p || true"
        )
        try await run(
          "for i in $(seq 100); do pgrep -f -- '\(place.mount) [-]-foreground' > /dev/null || exit 0; sleep 0.1; done; exit 1"
        )
        try await place.remount("--replace")
        let waited = try await shell("\"$BACKUPFS\" wait '\(place.mount)/milvus_B/r_daemon'", limit: 300)
        #expect(waited.succeeded && waited.output.contains("2,400 rows"), "\(waited.output)")
        let after = try await run("cat '\(file)'")
        #expect(after.split(separator: "\n").first == before.split(separator: "\n").first, "the same job: \(after)")
        _ = try await contents("compare", "A", "r_daemon", "B", "r_daemon_bak")
      }
      #expect(try await temporaries("B") == [])
    }

    @Test func whatAKilledCommandLeftIsGoneOnWithAndRemovedWhenMilvusIsDone() async throws {
      _ = try await contents("make", "A", "parts", "r_command")
      try await forget("r_command")
      for suffix in ["bak", "left"] { _ = try await contents("drop", "B", "r_command_\(suffix)") }
      try await Workplace.with(edits: ["B": try Self.backupsOfA]) { place in
        try await run(
          "\"$BACKUPFS\" create --config '\(place.configs)/milvus_A.yaml' -n r_command -c r_command",
          environment: ["XDG_STATE_HOME": place.state], limit: 600)
        let line = "\"$BACKUPFS\" restore --config '\(place.configs)/milvus_B.yaml' -n r_command"
        let environment = ["XDG_STATE_HOME": place.state, "BACKUPFS": try Testbed.program.get()]
        for suffix in ["bak", "left"] {
          let command = try Running("exec \(line) -s _\(suffix)", environment: environment)
          try await command.prints("importing")
          if suffix == "bak" {
            // Stopped first, for the same reason as the daemon above.
            kill(command.identifier, SIGSTOP)
            try await Task.sleep(for: .seconds(1))
            kill(command.identifier, SIGKILL)
            _ = try await command.wait(limit: 70)
          } else {
            // Interrupted, it waits for Milvus' import tasks; who cannot wait interrupts it once more.
            kill(command.identifier, SIGINT)
            try await Task.sleep(for: .seconds(0.5))
            kill(command.identifier, SIGINT)
            let ended = try await command.wait(limit: 70)
            #expect(ended.status == 130 && ended.output.contains("ended at once"), "\(ended.output)")
          }
          let again = try await shell("\(line) -s _\(suffix)", environment: environment)
          #expect(again.status == 1 && again.output.contains("--resume"), "\(again.output)")
          if suffix == "bak" {
            try await restore(place, "B", "r_command", "-s _bak --resume --rebuild_index")
            _ = try await contents("compare", "A", "r_command", "B", "r_command_bak")
            #expect(try await temporaries("B") == [])
          }
        }
        // Nobody goes on with the second: the copies go once Milvus has read them, at whatever command comes next.
        for _ in 0..<30 where !(try await temporaries("B")).isEmpty {
          try await Task.sleep(for: .seconds(2))
          _ = try await shell("\(line) -s _left", environment: environment)
        }
      }
      #expect(try await temporaries("B") == [])
    }

    @Test(.enabled(if: isLong)) func aCancelledJobLeavesNothingAndWaitSaysSo() async throws {
      _ = try await contents("make", "A", "parts", "r_cancel")
      _ = try await contents("drop", "B", "r_cancel_bak")
      try await Workplace.with { place in
        try await save("r_cancel", ["r_cancel"], place)
        let backup = "\(place.mount)/milvus_B/r_cancel"
        let idle = try await shell("\"$BACKUPFS\" cancel '\(backup)'")
        #expect(idle.status == 1 && idle.output.contains("No job is running"), "\(idle.output)")
        try await run("echo '-s _bak' > '\(backup)/restore'")
        let waiting = try Running(
          "\"$BACKUPFS\" wait '\(backup)'", environment: ["BACKUPFS": try Testbed.program.get()])
        try await Task.sleep(for: .seconds(3))
        let other = try await shell("echo '-s _other' > '\(backup)/restore'")
        #expect(!other.succeeded && other.output.contains("busy"), "\(other.output)")
        let cancelled = try await run("\"$BACKUPFS\" cancel '\(backup)'")
        #expect(cancelled.contains("was dropped again"), "\(cancelled)")
        let waited = try await waiting.wait(limit: 150)
        #expect(waited.status == 2 && waited.output.contains("cancelled"), "\(waited.output)")
        #expect(!(try await Oracle.python("names.py", "B")).contains("r_cancel_bak"))
        // And a writer that waits: its exit status is the job's.
        // Milvus 2.3 fails each task of a dropped collection only after 40 s of retries, one after the other.
        let done = try await shell("echo '-s _bak --wait' > '\(backup)/restore' && cat '\(backup)/restore'", limit: 600)
        #expect(done.succeeded && done.output.contains("state: done"), "\(done.output)")
      }
      #expect(try await temporaries("B") == [])
    }
  }
}

/// The servers of the testbed, to be killed and started.
enum Server {
  /// Kills Milvus B as the kernel would, and starts it again.
  static func restartMilvusB() async throws {
    try await run(
      """
      kill -KILL "$(jq .instances.B.milvus.pid "$MILVUS_BACKUPFS_TESTBED")"
      dir=$(jq -r .directory "$MILVUS_BACKUPFS_TESTBED") port=$(jq -r .basePort "$MILVUS_BACKUPFS_TESTBED")
      '\(Testbed.project)/scripts/testbed' up --dir "$dir" --base-port "$port"
      """, limit: 400)
  }
}
