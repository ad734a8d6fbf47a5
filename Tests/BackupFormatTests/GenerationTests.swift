// Backups of each generation of milvus-backup: what is read, what they promise, what a restore imports.

@testable import BackupFormat
import Testing

@Suite struct GenerationTests {
  @Test func levelledBackupOf2022ImportsWholePartitions() throws {
    let reading = try Fixture.levelledWithoutGroups.read()
    let info = reading.info
    #expect(reading.source == .backup)
    #expect(reading.warnings.isEmpty)
    #expect(info.name == "old_one")
    #expect(info.startTime == 1_670_000_000_123)
    #expect(info.stateCode == .success)
    #expect(info.size == 1237)
    let collection = try #require(info.collectionBackups.first)
    #expect(collection.startTime == 1_670_000_000)
    #expect(collection.qualifiedName == CollectionName(database: "default", collection: "books"))
    #expect(collection.partitionBackups.map(\.partitionName) == ["_default", "spare"])
    #expect(collection.partitionBackups.map(\.size) == [1237, 0])
    let plan = try ImportPlan(collection)
    #expect(
      plan.units == [
        ImportUnit(
          kind: .segments, collectionID: 437, partitionID: 438, partitionName: "_default",
          insertDirectory: "binlogs/insert_log/437/438/", deltaDirectory: "binlogs/delta_log/437/438/",
          segmentIDs: [439, 440], rows: 1500, objects: 9, bytes: 1237, vChannel: "", storageVersion: 0)
      ])
    #expect(plan.skipped.isEmpty)
    let paths = BackupContents(info).objects.map(\.path)
    #expect(paths.contains("binlogs/insert_log/437/438/439/101/4393"))
    #expect(paths.contains("binlogs/delta_log/437/438/440/9001"))
  }

  @Test func numberedGroupsOf2023AreImportedOnceEach() throws {
    let info = try Fixture.numberedGroups.read().info
    let plan = try ImportPlan(info.collectionBackups[0])
    #expect(plan.units.map(\.insertDirectory) == ["binlogs/insert_log/500/510/1/", "binlogs/insert_log/500/510/2/"])
    #expect(plan.units.map(\.deltaDirectory) == ["binlogs/delta_log/500/510/1/", nil])
    #expect(plan.units.map(\.segmentIDs) == [[501, 503], [502]])
    #expect(plan.units.map(\.rows) == [24, 12])
    #expect(
      BackupContents(info).objects.map(\.path) == [
        "binlogs/insert_log/500/510/1/501/100/5011", "binlogs/insert_log/500/510/1/501/100/5012",
        "binlogs/insert_log/500/510/2/502/100/5021", "binlogs/insert_log/500/510/2/502/100/5022",
        "binlogs/insert_log/500/510/1/503/100/5031", "binlogs/insert_log/500/510/1/503/100/5032",
        "binlogs/delta_log/500/510/1/503/88",
      ])
  }

  @Test func version0430TellsFakeDeleteSegmentsFromRealOnes() throws {
    let info = try Fixture.fakeL0.read().info
    let collection = info.collectionBackups[0]
    #expect(collection.schema?.fields[0].defaultValueProto == "\u{18}*")
    #expect(collection.channelCheckpoints["by-dev-rootcoord-dml_0_600v0"] == "CgA=")
    let plan = try ImportPlan(collection)
    #expect(plan.units.map(\.kind) == [.segments, .deletes, .deletes])
    #expect(plan.units.map(\.insertDirectory) == ["binlogs/insert_log/600/610/601/", nil, nil])
    #expect(
      plan.units.map(\.deltaDirectory) == [
        "binlogs/delta_log/600/610/601/", "binlogs/delta_log/600/610/603/", "binlogs/delta_log/600/-1/604/",
      ])
    #expect(plan.units.map(\.partitionName) == ["_default", "_default", ""])
    #expect(plan.rows == 100)
    #expect(plan.skipped == [SkippedSegment(segmentID: 602, partitionID: 610, rows: 77, reason: .empty)])
    // Log 712 is listed twice, because 71 is a prefix of it.
    #expect(
      BackupContents(info).objects.map { "\($0.path) \($0.size ?? -1)" } == [
        "binlogs/insert_log/600/610/601/601/100/6601 40", "binlogs/delta_log/600/610/601/601/71 7",
        "binlogs/delta_log/600/610/601/601/712 8", "binlogs/delta_log/600/610/603/603/73 9",
        "binlogs/delta_log/600/-1/604/74 6",
      ])
  }

  @Test func version0509IsReadInFull() throws {
    let info = try Fixture.version0509.read().info
    #expect(info.databaseBackups.map(\.dbName) == ["default", "shop"])
    #expect(info.databaseBackups[1].properties == [KeyValuePair(key: "database.replica.number", value: "1")])
    #expect(info.rpcChannelInfo?.position == "AAE=")
    let collection = info.collectionBackups[0]
    #expect(collection.progress == 100)
    #expect(collection.qualifiedName.description == "shop.orders")
    #expect(collection.schema?.functions[0].outputFieldIDs == [102])
    #expect(collection.schema?.fields[1].defaultValueBase64 == "GAc=")
    #expect(collection.schema?.fields[2].dataType == .sparseFloatVector)
    let unit = try #require(try ImportPlan(collection).units.first)
    #expect(unit.vChannel == "by-dev-rootcoord-dml_1_700v0")
    #expect(unit.hasDeltas)
    #expect(unit.bytes == 50)
  }

  @Test func currentBackupImportsRowsThenDeletes() throws {
    let info = try Fixture.current.read().info
    let collection = info.collectionBackups[0]
    #expect(collection.backupTimestamp == .max)
    #expect(collection.createdTimestamp == 9_007_199_254_740_993)
    #expect(collection.aliases == ["newest"])
    let plan = try ImportPlan(collection)
    #expect(
      plan.units == [
        ImportUnit(
          kind: .segments, collectionID: 446, partitionID: 447, partitionName: "_default",
          insertDirectory: "binlogs/insert_log/446/447/449/", deltaDirectory: "binlogs/delta_log/446/447/449/",
          segmentIDs: [449], rows: 100, objects: 4, bytes: 21, vChannel: "by-dev-rootcoord-dml_0_446v0",
          storageVersion: 2),
        ImportUnit(
          kind: .deletes, collectionID: 446, partitionID: 447, partitionName: "_default", insertDirectory: nil,
          deltaDirectory: "binlogs/delta_log/446/447/450/", segmentIDs: [450], rows: 0, objects: 1, bytes: 5,
          vChannel: "", storageVersion: 0),
        ImportUnit(
          kind: .deletes, collectionID: 446, partitionID: -1, partitionName: "", insertDirectory: nil,
          deltaDirectory: "binlogs/delta_log/446/-1/451/", segmentIDs: [451], rows: 0, objects: 1, bytes: 6,
          vChannel: "", storageVersion: 0),
      ])
    let contents = BackupContents(info)
    #expect(
      contents.objects.map(\.path) == [
        "binlogs/insert_log/446/447/449/449/100/11", "binlogs/insert_log/446/447/449/449/100/12",
        "binlogs/insert_log/446/447/449/449/0/13", "binlogs/delta_log/446/447/449/449/14",
        "binlogs/delta_log/446/447/450/450/15", "binlogs/delta_log/446/-1/451/16",
      ])
    #expect(contents.totals.objects == 6)
    #expect(contents.totals.bytes == 32)
    #expect(contents.totals.rows == 100)
    #expect(contents.totals.segments == 3)
    #expect(contents.totals.partitions == 1)
    #expect(contents.totals.collections == 1)
    #expect(contents.problems.isEmpty)
  }

  @Test func backupOfMilvus235IsRead() throws {
    let info = try Fixture.minimal235.read().info
    #expect(info.milvusVersion == "v2.3.5")
    #expect(info.dataFormat == .binlog)
    let plan = try ImportPlan(info.collectionBackups[0])
    #expect(
      plan.units.map(\.insertDirectory) == [
        "binlogs/insert_log/446100000000000001/446100000000000002/446100000000000003/"
      ])
    #expect(plan.units.map(\.hasDeltas) == [false])
  }
}
