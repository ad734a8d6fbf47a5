// The set of metadata files: order, shapes, choice of what is read, joining of levels.

import Testing

@testable import BackupFormat

@Suite struct MetaFilesTests {
  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  private var emptyLevels: [MetaFile: [UInt8]] {
    [.backup: bytes("{}"), .collection: bytes("{}"), .partition: bytes("{}"), .segment: bytes("{}")]
  }

  @Test func filesAreWrittenWithTheFullOneLast() {
    let files = MetaFiles.encode(BackupInfo()).map(\.file)
    #expect(files == [.backup, .collection, .partition, .segment, .full])
    #expect(
      files.map(\.path) == [
        "meta/backup_meta.json", "meta/collection_meta.json", "meta/partition_meta.json", "meta/segment_meta.json",
        "meta/full_meta.json",
      ])
  }

  @Test func levelsOfAnEmptyBackupAreEmptyObjects() {
    let written = MetaFiles.encode(BackupInfo.with { $0.name = "b" })
    #expect(
      written.map { String(decoding: $0.bytes, as: UTF8.self) } == [
        #"{"state_code":0,"name":"b","size":0}"#, "{}", "{}", "{}", #"{"state_code":0,"name":"b","size":0}"#,
      ])
  }

  @Test func theBackupLevelHoldsNoDatabasesAndNoAccessControl() throws {
    let info = try Fixture.current.read().info
    #expect(!info.databaseBackups.isEmpty && info.rbacMeta != nil)
    let level = try MetaFiles.decodeBackupInfo(.backup, MetaFiles.encode(.backup, of: info))
    #expect(
      level
        == .with {
          $0.id = "0b0d"
          $0.name = "bk1"
          $0.size = 32
          $0.milvusVersion = "v2.6.11"
        })
  }

  @Test func theBackupLevelHoldsAllScalarsOfCurrentVersions() {
    let info = BackupInfo.with {
      $0.id = "i"
      $0.stateCode = .success
      $0.startTime = 1
      $0.name = "n"
      $0.backupTimestamp = 2
      $0.size = 3
      $0.milvusVersion = "v"
      $0.format = "snapshot"
    }
    #expect(
      String(decoding: MetaFiles.encode(.backup, of: info), as: UTF8.self)
        == #"{"id":"i","state_code":2,"name":"n","backup_timestamp":2,"size":3,"milvus_version":"v","#
        + #""format":"snapshot"}"#)
  }

  @Test func sizesAreSummedFromTheSegmentsUpwards() throws {
    var info = try Fixture.current.read().info
    info.size = 0
    info.collectionBackups[0].size = 0
    info.collectionBackups[0].partitionBackups[0].size = 0
    info.recomputeSizes()
    #expect(info.size == 32)
    #expect(info.collectionBackups[0].size == 32)
    #expect(info.collectionBackups[0].partitionBackups[0].size == 26)
    #expect(info.collectionBackups[0].partitionBackups[0].segmentBackups.map(\.size) == [21, 5])
  }

  @Test func theFullFileAloneIsReadWhenItExists() throws {
    var files = try Fixture.current.files()
    for level in MetaFile.levels { files[level] = bytes("damaged") }
    let reading = try MetaFiles.decode(files)
    #expect(reading.source == .full)
    #expect(reading.info.collectionBackups.count == 1)
    #expect(reading.warnings.isEmpty)
  }

  @Test func aDamagedFullFileIsNotReplacedByTheLevels() throws {
    var files = try Fixture.current.files()
    files[.full] = bytes(#"{"size":"#)
    #expect(
      sentence { try MetaFiles.decode(files) }
        == "meta/full_meta.json cannot be read: size: the text is cut off where a number should be (byte 8). The file is"
        + " damaged or was not copied completely; copy it again.")
  }

  @Test func currentLevelsJoinToTheFullTreeWithoutWhatOnlyThatHolds() throws {
    var files = try Fixture.current.files()
    var expected = try MetaFiles.decode(files).info
    files[.full] = nil
    expected.collectionBackups[0].l0Segments = []
    expected.collectionBackups[0].size = 26
    expected.size = 26
    expected.rbacMeta = nil
    expected.databaseBackups = []
    expected.flushAllMessagesBase64 = [:]
    expected.controlChannelName = ""
    expected.physicalChannelNames = []
    let reading = try MetaFiles.decode(files)
    #expect(reading.source == .backup)
    #expect(reading.info == expected)
    #expect(reading.warnings.isEmpty)
  }

  @Test(arguments: MetaFile.levels)
  func aMissingLevelIsNamed(missing: MetaFile) {
    var files = emptyLevels
    files[missing] = nil
    #expect(
      sentence { try MetaFiles.decode(files) }
        == "The backup has no complete metadata: meta/full_meta.json is missing, and of the files that could replace it"
        + " also \(missing.path). It was not finished or not copied completely.")
  }

  @Test func allMissingLevelsAreNamedAtOnce() {
    let text = sentence { try MetaFiles.decode([.channelCheckpoint: bytes("{}")]) }
    #expect(
      text.contains(
        "meta/backup_meta.json, meta/collection_meta.json, meta/partition_meta.json, meta/segment_meta.json"))
  }

  @Test(arguments: MetaFile.levels)
  func aDamagedLevelIsNamed(damaged: MetaFile) {
    var files = emptyLevels
    files[damaged] = bytes("{\"infos\":[{\"size\":true}],\"size\":true}")
    #expect(sentence { try MetaFiles.decode(files) }.hasPrefix("\(damaged.path) cannot be read: "))
  }

  @Test func levelsThatBelongToNothingAreReported() throws {
    var files = emptyLevels
    files[.partition] = bytes(#"{"infos":[{"collection_id":5,"partition_id":6}]}"#)
    files[.segment] = bytes(
      #"{"infos":[{"collection_id":1,"partition_id":2,"size":7},{"collection_id":1,"partition_id":2}]}"#)
    let reading = try MetaFiles.decode(files)
    #expect(
      reading.warnings == [
        "2 segments belong to partition 2 of collection 1, which the metadata does not describe; they are left out.",
        "1 partitions belong to collection 5, which the metadata does not describe; they are left out.",
      ])
  }

  @Test func collectionWideDeletesInTheSegmentFileAreAdoptedOnce() throws {
    var files = emptyLevels
    files[.collection] = bytes(#"{"infos":[{"collection_id":1,"l0_segments":[{"segment_id":8,"partition_id":-1}]}]}"#)
    files[.segment] = bytes(
      #"{"infos":[{"collection_id":1,"partition_id":-1,"segment_id":8},{"collection_id":1,"partition_id":-1,"segment_id":9}]}"#
    )
    let reading = try MetaFiles.decode(files)
    #expect(reading.info.collectionBackups[0].l0Segments.map(\.segmentID) == [8, 9])
    #expect(reading.warnings.isEmpty)
  }

  @Test func samePartitionIDInTwoCollectionsIsKeptApart() throws {
    var files = emptyLevels
    files[.collection] = bytes(#"{"infos":[{"collection_id":1},{"collection_id":2}]}"#)
    files[.partition] = bytes(
      #"{"infos":[{"collection_id":2,"partition_id":3},{"collection_id":1,"partition_id":3}]}"#)
    files[.segment] = bytes(
      #"{"infos":[{"collection_id":1,"partition_id":3,"segment_id":4,"size":10},{"collection_id":2,"partition_id":3,"segment_id":5,"size":1}]}"#
    )
    let collections = try MetaFiles.decode(files).info.collectionBackups
    #expect(collections.map { $0.partitionBackups.flatMap(\.segmentBackups).map(\.segmentID) } == [[4], [5]])
    #expect(collections.map(\.size) == [10, 1])
  }
}
