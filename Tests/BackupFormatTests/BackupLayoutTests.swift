// Keys of a backup, its name, and the order of copying.

import BackupFormat
import Testing

@Suite struct BackupLayoutTests {
  @Test(arguments: [("backup", "backup/bk1/"), ("", "bk1/"), ("/a//b/", "a/b/bk1/"), ("./a/.", "a/bk1/")])
  func theDirectoryIsTheRootAndTheName(rootPath: String, directory: String) {
    let layout = BackupLayout(rootPath: rootPath, backupName: "bk1")
    #expect(layout.directory == directory)
    #expect(layout.key(.full) == directory + "meta/full_meta.json")
    #expect(layout.key("binlogs/x") == directory + "binlogs/x")
    #expect(
      layout.key(LogKey.delta(collectionID: 1, partitionID: -1, groupID: 0, segmentID: 2, logID: 3))
        == directory + "binlogs/delta_log/1/-1/2/3")
  }

  @Test func pathsAreFoundInKeysOfTheSameBackupOnly() {
    let layout = BackupLayout(rootPath: "backup", backupName: "bk1")
    #expect(layout.path(ofKey: "backup/bk1/meta/full_meta.json") == "meta/full_meta.json")
    #expect(layout.path(ofKey: "backup/bk1/") == "")
    #expect(layout.path(ofKey: "backup/bk10/meta/full_meta.json") == nil)
    #expect(layout.path(ofKey: "bk1/meta/full_meta.json") == nil)
  }

  @Test(arguments: [("", ""), ("/", ""), ("backup", "backup/"), ("/a//b/", "a/b/")])
  func theListingPrefixOfAnEmptyRootIsEmpty(rootPath: String, prefix: String) {
    #expect(BackupLayout.listingPrefix(rootPath: rootPath) == prefix)
  }

  @Test func copyingPutsDataBeforeMetadataAndTheFullFileLast() {
    let paths = [
      "meta/full_meta.json", "meta/backup_meta.json", "meta", "meta/segment_meta.json",
      "binlogs/insert_log/1/2/3/4/5/6",
      "binlogs", "bundle/snapshots/1", "metadata/x", "other", "meta/sub/full_meta.json",
    ]
    #expect(paths.map(BackupLayout.copyRank(ofPath:)) == [3, 2, 1, 1, 0, 0, 0, 0, 0, 1])
    #expect(BackupLayout.copyRank(ofPath: "meta/") == 1)
  }

  @Test(arguments: ["a", "_", "backup_2026_11_23", "A9_", String(repeating: "x", count: 128)])
  func goodNamesAreAccepted(name: String) throws {
    try BackupName.validate(name)
  }

  @Test(arguments: [
    ("", "is empty"), ("1a", "begins with a digit"), ("a-b", "contains \"-\""), ("a b", "contains \" \""),
    ("a.b", "contains \".\""), ("ä", "contains \"ä\""), ("a/b", "contains \"/\""), ("a\n", "contains \"\\n\""),
    (String(repeating: "x", count: 129), "is 129 bytes long"),
  ])
  func badNamesAreRefusedWithTheReason(name: String, problem: String) {
    #expect(
      sentence { try BackupName.validate(name) }
        == "The backup name \(name.debugDescription) \(problem). Allowed are letters, digits and '_', not beginning with"
        + " a digit, up to 128 characters.")
  }
}
