// The decisions of the engine that need neither store nor server.

import BackupFormat
import ObjectStore
import Testing

@testable import BackupEngine
@testable import MilvusClient

@Suite struct SegmentSelectionTests {
  private func segment(_ id: Int64, _ state: SegmentState, partition: Int64 = 1) -> SegmentInfo {
    SegmentInfo(
      segmentID: id, collectionID: 1, partitionID: partition, numOfRows: 1, state: state, level: .legacy,
      isSorted: false, storageVersion: 0)
  }

  @Test func sortsSegmentsByWhatIsDurable() {
    let states: [SegmentState] = [
      .none, .notExist, .growing, .sealed, .flushed, .flushing, .dropped, .importing, SegmentState(rawValue: 99),
    ]
    let segments = states.enumerated().map { segment(Int64($0.offset), $0.element) }
    let selection = SegmentSelection(segments + [segment(20, .flushed, partition: 2)], partitions: [1])
    #expect(selection.saved.map(\.segmentID) == [0, 4, 8])
    #expect(selection.flushing.map(\.segmentID) == [5])
    #expect(selection.leftOut.map(\.segmentID) == [2, 3, 7])
    #expect(selection.orphans.map(\.segmentID) == [20])
  }

  @Test func keepsDeletesOfAllPartitions() {
    #expect(SegmentSelection([segment(1, .flushed, partition: -1)], partitions: []).saved.count == 1)
  }
}

@Suite struct SegmentFilesTests {
  private func files(
    _ keys: [String], deltas: [String] = [], rows: Int64 = 1, level: SegmentLevel = .legacy,
    levelsAreHidden: Bool = false
  ) throws -> SegmentFiles {
    let segment = SegmentInfo(
      segmentID: 3, collectionID: 1, partitionID: 2, numOfRows: rows, state: .flushed, level: level, isSorted: false,
      storageVersion: 0)
    func objects(_ keys: [String]) -> [ObjectInfo] {
      keys.map { ObjectInfo(key: ObjectKey($0), size: 5, etag: ETag("e"), modified: 0) }
    }
    return try SegmentFiles(
      segment, inserts: objects(keys), deltas: objects(deltas), rootPath: "files", levelsAreHidden: levelsAreHidden)
  }

  /// Milvus 2.4.0 to 2.4.6 keeps deletes in segments of their own and does not say which these are.
  @Test func deletesAloneAreKnownWhereTheServerHidesLevels() throws {
    let deltas = ["files/delta_log/1/2/3/8"]
    #expect(try files([], deltas: deltas, rows: 0, levelsAreHidden: true).isL0)
    #expect(try !files([], deltas: deltas, rows: 0).isL0)
    #expect(try !files(["files/insert_log/1/2/3/100/7"], deltas: deltas, rows: 0, levelsAreHidden: true).isL0)
    #expect(try !files([], rows: 0, levelsAreHidden: true).isL0)
  }

  @Test func derivesTheBackupsKeyFromTheNumbers() throws {
    let files = try files(["files/insert_log/1/2/3/100/7"], deltas: ["files/delta_log/1/2/3/8"])
    #expect(
      files.files.map(\.log.backupPath) == ["binlogs/insert_log/1/2/3/3/100/7", "binlogs/delta_log/1/2/3/3/8"])
    #expect(files.size == 10)
  }

  @Test func refusesKeysThatAreNoLogs() {
    #expect(throws: BackupFormatError.self) { try files(["files/insert_log/1/2/3/100/seven"]) }
    #expect(throws: BackupFormatError.self) { try files(["other/insert_log/1/2/3/100/7"]) }
  }

  @Test func findsWhatCannotBeAWholeSegment() throws {
    let even = try files(["files/insert_log/1/2/3/0/1", "files/insert_log/1/2/3/1/2"])
    try even.check(required: [0, 1])
    #expect(throws: SegmentFiles.Problem.missingFields(segmentID: 3, fields: [100])) {
      try even.check(required: [0, 1, 100])
    }
    let uneven = try files(["files/insert_log/1/2/3/0/1", "files/insert_log/1/2/3/1/2", "files/insert_log/1/2/3/1/3"])
    #expect(throws: SegmentFiles.Problem.unevenFields(segmentID: 3, counts: [0: 1, 1: 2])) {
      try uneven.check(required: [])
    }
    #expect(throws: SegmentFiles.Problem.noInsertLogs(segmentID: 3, rows: 4)) {
      try files([], rows: 4).check(required: [])
    }
    try files([], rows: 0).check(required: [0])
    try files([], rows: 4, level: .l0).check(required: [0])
  }
}

