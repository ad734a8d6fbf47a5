// What a restore brings back beside the rows, when it is asked to.

import BackupFormat
import ObjectStore
import Synchronization
import Testing

@testable import BackupEngine
@testable import MilvusClient

@Suite struct RestoreOptionTests {
  /// The metadata of `bk`, changed.
  private func edit(_ bed: Bed, _ change: (inout BackupInfo) -> Void) async throws {
    var info = try await bed.info("bk")
    change(&info)
    try await bed.bucket.put("backup/bk/meta/full_meta.json", MetaFiles.encode(.full, of: info), condition: .none)
  }

  @Test func loadsWhatWasLoaded() async throws {
    let bed = try await Bed.withBackup(shared: true)
    try await bed.restore(
      RestoreRequest(backup: "bk", newName: "coll_bak", rebuildIndex: true, restoresLoadState: true))
    #expect(bed.milvus[.restored]?.loadState == .loaded && bed.rows() == 297)
    #expect(bed.milvus.count("LoadPartitions") == 0)
  }

  @Test func loadsOnlyThePartitionsThatWereLoaded() async throws {
    let bed = try await Bed.withBackup(shared: true)
    try await edit(bed) { info in
      info.collectionBackups[0].partitionBackups[0].loadState = "NotLoad"
      info.collectionBackups[0].partitionBackups[1].loadState = "Loaded"
    }
    try await bed.restore(
      RestoreRequest(backup: "bk", newName: "coll_bak", rebuildIndex: true, restoresLoadState: true))
    #expect(bed.milvus[.restored]?.loadedPartitions == ["p1"] && bed.milvus.count("LoadCollection") == 0)
  }

  @Test(arguments: ["NotLoad", "NotExist", ""])
  func loadsNothingThatWasNotLoaded(state: String) async throws {
    let bed = try await Bed.withBackup(shared: true)
    try await edit(bed) { info in
      info.collectionBackups[0].loadState = state
      for index in info.collectionBackups[0].partitionBackups.indices {
        info.collectionBackups[0].partitionBackups[index].loadState = state
      }
    }
    try await bed.restore(
      RestoreRequest(backup: "bk", newName: "coll_bak", rebuildIndex: true, restoresLoadState: true))
    #expect(bed.milvus.count("LoadCollection") + bed.milvus.count("LoadPartitions") == 0)
  }

