import BackupEngine
import BackupFormat
import Testing

@testable import milvus_backupfs

@Suite struct ControlLineTests {
  @Test(arguments: [
    ("", []), ("  \t ", []), ("one", ["one"]), (" -s  _bak ", ["-s", "_bak"]), ("'a b' \"c d\"", ["a b", "c d"]),
    ("a\\ b", ["a b"]), ("'' x", ["", "x"]), ("a'b'c", ["abc"]), ("'\\'", ["\\"]),
  ])
  func wordsAreSplitAsAShellDoes(line: String, words: [String]) throws {
    #expect(try ControlLine.words(line) == words)
  }

  @Test(arguments: ["'open", "\"open", "end\\"])
  func anOpenQuotationIsNoLine(line: String) {
    #expect(throws: ControlLine.Malformed.self) { try ControlLine.words(line) }
  }

  @Test func aBareWordIsTheNewNameOfTheOnlyCollection() throws {
    let request = try ControlLine.restore("coll_bak", backup: "b")
    #expect(request == RestoreRequest(backup: "b", newName: "coll_bak"))
    #expect(try ControlLine.restore("coll_bak --rebuild_index", backup: "b").rebuildIndex)
  }

  @Test func optionsAreThoseOfTheCommand() throws {
    let request = try ControlLine.restore(
      "-c coll,db.other -s _bak --rebuild_index --drop_exist_collection", backup: "b")
    #expect(request.filter == (try CollectionFilter(parsing: "coll,db.other")))
    #expect(request.renames == (try RenameRules(suffix: "_bak")))
    #expect(request.rebuildIndex && request.dropExistingCollection && !request.metaOnly)
    let create = try ControlLine.create("-c coll -n my_backup --strategy meta_only")
    #expect(
      create == CreateRequest(name: "my_backup", filter: try CollectionFilter(parsing: "coll"), strategy: .metaOnly))
  }

  @Test(arguments: [
    ("-d db1,db2", "db1.*,db2.*"), ("-a '{\"db1\":[\"c1\",\"c2\"],\"db2\":[]}'", "db1.c1,db1.c2,db2.*"),
    ("--databases db1", "db1.*"), ("--database_collections {\\\"default\\\":[\\\"c\\\"]}", "c"),
  ])
  func databasesCanBeChosenAsOfOld(line: String, filter: String) throws {
    #expect(try ControlLine.create(line).filter == (try CollectionFilter(parsing: filter)))
  }

  @Test func wordsOfOldAreStrategies() throws {
    #expect(try ControlLine.create("-n b").strategy == .serialFlush)
    #expect(try ControlLine.create("-n b -f").strategy == .skipFlush)
    #expect(try ControlLine.create("-n b --force").strategy == .skipFlush)
    #expect(try ControlLine.create("-n b --meta_only").strategy == .metaOnly)
    #expect(
      try ControlLine.create("--strategy bulk_flush --rbac --resume")
        == CreateRequest(
          strategy: .bulkFlush, rbac: true, resume: true))
  }

  @Test(arguments: [
    "--strategy none", "--strategy bulk_flush --force", "-f --meta_only", "-c a -d b", "-a '{}'", "-a '[1]'", "-a x",
    "-d ''", "-d a,,b", "--format snapshot", "--backup_index_extra",
  ])
  func whatCannotBeABackupIsASentence(line: String) {
    let error = #expect(throws: ControlLine.Malformed.self) { try ControlLine.create(line) }
    #expect(error?.message.hasSuffix(".") == true, "\(error?.message ?? "")")
  }

  @Test func aVerificationTakesNothingOrDeep() throws {
    #expect(try ControlLine.verify("", backup: "b") == VerifyRequest(backup: "b"))
    #expect(try ControlLine.verify(" --deep ", backup: "b") == VerifyRequest(backup: "b", deep: true))
    #expect(throws: ControlLine.Malformed.self) { try ControlLine.verify("deep", backup: "b") }
  }

  @Test func everyOptionOfARestoreIsUnderstood() throws {
    let request = try ControlLine.restore(
      "-s _bak --load --aliases --rbac --drop_exist_index --skip_create_collection --use_v2_restore --resume --dry-run",
      backup: "b")
    #expect(
      request
        == RestoreRequest(
          backup: "b", renames: try RenameRules(suffix: "_bak"), rebuildIndex: true, skipCreateCollection: true,
          dropExistingIndex: true, restoresLoadState: true, restoresAliases: true, restoresAccessControl: true,
          resume: true, dryRun: true, usesREST: true))
    // The word of older scripts.
    #expect(try ControlLine.restore("x --restore_index", backup: "b").rebuildIndex)
  }

  @Test func aLineCanBeWaitedForAndTakenBack() throws {
    guard case .start(let request, let waits) = try ControlLine.restoreOrder("coll_bak --wait", backup: "b") else {
      Issue.record("not a start")
      return
    }
    #expect(request == RestoreRequest(backup: "b", newName: "coll_bak") && waits)
    guard case .start(_, waits: false) = try ControlLine.createOrder("-c coll") else {
      Issue.record("not a start without waiting")
      return
    }
    guard case .cancel = try ControlLine.restoreOrder("--cancel", backup: "b") else {
      Issue.record("not a cancellation")
      return
    }
    #expect(throws: ControlLine.Malformed.self) { try ControlLine.restoreOrder("x --cancel", backup: "b") }
    #expect(throws: ControlLine.Malformed.self) { try ControlLine.restoreOrder("--wait", backup: "b") }
  }

  @Test(arguments: [
    "", "one two", "-s _a -r a:b", "new -s _a", "-c", "--nonsense", "-c ''", "--filter x. -c y", "-s 'a b'", "--help",
    "--drop_exist_collection --skip_create_collection", "-r a:b.c",
  ])
  func whatCannotBeARequestIsASentence(line: String) {
    let error = #expect(throws: ControlLine.Malformed.self) { try ControlLine.restore(line, backup: "b") }
    #expect(error?.message.hasSuffix(".") == true, "\(error?.message ?? "")")
    #expect(error?.message.contains("\n") == false)
  }
}

@Suite struct BriefJSONTests {
  @Test func indentedAsGoDoes() {
    let json = #"{"a":1,"b":[1,{"c":"x, {y}: \"z\""}],"d":{},"e":[]}"#
    let expected = """
      {
          "a": 1,
          "b": [
              1,
              {
                  "c": "x, {y}: \\"z\\""
              }
          ],
          "d": {},
          "e": []
      }
      """
    #expect(String(decoding: BriefJSON.indented(Array(json.utf8)), as: UTF8.self) == expected)
  }

  @Test func partitionsAreLeftOutAndTheMetadatasSizeIsIn() {
    var info = BackupInfo()
    info.name = "b"
    var collection = CollectionBackupInfo()
    collection.collectionName = "c"
    collection.partitionBackups = [PartitionBackupInfo()]
    info.collectionBackups = [collection]
    let text = BriefJSON.text(of: BackupCatalog.Description(info: info, metaSize: 42, warnings: []))
    #expect(text.contains("\"collection_name\": \"c\""))
    #expect(text.contains("\"meta_size\": 42"))
    #expect(!text.contains("partition_backups"))
  }
}
