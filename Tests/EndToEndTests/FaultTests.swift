import Foundation
import Testing

extension EndToEnd.Files {
  /// What goes wrong is told, and leaves the stores and Milvus as they were.
  @Suite(.serialized) struct Faults {
    @Test(arguments: [
      ("--no-such-option", "no-such-option"), ("one two", "two"), ("-s _a -r a:b", "exclude"), ("-c", "-c"),
      ("'unfinished", "quotation"), ("not-a-name!", "name"),
    ])
    func aLineThatIsNoRequestFailsInTheWriteAndSaysWhy(line: String, word: String) async throws {
      try await Fixture.ensure()
      try await Workplace.with { place in
        let file = "\(place.mount)/milvus_B/fixture/restore"
        let echo = try await shell("echo \"\(line)\" > '\(file)'")
        #expect(echo.status == 1)
        #expect(echo.output.contains("Invalid argument"), "\(echo.output)")
        let why = try await run("cat '\(file)'")
        #expect(why.contains("state: refused") && why.contains(word), "\(why)")
        // The other lane makes collections meanwhile: only the name that one of these lines could have made counts.
        if line.contains("_a") { #expect(!(try await Oracle.python("names.py", "B")).contains("fixture_a")) }
      }
    }

    @Test func aBackupThatIsNotAllThereIsRefusedNamingWhatIsMissing() async throws {
      try await Fixture.ensure()
      try await Oracle.remove("B", "backup/holed/")
      try await Workplace.with { place in
        try await run("cp -r '\(place.mount)/milvus_B/fixture' '\(place.mount)/milvus_B/holed'")
        let logs = try await Oracle.objects("B", "backup/holed/").keys.filter { $0.hasPrefix("binlogs/insert_log/") }
        let gone = logs.sorted().prefix(3)
        for key in gone { try await run("rm '\(place.mount)/milvus_B/holed/\(key)'") }
        let echo = try await shell("echo holed_bak > '\(place.mount)/milvus_B/holed/restore'")
        #expect(!echo.succeeded)
        let why = try await run("cat '\(place.mount)/milvus_B/holed/restore'")
        for key in gone { #expect(why.contains(key), "\(why)") }
        #expect(why.contains("3 are missing"), "\(why)")
        #expect(!(try await Oracle.python("names.py", "B")).contains("holed_bak"))
        try await run("rm -r '\(place.mount)/milvus_B/holed'")
        #expect(try await Oracle.objects("B", "backup/holed/").isEmpty)
      }
    }

    @Test func aMilvusThatIsAwayIsNamedWithinFifteenSeconds() async throws {
      try await Fixture.ensure()
      let port = try #require(try Testbed.instance("B").milvus.address.split(separator: ":").last)
      try await Workplace.with(edits: ["B": [("port: \(port)", "port: 1")]]) { place in
        let echo = try await shell("echo away_bak > '\(place.mount)/milvus_B/fixture/restore'")
        #expect(!echo.succeeded && echo.seconds < 15, "\(echo.seconds)")
        #expect(try await run("cat '\(place.mount)/milvus_B/fixture/restore'").contains("127.0.0.1:1"))
        let create = try await shell("\"$BACKUPFS\" create --config '\(place.configs)/milvus_B.yaml' -n away")
        #expect(create.status == 1 && create.seconds < 15 && create.output.contains("127.0.0.1:1"), "\(create.output)")
        #expect(try await Oracle.objects("B", "backup/away/").isEmpty)
      }
    }

    @Test func aStoreThatIsAwayIsNamedWithinFifteenSecondsAndTheOtherStillWorks() async throws {
      try await Fixture.ensure()
      let port = try #require(try Testbed.instance("B").store.endpoint.split(separator: ":").last)
      try await Workplace.with(mounted: false, edits: ["B": [("port: \(port)", "port: 1")]]) { place in
        let mounting = try await shell("\"$BACKUPFS\" mount '\(place.configs)' '\(place.mount)' --log '\(place.log)'")
        #expect(mounting.succeeded && mounting.seconds < 15)
        #expect(mounting.output.contains("127.0.0.1:1"), "\(mounting.output)")
        let away = try await shell("ls '\(place.mount)/milvus_B'")
        #expect(!away.succeeded && away.seconds < 15)
        #expect(try await run("ls '\(place.mount)/milvus_A/fixture'") == "binlogs\nmeta")
        let list = try await shell("\"$BACKUPFS\" list --config '\(place.configs)/milvus_B.yaml'")
        #expect(list.status == 1 && list.seconds < 15 && list.output.contains("127.0.0.1:1"), "\(list.output)")
      }
    }

    @Test func wrongCredentialsArePermissionDeniedAndASentence() async throws {
      try await Fixture.ensure()
      let secret = try Testbed.instance("B").store.secretAccessKey
      try await Workplace.with(edits: ["B": [(secret, "not-the-secret-of-b")]]) { place in
        let ls = try await shell("ls '\(place.mount)/milvus_B'")
        #expect(!ls.succeeded && ls.output.contains("Permission denied"), "\(ls.output)")
        let list = try await shell("\"$BACKUPFS\" list --config '\(place.configs)/milvus_B.yaml'")
        #expect(list.status == 1)
        #expect(list.output.contains("ecretAccessKey"), "names the setting: \(list.output)")
        #expect(!list.output.contains("not-the-secret-of-b"))
        let copy = try await shell(
          "cp '\(place.mount)/milvus_A/fixture/meta/full_meta.json' '\(place.mount)/milvus_B/x'")
        #expect(!copy.succeeded && copy.output.contains("Permission denied"), "\(copy.output)")
        let log = try String(contentsOfFile: place.log, encoding: .utf8)
        #expect(log.contains("ecretAccessKey"), "the daemon's log has the sentence")
        #expect(!log.contains("not-the-secret-of-b"))
      }
    }

    @Test func killingCopyMidwayLeavesNoTruncatedObject() async throws {
      try await Oracle.remove("A", "backup/many/")
      try await Oracle.put("A", "backup/many/", count: 40, size: 300_000)
      try await Oracle.put("A", "backup/many/large/", count: 1, size: 40 << 20)
      let source = try await Oracle.objects("A", "backup/many/")
      #expect(source.count == 43)
      try await Workplace.with { place in
        for round in 0..<max(Crashes.rounds, 6) {
          let signal = [SIGKILL, SIGINT, SIGTERM][round % 3]
          // The first ones meet each part of the copy, the others any moment of it.
          let moment = round < 6 ? 20 + 130 * round : Int.random(in: 0..<1200)
          try await Oracle.remove("B", "backup/many/")
          let copy = try Running(
            "exec cp -r '\(place.mount)/milvus_A/many' '\(place.mount)/milvus_B/'", environment: [:])
          try await Task.sleep(for: .milliseconds(moment))
          kill(copy.identifier, signal)
          _ = try await copy.wait(limit: 20)
          #expect(!copy.isRunning)
          // What cp has asked for may still be finishing, and what it had not asked for be on its way out again; then the
          // store is quiet, whole, and has nothing that the mount does not show.
          var (stored, shown, uploads) = ([String: String](), [String](), -1)
          for _ in 0..<40 {
            try await Task.sleep(for: .milliseconds(250))
            stored = try await Oracle.objects("B", "backup/many/")
            uploads = try await Oracle.uploads("B", "backup/many/")
            let found = try await shell("cd '\(place.mount)/milvus_B/many' 2> /dev/null && find . -type f || true")
            shown = found.output.split(separator: "\n").map { String($0.dropFirst(2)) }.sorted()
            if uploads == 0, stored.keys.sorted() == shown { break }
          }
          for (key, contents) in stored {
            #expect(source[key] == contents, "round \(round), after \(moment) ms: \(key) is not whole")
          }
          #expect(uploads == 0)
          #expect(stored.keys.sorted() == shown, "round \(round), after \(moment) ms")
          try await run("rm -rf '\(place.mount)/milvus_B/many'")
        }
        // And undisturbed it is all there.
        try await run("cp -r '\(place.mount)/milvus_A/many' '\(place.mount)/milvus_B/'")
        #expect(try await Oracle.objects("B", "backup/many/") == source)
        try await run("rm -r '\(place.mount)/milvus_A/many' '\(place.mount)/milvus_B/many'")
        #expect(try await Oracle.objects("A", "backup/many/").isEmpty)
        #expect(try await Oracle.objects("B", "backup/many/").isEmpty)
      }
    }

    @Test func configurationMistakesAreSentences() async throws {
      try await Workplace.with(mounted: false, edits: ["A": [("storageType: minio", "storageType: floppy")]]) { place in
        let mounting = try await shell("\"$BACKUPFS\" mount '\(place.configs)' '\(place.mount)'")
        #expect(mounting.status == 1)
        for word in ["milvus_A.yaml", "storageType", "floppy", "minio"] {
          #expect(mounting.output.contains(word), "\(mounting.output)")
        }
        #expect(!(try await shell("mountpoint -q '\(place.mount)'")).succeeded)
      }
    }
  }
}