  @Test(arguments: [0, 1])
  func rowsThatNoQueryFindsAreMissing(partition: Int) async throws {
    let bed = try await Bed.withBackup(shared: true)
    try await edit(bed) { info in
      info.collectionBackups[0].properties = []
      info.collectionBackups[0].schema?.properties = []
      if partition == 1 { info.collectionBackups[0].partitionBackups[0].loadState = "NotLoad" }
    }
    bed.milvus.faults.withLock { $0.queryableRows = { $0 - 1 } }
    let error = try await #require(throws: EngineError.self) {
      try await bed.restore(
        RestoreRequest(backup: "bk", newName: "coll_bak", rebuildIndex: true, restoresLoadState: true))
    }
    #expect(error.code == .rowsMissing && error.message.contains("queries find only"), "\(error)")
    #expect(error.aftermath.contains("was dropped again") && bed.milvus[.restored] == nil)
  }

  @Test func rowsWhoseTimeIsOverAreNotAskedFor() async throws {
    let bed = try await Bed.withBackup(shared: true)
    #expect(try await bed.info("bk").collectionBackups[0].properties.map(\.key) == ["collection.ttl.seconds"])
    bed.milvus.faults.withLock { $0.queryableRows = { _ in 0 } }
    try await bed.restore(
      RestoreRequest(backup: "bk", newName: "coll_bak", rebuildIndex: true, restoresLoadState: true))
    #expect(bed.milvus[.restored]?.loadState == .loaded)
  }

  @Test func keepsTheRowsWhenLoadingFails() async throws {
    let bed = try await Bed.withBackup(shared: true)
    bed.milvus.faults.withLock {
      $0.before = { call throws(MilvusError) in
        if call == "LoadCollection" {
          throw MilvusError(code: .server, call: call, server: "milvus:19530", reason: "out of memory")
        }
      }
    }
    let error = try await #require(throws: EngineError.self) {
      try await bed.restore(
        RestoreRequest(backup: "bk", newName: "coll_bak", rebuildIndex: true, restoresLoadState: true))
    }
    #expect(error.message.contains("Loading default.coll_bak failed") && error.message.contains("out of memory"))
    #expect(error.aftermath.contains("Completely restored and kept: default.coll_bak"))
    #expect(bed.rows() == 297)
  }

  @Test func givesUpOnACollectionThatIsNeverLoaded() async throws {
    let bed = try await Bed.withBackup(shared: true, limits: EngineLimits(loadPatience: 0.02))
    let milvus = bed.milvus
    milvus.faults.withLock {
      $0.before = { call throws(MilvusError) in
        guard call == "GetLoadState" else { return }
        milvus.state.withLock { $0.collections["default"]?["coll_bak"]?.loadState = .loading }
      }
    }
    let error = try await #require(throws: EngineError.self) {
      try await bed.restore(
        RestoreRequest(backup: "bk", newName: "coll_bak", rebuildIndex: true, restoresLoadState: true))
    }
    #expect(error.code == .timedOut && error.message.contains("has not loaded default.coll_bak"))
  }

  @Test func givesAliasesBackOnlyWhenAskedTo() async throws {
    let bed = try await Bed.withBackup(shared: true)
    try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    #expect(bed.milvus[.restored]?.aliases == [])
    try await bed.restore(RestoreRequest(backup: "bk", newName: "second", restoresAliases: true))
    #expect(bed.milvus[CollectionName(collection: "second")]?.aliases == ["other"])
  }

  @Test func refusesAnAliasThatIsTaken() async throws {
    let bed = try await Bed.withBackup(shared: true)
    try await bed.milvus.createCollection(.coll(named: "other"), in: "default")
    let error = try await #require(throws: EngineError.self) {
      try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak", restoresAliases: true))
    }
    #expect(error.code == .alreadyExists && error.message.contains("The alias other"))
    #expect(bed.milvus[.restored] == nil)
  }

  @Test func refusesATargetThatIsAnAlias() async throws {
    let bed = try await Bed.withBackup(shared: true)
    try await bed.milvus.createCollection(.coll(named: "third"), in: "default")
    try await bed.milvus.createAlias("coll_bak", for: "third", in: "default")
    for request in [
      RestoreRequest(backup: "bk", newName: "coll_bak"),
      RestoreRequest(backup: "bk", newName: "coll_bak", dropExistingCollection: true),
    ] {
      let error = try await #require(throws: EngineError.self) { try await bed.restore(request) }
      #expect(error.code == .alreadyExists && error.message.contains("is an alias of the collection third"))
    }
    #expect(bed.milvus[CollectionName(collection: "third")] != nil)
  }

  @Test func dropsACollectionWithItsAliasesAndGivesThemBack() async throws {
    let bed = try await Bed.withBackup(shared: true)
    try await bed.restore(RestoreRequest(backup: "bk", restoresAliases: true))
    let old = try #require(bed.milvus[.coll])
    #expect(old.aliases == ["other"])
    try await bed.restore(RestoreRequest(backup: "bk", dropExistingCollection: true, restoresAliases: true))
    #expect(bed.milvus[.coll]?.id != old.id && bed.milvus[.coll]?.aliases == ["other"] && bed.rows(.coll) == 297)
  }

  @Test func replacesTheIndexesOfAnExistingCollection() async throws {
    let bed = try await Bed.withBackup(shared: true)
    try await bed.milvus.createCollection(.coll(named: "coll"), in: "default")
    let flat = [MilvusKeyValue(key: "index_type", value: "FLAT"), MilvusKeyValue(key: "metric_type", value: "IP")]
    try await bed.milvus.createIndex(named: "old", on: "v", of: "coll", in: "default", params: flat)
    try await bed.restore(
      RestoreRequest(backup: "bk", rebuildIndex: true, skipCreateCollection: true, dropExistingIndex: true))
    #expect(bed.milvus[.coll]?.indexes.map(\.indexName) == ["v"])
    #expect(bed.milvus[.coll]?.indexes.first?.params.value(forKey: "index_type") == "IVF_FLAT")
  }

  @Test func createsDatabasesWithTheirProperties() async throws {
    let limit = KeyValuePair(key: "database.max.collections", value: "7")
    for (version, expected) in [("v2.5.4", [MilvusKeyValue(limit)]), ("v2.3.5", [])] {
      let source = Bed(name: "source")
      try await source.milvus.createDatabase("db1", properties: [])
      try await source.fill(CollectionName(database: "db1", collection: "coll"))
      try await source.create()
      let bed = Bed(shared: true, version: version, name: "target")
      try await source.transfer("bk", to: bed)
      try await edit(bed) { info in
        for index in info.databaseBackups.indices where info.databaseBackups[index].dbName == "db1" {
          info.databaseBackups[index].properties = [limit]
        }
      }
      try await bed.restore(RestoreRequest(backup: "bk", renames: try RenameRules(parsing: "db1.*:db2.*")))
      #expect(bed.milvus.state.withLock { $0.databaseProperties["db2"] } == expected)
    }
  }

  private static let saved = RBACMeta.with { meta in
    meta.users = [
      .with {
        $0.user = "root"
        $0.password = "hash of root"
      },
      .with {
        $0.user = "ann"
        $0.password = "hash of ann"
        $0.roles = [RoleEntity(name: "reader")]
      },
    ]
    meta.roles = [RoleEntity(name: "admin"), RoleEntity(name: "reader")]
    meta.grants = [
      .with {
        $0.role = RoleEntity(name: "reader")
        $0.object = ObjectEntity(name: "Collection")
        $0.objectName = "*"
        $0.dbName = "default"
        $0.grantor = .with {
          $0.user = UserEntity(name: "root")
          $0.privilege = PrivilegeEntity(name: "Search")
        }
      }
    ]
  }

  @Test func bringsBackUsersAndRolesThatAreMissing() async throws {
    let bed = Bed(shared: true, version: "v2.5.4")
    try await bed.fill()
    try await bed.create()
    try await edit(bed) { $0.rbacMeta = Self.saved }
    bed.milvus.state.withLock {
      $0.accessControl.users = [.init(name: "root", passwordHash: "another", roles: ["admin"])]
      $0.accessControl.roles = ["admin"]
    }
    for name in ["first", "second"] {
      try await bed.restore(RestoreRequest(backup: "bk", newName: name, restoresAccessControl: true))
      let now = bed.milvus.state.withLock { $0.accessControl }
      #expect(now.users.map(\.name) == ["root", "ann"] && now.users.map(\.passwordHash) == ["another", "hash of ann"])
      #expect(now.users[1].roles == ["reader"] && now.roles == ["admin", "reader"])
      #expect(now.grants.map(\.privilege) == ["Search"] && now.grants.map(\.role) == ["reader"])
    }
    #expect(bed.milvus.count("RestoreRBAC") == 1)
  }

  @Test func refusesUsersAndRolesThatAreNotThere() async throws {
    let bed = try await Bed.withBackup(shared: true)
    let request = RestoreRequest(backup: "bk", newName: "coll_bak", restoresAccessControl: true)
    let absent = try await #require(throws: EngineError.self) { try await bed.restore(request) }
    #expect(absent.code == .notFound && absent.message.contains("--rbac"))
    try await edit(bed) { $0.rbacMeta = Self.saved }
    let old = try await #require(throws: EngineError.self) { try await bed.restore(request) }
    #expect(old.code == .unsupported && old.message.contains("2.4 or later") && !"\(old)".contains("hash"))
    #expect(bed.milvus[.restored] == nil)
  }

  @Test(arguments: [true, false])
  func aDryRunTellsEverythingAndDoesNothing(shared: Bool) async throws {
    let bed = try await Bed.withBackup(shared: shared)
    let before = try await bed.milvusKeys("")
    let progress = JobProgress()
    let report = try await bed.restore(
      RestoreRequest(
        backup: "bk", newName: "db7.coll_bak", rebuildIndex: true, restoresLoadState: true, restoresAliases: true,
        dryRun: true), progress)
    #expect(report.summary.contains("Nothing was changed"))
    let text = progress.snapshot.lines.joined(separator: "\n")
    for part in [
      "300 rows before deletes, 25 objects", "CreateDatabase db7", "CreateCollection db7.coll_bak: 3 fields, 2 shards",
      "partitions: _default, p1", "CreateIndex v on v", "Import into partition p1, 150 rows",
      shared ? "backup/bk/binlogs/insert_log/" : "files/restore-temp-", "CreateAlias other", "LoadCollection",
    ] {
      #expect(text.contains(part), "\(part) is missing in:\n\(text)")
    }
    let changing = ["CreateDatabase", "CreateCollection", "CreateIndex", "Import", "CreateAlias", "LoadCollection"]
    #expect(changing.allSatisfy { bed.milvus.count($0) == 0 })
    #expect(try await bed.milvusKeys("") == before)
  }

  @Test func addsFieldsBehindTheDynamicField() async throws {
    let source = Bed(version: "v2.6.2", name: "source")
    try await source.fill()
    // As if it had been added later: 103 is the dynamic field.
    var late = MilvusFieldSchema(name: "late", dataType: .int64)
    late.nullable = true
    try await source.milvus.addCollectionField(late, to: "coll", in: "default")
    try await source.milvus.addSegment(to: .coll, rows: 5)
    try await source.create()
    let info = try await source.info("bk")
    #expect(info.collectionBackups[0].schema?.fields.map(\.fieldID) == [100, 101, 102, 104])
    let bed = Bed(shared: true, version: "v2.6.2", name: "target")
    try await source.transfer("bk", to: bed)
    try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak", metaOnly: true))
    let schema = try #require(bed.milvus[.restored]).spec.schema
    #expect(schema.fields.map(\.fieldID) == [100, 101, 102, 104] && schema.fields.last?.name == "late")
  }

  @Test func switchesTheCheckOfFunctionsOffWhileItCreatesThem() async throws {
    let bed = try await Bed.withBackup(shared: true, version: "v2.6.9")
    try await edit(bed) { info in
      info.collectionBackups[0].schema?.functions = [.with { $0.name = "embed" }]
    }
    let seen = Mutex<[MilvusKeyValue]>([])
    let milvus = bed.milvus
    milvus.faults.withLock {
      $0.before = { call throws(MilvusError) in
        if call == "AlterCollection" { seen.withLock { $0 = milvus[.restored]?.spec.properties ?? [] } }
      }
    }
    try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak", metaOnly: true))
    #expect(seen.withLock { $0.value(forKey: "disable_func_runtime_check") } == "true")
    let properties = try #require(milvus[.restored]).spec.properties
    #expect(properties.value(forKey: "disable_func_runtime_check") == "false")
    #expect(properties.value(forKey: "collection.ttl.seconds") == "3600")
  }

  @Test func oneCollectionThatFailsDoesNotKeepTheOthers() async throws {
    let source = Bed(name: "source")
    for name in ["a", "b", "c", "d"] { try await source.fill(CollectionName(collection: name)) }
    try await source.create()
    let bed = Bed(shared: true, name: "target")
    try await source.transfer("bk", to: bed)
    let lost = bed.milvus
    lost.faults.withLock { faults in
      faults.importedRows = { rows in
        // The collections are created in order; those of b lose a row.
        let current = lost.state.withLock { $0.imports.count }
        return (2..<4).contains(current) ? rows - 1 : rows
      }
    }
    let limits = EngineLimits(importsInFlight: 1)
    var context = bed.context
    context.limits = limits
    context.limits.collectionsInFlight = 1
    let plan = try await RestoreJob.prepare(
      context, RestoreRequest(backup: "bk", renames: try RenameRules(suffix: "_bak")))
    let progress = JobProgress()
    let error = try await #require(throws: EngineError.self) { try await RestoreJob.run(plan, progress) }
    #expect(error.code == .rowsMissing && error.message.contains("default.b_bak"))
    #expect(error.aftermath.contains("default.b_bak, which this restore had created, was dropped again"))
    for name in ["a_bak", "c_bak", "d_bak"] { #expect(bed.rows(CollectionName(collection: name)) == 297) }
    #expect(bed.milvus[CollectionName(collection: "b_bak")] == nil)
    #expect(progress.snapshot.warnings.contains { $0.contains("default.b_bak was not restored") })
  }

  @Test func aShortfallNamesThePartition() async throws {
    let bed = try await Bed.withBackup(shared: true)
    bed.milvus.faults.withLock { $0.importedRows = { $0 == 150 ? 120 : $0 } }
    let error = try await #require(throws: EngineError.self) {
      try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak"))
    }
    #expect(error.code == .rowsMissing && error.message.contains("120 of 150 in the partition p1"))
    #expect(!error.message.contains("_default"))
  }
}
