// What metadata promises, beyond the fixtures: odd segments, groups, completeness.

import BackupFormat
import Testing

@Suite struct BackupContentsTests {
  private func segment(_ id: Int64, group: Int64, inserts: Int = 1, deltas: Int = 0, isL0: Bool = false)
    -> SegmentBackupInfo
  {
    .with {
      $0.segmentID = id
      $0.groupID = group
      $0.numOfRows = 10
      $0.isL0 = isL0
      $0.binlogs = inserts == 0 ? [] : [FieldBinlog(fieldID: 100, binlogs: logs(inserts))]
      $0.deltalogs = [FieldBinlog(fieldID: 0, binlogs: logs(deltas))]
    }
  }

  private func logs(_ count: Int) -> [Binlog] {
    (0..<count).map { Binlog(logPath: "", logSize: 5, logID: Int64($0) + 1) }
  }

  private func collection(_ segments: [SegmentBackupInfo]) -> CollectionBackupInfo {
    .with {
      $0.collectionID = 1
      $0.collectionName = "c"
      $0.partitionBackups = [
        .with {
          $0.partitionID = 2
          $0.partitionName = "p"
          $0.segmentBackups = segments
        }
      ]
    }
  }

  @Test func rowsOfUnitsAreSummedByGroupAndRowsOfSkippedSegmentsAreNot() throws {
    let plan = try ImportPlan(
      collection([segment(10, group: 10), segment(11, group: 11, inserts: 0), segment(12, group: 10)]))
    #expect(plan.units.map(\.segmentIDs) == [[10, 12]])
    #expect(plan.rows == 20)
    #expect(plan.bytes == 10)
    #expect(plan.skipped.map(\.segmentID) == [11])
    #expect(plan.skipped.map(\.reason) == [.empty])
  }

  @Test func segmentsWithDeletesOnlyAreSkippedUnlessMarkedAsSuch() throws {
    let plan = try ImportPlan(
      collection([
        segment(10, group: 10, inserts: 0, deltas: 1), segment(11, group: 11, inserts: 0, deltas: 1, isL0: true),
      ]))
    #expect(plan.skipped.map(\.reason) == [.noInsertLogs])
    #expect(plan.units.map(\.deltaDirectory) == ["binlogs/delta_log/1/2/11/"])
  }

  @Test func aSegmentMarkedAsDeletesOnlyThatHasRowsIsImportedWithThem() throws {
    let plan = try ImportPlan(collection([segment(10, group: 10, deltas: 1, isL0: true)]))
    #expect(plan.units.map(\.kind) == [.segments])
    #expect(plan.units.map(\.rows) == [10])
  }

  @Test(arguments: [
    (Int64(0), "binlogs/delta_log/1/2/11/"), (11, "binlogs/delta_log/1/2/11/"), (4, "binlogs/delta_log/1/2/4/11/"),
  ])
  func deletesAreImportedFromWhereTheirGroupPutsThem(group: Int64, directory: String) throws {
    let plan = try ImportPlan(collection([segment(11, group: group, inserts: 0, deltas: 1, isL0: true)]))
    #expect(plan.units.map(\.deltaDirectory) == [directory])
  }

  @Test func groupsAndNoGroupsInOnePartitionAreRefused() {
    #expect(
      sentence { try ImportPlan(collection([segment(10, group: 10), segment(11, group: 0)])) }
        == "Partition \"p\" of collection default.c holds segments both with and without a group id; such a backup"
        + " cannot be imported by directories.")
    #expect(throws: Never.self) {
      try ImportPlan(collection([segment(10, group: 10), segment(11, group: 0, inserts: 0, deltas: 1, isL0: true)]))
    }
  }

  @Test func logsAreNamedByIDOrElseByPath() {
    var odd = segment(10, group: 10)
    odd.binlogs = [
      FieldBinlog(
        fieldID: 100,
        binlogs: [
          Binlog(logPath: "files/insert_log/1/2/10/100/77", logSize: 1, logID: 0),
          Binlog(logPath: "elsewhere/78", logSize: 2, logID: 79), Binlog(logPath: "80", logSize: 3, logID: 0),
          Binlog(logPath: "files/x", logSize: 4, logID: 0), Binlog(logPath: "", logSize: 5, logID: 0),
        ])
    ]
    let contents = BackupContents(collections: [collection([odd])])
    #expect(contents.objects.map(\.key.logID) == [77, 79, 80])
    #expect(contents.objects.map(\.size) == [1, 2, 3])
    #expect(
      contents.problems == [
        "Segment 10 lists 2 logs with neither an id nor a path; whether they exist cannot be checked."
      ])
  }

  @Test func rowsWithoutInsertLogsAreAProblemAndNotCounted() {
    let contents = BackupContents(collections: [collection([segment(10, group: 10, inserts: 0)])])
    #expect(contents.totals.rows == 0)
    #expect(
      contents.problems == [
        "Segment 10 should have 10 rows but lists no insert logs; these rows are not in the backup."
      ])
  }

  @Test func deltaEntriesWithoutLogsAreNamedByTheirFieldID() {
    var old = segment(10, group: 10, inserts: 0)
    old.deltalogs = [FieldBinlog(fieldID: 5, binlogs: []), FieldBinlog(fieldID: 5, binlogs: []), FieldBinlog()]
    let objects = BackupContents(collections: [collection([old])]).objects
    #expect(objects.map(\.path) == ["binlogs/delta_log/1/2/10/10/5"])
    #expect(objects.map(\.size) == [nil])
  }
}