@Suite struct ImportBundleTests {
  private func collection(deletes: Bool = false, stray: Bool = false) -> CollectionBackupInfo {
    func log(_ id: Int64) -> Binlog { Binlog(logPath: "x/\(id)", logSize: 10, logID: id) }
    func segment(_ id: Int64, _ partition: Int64, deltas: Bool = false, inserts: Bool = true) -> SegmentBackupInfo {
      .with {
        $0.segmentID = id
        $0.groupID = id
        $0.partitionID = partition
        $0.numOfRows = 5
        $0.binlogs = inserts ? [FieldBinlog(fieldID: 0, binlogs: [log(id)])] : []
        $0.deltalogs = [FieldBinlog(fieldID: 0, binlogs: deltas ? [log(id + 1)] : [])]
        $0.isL0 = !inserts
      }
    }
    return .with {
      $0.collectionID = 1
      $0.partitionBackups = [
        .with {
          $0.partitionID = 2
          $0.partitionName = "_default"
          $0.segmentBackups = [segment(10, 2), segment(20, 2, deltas: true), segment(30, 2)]
          if deletes { $0.segmentBackups.append(segment(40, 2, deltas: true, inserts: false)) }
        },
        .with {
          $0.partitionID = 3
          $0.partitionName = "p"
          $0.segmentBackups = [segment(50, 3)]
        },
      ]
    }
  }

  @Test func handsOverWholePartitionsWithinTheBound() throws {
    let bundles = ImportBundle.bundles(try ImportPlan(collection()), .partitions(40))
    #expect(bundles.map(\.partitionName) == ["_default", "p"])
    #expect(bundles[0].paths == ["binlogs/insert_log/1/2/", "binlogs/delta_log/1/2/"])
    #expect(bundles[0].rows == 15 && bundles[0].certainRows == 10 && bundles[0].bytes == 40 && bundles[0].objects == 4)
    #expect(bundles[1].paths == ["binlogs/insert_log/1/3/50/", ""])
    #expect(bundles[0].sources.count == 4)
  }

  @Test func handsOverSegmentsOneByOneAboveTheBound() throws {
    let bundles = ImportBundle.bundles(try ImportPlan(collection()), .partitions(39))
    #expect(
      bundles.map { $0.paths[0] } == [10, 20, 30].map { "binlogs/insert_log/1/2/\($0)/" } + [
        "binlogs/insert_log/1/3/50/"
      ])
    #expect(bundles[1].paths[1] == "binlogs/delta_log/1/2/20/")
  }

  @Test func packsCopiesUpToTheBound() throws {
    let bundles = ImportBundle.bundles(try ImportPlan(collection()), .chunks(30))
    #expect(bundles.map { $0.units.flatMap(\.segmentIDs) } == [[10, 20], [30], [50]])
    #expect(bundles[0].paths == ["binlogs/insert_log/1/2/", "binlogs/delta_log/1/2/"])
  }

  @Test func keepsDeletesApartFromWholePartitions() throws {
    let bundles = ImportBundle.bundles(try ImportPlan(collection(deletes: true)), .partitions(1000))
    #expect(bundles.count == 5 && bundles.last?.kind == .deletes)
    #expect(bundles.last?.paths == ["binlogs/delta_log/1/2/40/"])
  }
}

@Suite struct SchemaLineupTests {
  private func schema(_ ids: [Int64], dynamic: Bool = false) -> CollectionSchema {
    .with {
      $0.fields = ids.map { id in
        .with {
          $0.fieldID = id
          $0.name = "f\(id)"
          $0.dataType = .int64
        }
      }
      $0.enableDynamicField = dynamic
    }
  }

