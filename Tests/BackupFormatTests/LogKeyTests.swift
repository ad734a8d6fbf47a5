// Both grammars of log keys.

import BackupFormat
import Testing

@Suite struct LogKeyTests {
  private static let insert = LogKey.insert(
    collectionID: 1, partitionID: 2, groupID: 3, segmentID: 4, fieldID: 5, logID: 6)

  @Test(arguments: [
    ("binlogs/insert_log/1/2/3/4/5/6", insert),
    (
      "binlogs/insert_log/1/2/4/0/6",
      .insert(collectionID: 1, partitionID: 2, groupID: 0, segmentID: 4, fieldID: 0, logID: 6)
    ),
    ("binlogs/delta_log/1/2/3/4/6", .delta(collectionID: 1, partitionID: 2, groupID: 3, segmentID: 4, logID: 6)),
    ("binlogs/delta_log/1/2/4/6", .delta(collectionID: 1, partitionID: 2, groupID: 0, segmentID: 4, logID: 6)),
    ("binlogs/delta_log/1/-1/4/6", .delta(collectionID: 1, partitionID: -1, groupID: 0, segmentID: 4, logID: 6)),
    (
      "binlogs/delta_log/9223372036854775807/2/3/4/6",
      .delta(collectionID: .max, partitionID: 2, groupID: 3, segmentID: 4, logID: 6)
    ),
  ])
  func pathsInABackupAreParsedAndBuilt(path: String, key: LogKey) {
    #expect(LogKey(backupPath: path) == key)
    #expect(key.backupPath == path)
  }

  @Test(arguments: [
    "", "binlogs/", "binlogs/insert_log", "binlogs/insert_log/1/2/3/4", "binlogs/insert_log/1/2/3/4/5/6/7",
    "binlogs/insert_log/1/2/3/4/5/6/", "binlogs/insert_log/1/2//4/5/6", "binlogs/insert_log/1/2/0/4/5/6",
    "binlogs/insert_log/1/-1/3/4/5/6", "binlogs/insert_log/1/2/3/4/5/06", "binlogs/insert_log/1/2/3/4/5/+6",
    "binlogs/insert_log/1/2/3/4/5/6a", "binlogs/insert_log/1/2/3/4/5/-6",
    "binlogs/insert_log/1/2/3/4/5/9223372036854775808",
    "binlogs/stats_log/1/2/3/4/5/6", "binlogs/insert_logs/1/2/3/4/5/6", "/binlogs/insert_log/1/2/3/4/5/6",
    "insert_log/1/2/4/5/6", "binlogs/delta_log/1/-2/4/6", "binlogs/delta_log/1/-10/4/6", "binlogs/delta_log/-1/2/4/6",
    "binlogs/delta_log/1/2/-1/4/6", "binlogs/delta_log/1/2/3/4/5/6", "binlogs/delta_log/1/2/3",
    "binlogs/delta_log/1/-01/4/6",
    "binlogs/insert_log/1/2/3/4/5/",
  ])
  func otherPathsAreNoLogs(path: String) {
    #expect(LogKey(backupPath: path) == nil)
  }

  @Test(arguments: [("files", "files/"), ("", ""), ("a/b", "a/b/"), ("/files/", "files/")])
  func keysInMilvusHaveNoGroup(rootPath: String, prefix: String) throws {
    let insert = try LogKey(milvusKey: "\(prefix)insert_log/1/2/4/5/6", rootPath: rootPath)
    #expect(insert == .insert(collectionID: 1, partitionID: 2, groupID: 0, segmentID: 4, fieldID: 5, logID: 6))
    #expect(insert.milvusKey(rootPath: rootPath) == "\(prefix)insert_log/1/2/4/5/6")
    let delta = try LogKey(milvusKey: "\(prefix)delta_log/1/-1/4/6", rootPath: rootPath)
    #expect(delta == .delta(collectionID: 1, partitionID: -1, groupID: 0, segmentID: 4, logID: 6))
    #expect(delta.milvusKey(rootPath: rootPath) == "\(prefix)delta_log/1/-1/4/6")
  }

  @Test(arguments: ["files/insert_log/1/2/3/4/5/6", "insert_log/1/2/4/5/6", "files/delta_log/1/2/3/4/6", "files/x"])
  func otherKeysInMilvusAreRefused(key: String) {
    let text = sentence { try LogKey(milvusKey: key, rootPath: "files") }
    #expect(
      text.hasPrefix("The object \"\(key)\" is not a log of a segment: files/insert_log/ is followed by five numbers"))
  }

  @Test func theGroupIsLeftOutOfKeysInMilvus() {
    #expect(Self.insert.milvusKey(rootPath: "files") == "files/insert_log/1/2/4/5/6")
  }

  @Test func directoriesOfASegmentInMilvusEndWithASlash() {
    #expect(
      LogKey.milvusDirectory(.delta, rootPath: "", collectionID: 1, partitionID: -1, segmentID: 4)
        == "delta_log/1/-1/4/")
    #expect(
      LogKey.milvusDirectory(.insert, rootPath: "files", collectionID: 1, partitionID: 2, segmentID: 4)
        == "files/insert_log/1/2/4/")
  }
}