  @Test func acceptsOnlyIDsWithoutGaps() {
    #expect(SchemaLineup.problem(creating: schema([101, 100, 102]), canAdd: false) == nil)
    #expect(SchemaLineup.problem(creating: schema([100, 102]), canAdd: false) != nil)
    #expect(SchemaLineup.problem(creating: schema([101, 102]), canAdd: false) != nil)
    #expect(SchemaLineup.problem(creating: schema([]), canAdd: false) != nil)
  }

  @Test func findsLogsThatDoNotFit() {
    let segment = { (fields: [Int64]) -> SegmentBackupInfo in
      .with {
        $0.segmentID = 9
        $0.binlogs = fields.map { FieldBinlog(fieldID: $0, binlogs: [Binlog(logPath: "", logSize: 1, logID: 1)]) }
      }
    }
    #expect(SchemaLineup.problem(of: segment([0, 1, 100]), with: schema([100])) == nil)
    #expect(SchemaLineup.problem(of: segment([0, 1, 100, 101]), with: schema([100], dynamic: true)) == nil)
    #expect(
      SchemaLineup.problem(of: segment([0, 1, 100]), with: schema([100], dynamic: true))?.contains("101") == true)
    #expect(SchemaLineup.problem(of: segment([0, 1, 100, 101]), with: schema([100]))?.contains("101") == true)
    #expect(SchemaLineup.problem(of: segment([1, 100]), with: schema([100]))?.contains("no logs of field 0") == true)
  }

  @Test func findsDifferencesThatWouldMisplaceData() throws {
    let wanted = schema([100, 101])
    let same = MilvusCollectionSchema(wanted, name: "x")
    #expect(SchemaLineup.difference(between: wanted, and: same) == nil)
    func differs(_ change: (inout MilvusCollectionSchema) -> Void) -> Bool {
      var other = same
      change(&other)
      return SchemaLineup.difference(between: wanted, and: other) != nil
    }
    #expect(differs { $0.enableDynamicField = true })
    #expect(differs { $0.fields[0].fieldID = 102 })
    #expect(differs { $0.fields[0].dataType = .int32 })
    #expect(differs { $0.fields[0].elementType = .int32 })
    #expect(differs { $0.fields[0].isPrimaryKey = true })
    #expect(differs { $0.fields[0].isPartitionKey = true })
    #expect(differs { $0.fields[0].typeParams = [MilvusKeyValue(key: "dim", value: "4")] })
    #expect(differs { $0.fields.removeLast() })
    #expect(differs { $0.fields.append(MilvusFieldSchema(fieldID: 102, name: "g", dataType: .int64)) })
    #expect(!differs { $0.description = "other" })
  }
}

@Suite struct RowAccountTests {
  @Test(arguments: [
    (100, 100, 100, true), (100, 100, 99, false), (100, 100, 101, false), (100, 60, 60, true), (100, 60, 59, false),
    (100, 60, 100, true), (100, 60, 101, false), (50, 0, 0, true), (0, 0, 0, true),
  ])
  func allowsDeletesToExplainOnlyWhatTheyCan(saved: Int64, certain: Int64, restored: Int64, isRight: Bool) {
    #expect((RowAccount(saved: saved, certain: certain, restored: restored).problem == nil) == isRight)
  }
}

@Suite struct IndexRecipeTests {
  private func index(_ name: String, _ params: StringMap) -> IndexInfo {
    .with {
      $0.fieldName = "f"
      $0.indexName = name
      $0.indexType = params["index_type"] ?? "HNSW"
      $0.params = params
    }
  }

  @Test func givesBackAllParameters() {
    let recipe = IndexRecipe(
      index("v idx", ["index_type": "IVF_FLAT", "metric_type": "L2", "params": #"{"nlist":128}"#]), isVector: true,
      useAutoIndex: false)
    #expect(recipe.name == "v idx" && recipe.params.count == 3)
    #expect(recipe.params.value(forKey: "params") == #"{"nlist":128}"#)
    #expect(
      IndexRecipe(index("i", ["metric_type": "L2"]), isVector: true, useAutoIndex: false).params
        .value(forKey: "index_type") == "HNSW")
  }

  @Test func leavesTheTypeOfVectorIndexesToMilvusWhenAskedTo() {
    let vector = index("v", ["index_type": "HNSW", "metric_type": "IP", "M": "8"])
    #expect(
      IndexRecipe(vector, isVector: true, useAutoIndex: true).params == [
        MilvusKeyValue(key: "index_type", value: "AUTOINDEX"), MilvusKeyValue(key: "metric_type", value: "IP"),
      ])
    let scalar = index("s", ["index_type": "STL_SORT"])
    #expect(IndexRecipe(scalar, isVector: false, useAutoIndex: true).params.value(forKey: "index_type") == "STL_SORT")
  }

  @Test func translatesWhatMilvusDoesNotTakeBack() {
    let recipe = IndexRecipe(index("a/b", ["index_type": "marisa-trie"]), isVector: false, useAutoIndex: false)
    #expect(recipe.params.value(forKey: "index_type") == "Trie" && recipe.name.isEmpty)
  }
}

@Suite struct JobProgressTests {
  @Test func percentFollowsBytesWithinThePhaseAndNeverGoesBack() {
    let progress = JobProgress()
    progress.enter("copying", percent: 10...90)
    #expect(progress.snapshot.percent == 10)
    progress.expect(bytes: 100)
    progress.add(bytes: 50)
    #expect(progress.snapshot.percent == 50)
    progress.add(bytes: -30)
    #expect(progress.snapshot.percent == 50 && progress.snapshot.bytesDone == 20)
    progress.add(bytes: 80)
    #expect(progress.snapshot.percent == 90)
    progress.enter("writing", percent: 99...100)
    #expect(progress.snapshot.percent == 99 && progress.snapshot.phase == "writing")
    progress.finish()
    #expect(progress.snapshot.percent == 100 && progress.snapshot.phase == "done")
  }

  @Test func keepsAWarningOnce() {
    let progress = JobProgress()
    progress.warn("a")
    progress.warn("b")
    progress.warn("a")
    #expect(progress.snapshot.warnings == ["a", "b"])
  }
}

@Suite struct WordingTests {
  @Test func writesNumbersInGroups() {
    #expect([0, 7, 999, 1000, 19997, 1_234_567].map(\.grouped) == ["0", "7", "999", "1,000", "19,997", "1,234,567"])
    #expect((-1234).grouped == "-1,234")
    #expect(1.counted("row") == "1 row" && 2000.counted("row") == "2,000 rows")
  }

  @Test func shortensLists() {
    #expect(["a", "b"].listed() == "a, b")
    #expect((1...8).listed() == "1, 2, 3, 4, 5 and 3 more")
  }

  @Test func namesBackupsByTime() {
    #expect(UTCTime(secondsSince1970: 0, nanosecond: 42).backupName == "backup_1970_01_01_00_00_00_42")
    #expect(UTCTime(secondsSince1970: 1_769_850_300).iso8601 == "2026-01-31T09:05:00Z")
  }

  @Test func errorsKeepThePlaceAndEndInFullStops() {
    let location = StoreLocation(provider: "s3", endpoint: "http://h:1", bucket: "b")
    let store = EngineError(
      StoreError(.noSpace, operation: "PutObject", key: "k", location: location, reason: "full"), during: "Copying x")
    #expect(store.code == .noSpace)
    #expect(store.description == "Copying x failed: PutObject of k in bucket b at http://h:1 failed: full.")
    let milvus = EngineError(
      MilvusError(code: .permission, call: "Flush", server: "m:1", reason: "no"), during: "Flushing x")
    #expect(milvus.code == .accessDenied && milvus.message.contains("m:1") && milvus.message.hasSuffix("."))
    let cancelled = EngineError(CancellationError(), during: "Copying x")
    #expect(cancelled.code == .cancelled && cancelled.message == "Copying x was cancelled.")
    // What was told already is not told again.
    #expect(EngineError(store, during: "Making y").message == store.message)
  }

  @Test(arguments: [
    (StoreError.Code.notFound, EngineError.Code.notFound), (.credentialsExpired, .accessDenied),
    (.connectionLost, .unreachable), (.timedOut, .timedOut), (.throttled, .store), (.tooLarge, .unsupported),
  ])
  func translatesCodesOfStores(code: StoreError.Code, expected: EngineError.Code) {
    #expect(EngineError.Code(code) == expected)
  }
}
