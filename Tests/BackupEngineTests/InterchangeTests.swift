// Backups written here, read by the checklist of the format's description (section 10), to the letter.

import BackupFormat
import ObjectStore
import Synchronization
import Testing

@testable import BackupEngine
@testable import MilvusClient

@Suite struct InterchangeTests {
  /// What the checklist needs of a backup: each metadata file as JSON, and the keys of the objects.
  private struct Read {
    var backup, collections, partitions, segments, full: JSON
    var keys: Set<String>
  }

  private func read(_ bed: Bed, _ name: String = "bk") async throws -> Read {
    var reader = OfficialReader()
    var files: [JSON] = []
    for (file, message) in [
      ("backup", "BackupInfo"), ("collection", "Collections"), ("partition", "Partitions"), ("segment", "Segments"),
      ("full", "BackupInfo"),
    ] {
      let key = ObjectKey("backup/\(name)/meta/\(file)_meta.json")
      let bytes = try await bed.bucket.get(key, range: nil, version: nil).bytes
      let value = reader.read(bytes, as: message, file: file)
      files.append(try #require(value))
    }
    #expect(reader.problems.isEmpty, "\(reader.problems)")
    let prefix = "backup/\(name)/"
    let keys = try await bed.backupKeys(prefix).map { String($0.dropFirst(prefix.count)) }
    return Read(
      backup: files[0], collections: files[1], partitions: files[2], segments: files[3], full: files[4],
      keys: Set(keys.filter { !$0.hasPrefix("meta/") }))
  }

  /// A server with all kinds of segments, an empty partition, an empty collection and a second database.
  private func bed(version: String) async throws -> Bed {
    let bed = Bed(version: version)
    try await bed.fill()
    try await bed.milvus.createPartition("empty", of: "coll", in: "default")
    try await bed.milvus.createDatabase("db1", properties: [])
    try await bed.milvus.createDatabase("bare", properties: [])
    try await bed.milvus.createCollection(.coll(named: "nothing"), in: "db1")
    guard ServerVersion(reported: version) >= ServerVersion(2, 4, 0) else { return bed }
    let collection = try #require(bed.milvus[.coll])
    for (id, partition) in [(Int64(7001), Int64(-1)), (7002, collection.partitions[0].partitionID)] {
      let key = "files/delta_log/\(collection.id)/\(partition)/\(id)/\(id + 5)"
      try await bed.milvus.store.put(ObjectKey(key), Array("deletes 4".utf8), condition: .none)
      bed.milvus.state.withLock {
        $0.collections["default"]?["coll"]?.segments.append(
          SegmentInfo(
            segmentID: id, collectionID: collection.id, partitionID: partition, numOfRows: 4, state: .flushed,
            level: .l0, isSorted: false, storageVersion: 0))
      }
    }
    return bed
  }

  /// The objects that a reader derives from the ids in full_meta.json alone.
  private func derived(_ full: JSON) -> Set<String> {
    var keys: Set<String> = []
    func add(_ segment: JSON, _ place: String) {
      let id = segment["segment_id"]?.number ?? 0
      let group = segment["group_id"]?.number.map { "/\($0)" } ?? ""
      for field in segment["binlogs"]?.items ?? [] {
        for log in field["binlogs"]?.items ?? [] {
          let name = "\(field["fieldID"]?.number ?? 0)/\(log["log_id"]?.number ?? 0)"
          keys.insert("binlogs/insert_log/\(place)\(group)/\(id)/\(name)")
        }
      }
      for log in (segment["deltalogs"]?.items ?? []).flatMap({ $0["binlogs"]?.items ?? [] }) {
        keys.insert("binlogs/delta_log/\(place)\(group)/\(id)/\(log["log_id"]?.number ?? 0)")
      }
    }
    for collection in full["collection_backups"]?.items ?? [] {
      let id = collection["collection_id"]?.number ?? 0
      for partition in collection["partition_backups"]?.items ?? [] {
        for segment in partition["segment_backups"]?.items ?? [] {
          add(segment, "\(id)/\(partition["partition_id"]?.number ?? 0)")
        }
      }
      for segment in collection["l0_segments"]?.items ?? [] { add(segment, "\(id)/-1") }
    }
    return keys
  }

  private func segments(_ full: JSON) -> [JSON] {
    (full["collection_backups"]?.items ?? []).flatMap { $0["partition_backups"]?.items ?? [] }
      .flatMap { $0["segment_backups"]?.items ?? [] }
  }

  @Test(arguments: ["v2.3.5", "v2.4.5", "v2.6.11"])
  func theChecklistHolds(version: String) async throws {
    let bed = try await bed(version: version)
    try await bed.create()
    let read = try await read(bed)
    let collections = read.full["collection_backups"]?.items ?? []

    // 1: the layout, derived from ids, and nothing beside it.
    #expect(read.keys == derived(read.full) && !read.keys.isEmpty)
    #expect(segments(read.full).allSatisfy { $0["group_id"] == $0["segment_id"] && $0["group_id"] != nil })
    // 2: the levels hold what they must, and no more.
    #expect(read.backup.keys == ["id", "state_code", "name", "size", "milvus_version"])
    #expect(read.backup["id"] == read.full["id"] && read.backup["size"] == read.full["size"])
    #expect(read.collections["infos"]?.items.count == 2)
    for collection in read.collections["infos"]?.items ?? [] {
      #expect(collection["l0_segments"] == nil && collection["partition_backups"]?.items.isEmpty == false)
      #expect((collection["partition_backups"]?.items ?? []).allSatisfy { $0["segment_backups"] == nil })
    }
    #expect((read.partitions["infos"]?.items ?? []).allSatisfy { $0["segment_backups"] == nil })
    #expect(read.segments["infos"]?.items == segments(read.full))
    // 3 and 12: the name, one directory directly below the root and nothing else there.
    #expect(read.full["name"]?.string?.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]{0,127}/) != nil)
    #expect(try await bed.backupKeys("backup/").allSatisfy { $0.hasPrefix("backup/bk/") })
    // 4: each partition has its name, empty ones too.
    let coll = try #require(collections.first { $0["collection_name"] == .text("coll") })
    let partitions = coll["partition_backups"]?.items ?? []
    #expect(partitions.compactMap { $0["partition_name"]?.string } == ["_default", "p1", "empty"])
    #expect(partitions.last?["segment_backups"] == nil && partitions.last?["size"] == .int(0))
    // 5: fields in order with their ids, no dynamic field, properties at both places.
    let schema = try #require(coll["schema"])
    let fields = schema["fields"]?.items ?? []
    #expect(fields.compactMap { $0["fieldID"]?.number } == [100, 101, 102])
    #expect(fields.allSatisfy { $0["is_dynamic"] == nil } && schema["enable_dynamic_field"] == .bool(true))
    #expect(schema["properties"] == coll["properties"] && coll["properties"]?.items.isEmpty == false)
    // 6: default values.
    #expect(fields[1]["default_value_base64"] == .text("MgFh"))
    // 7: what an index is built from.
    #expect(coll["has_index"] == .bool(true) && collections.contains { $0["has_index"] == .bool(false) })
    for index in coll["index_infos"]?.items ?? [] {
      #expect(index["params"]?["index_type"] != nil && index["params"]?["metric_type"] != nil)
    }
    // 8: no storage version, and no time that old readers would take for a limit.
    #expect(segments(read.full).allSatisfy { $0["storage_version"] == nil })
    #expect(coll["channel_checkpoints"] == nil && coll["backup_timestamp"] == nil)
    #expect(read.full["backup_timestamp"] == nil && read.full["format"] == nil)
    // 9: deletes.
    let wide = coll["l0_segments"]?.items ?? []
    let narrow = segments(read.full).filter { $0["is_l0"] == .bool(true) }
    #expect((wide + narrow).allSatisfy { $0["binlogs"] == nil })
    #expect((wide + narrow).allSatisfy { $0["deltalogs"]?.items.first?["binlogs"]?.items.count == 1 })
    #expect(wide.allSatisfy { $0["partition_id"] == .int(-1) && $0["group_id"] == nil && $0["is_l0"] == .bool(true) })
    let hasL0 = version != "v2.3.5"
    #expect(wide.count == (hasL0 ? 1 : 0) && narrow.count == (hasL0 ? 1 : 0))
    // 10: every database.
    #expect(
      (read.full["database_backups"]?.items ?? []).compactMap { $0["db_name"]?.string } == ["bare", "db1", "default"])
    #expect(collections.compactMap { $0["db_name"]?.string } == ["db1", "default"])
  }

  @Test func thePackedStorageVersionAndChannelsAreTold() async throws {
    var bed = try await bed(version: "v2.6.11")
    bed.milvus.state.withLock { state in
      for index in 0..<3 { state.collections["default"]?["coll"]?.segments[index].storageVersion = 2 }
    }
    bed.context.rest = FakeREST(bed.milvus).rest
    bed.milvus.setUpAccessControl()
    try await bed.create(CreateRequest(name: "bk", strategy: .bulkFlush, rbac: true))
    let read = try await read(bed)
    #expect(segments(read.full).filter { $0["storage_version"] == .int(2) }.count == 3)
    #expect(segments(read.full).allSatisfy { $0["v_channel"]?.string?.hasPrefix("dml_0_") == true })
    #expect(read.full["rbac_meta"]?["users"]?.items.count == 1 && read.backup["rbac_meta"] == nil)
    #expect(read.full["flush_all_msgs_base64"]?["dml_0"] == .text("CAE="))
    #expect(read.backup.keys == ["id", "state_code", "name", "size", "milvus_version"])
  }

  @Test func aBackupOfNothingHasItsFilesNevertheless() async throws {
    let bed = Bed()
    try await bed.create()
    let read = try await read(bed)
    #expect(read.collections.keys.isEmpty && read.partitions.keys.isEmpty && read.segments.keys.isEmpty)
    #expect(read.full["size"] == .int(0) && read.full["collection_backups"] == nil && read.keys.isEmpty)
  }

  /// Every type of the enumeration, and one that is not in it yet.
  private static let types: [Int32] = [
    1, 2, 3, 4, 5, 10, 11, 20, 21, 22, 23, 24, 25, 26, 100, 101, 102, 103, 104, 105, 106, 200, 201, 999,
  ]

  @Test func everyKindOfFieldPassesUnchanged() async throws {
    func pair(_ key: String, _ value: String) -> MilvusKeyValue { MilvusKeyValue(key: key, value: value) }
    var fields = [MilvusFieldSchema(fieldID: 100, name: "pk", isPrimaryKey: true, dataType: .int64, autoID: true)]
    for (index, type) in Self.types.enumerated() {
      fields.append(
        MilvusFieldSchema(
          fieldID: 101 + Int64(index), name: "f\(type)", description: "<of> type & \(type)",
          dataType: MilvusDataType(rawValue: type), typeParams: [pair("dim", "8"), pair("max_length", "64")],
          indexParams: [pair("mmap.enabled", "true")],
          elementType: type == 22 ? .varChar : type == 106 ? .floatVector : .none,
          defaultValue: type < 100 ? [0x10, UInt8(type)] : nil, isPartitionKey: type == 21, nullable: type % 2 == 0,
          isFunctionOutput: type == 104))
    }
    let inner = [
      MilvusFieldSchema(fieldID: 301, name: "a", dataType: .array, elementType: .int64),
      MilvusFieldSchema(
        fieldID: 302, name: "v", dataType: .arrayOfVector, typeParams: [pair("dim", "4")], elementType: .floatVector),
    ]
    let schema = MilvusCollectionSchema(
      name: "all", description: "d", autoID: true, fields: fields, enableDynamicField: true,
      properties: [pair("mmap.enabled", "true")],
      functions: [
        MilvusFunctionSchema(
          name: "bm25", id: 1, description: "d", type: 1, inputFieldNames: ["f21"], inputFieldIDs: [109],
          outputFieldNames: ["f104"], outputFieldIDs: [119], params: [pair("k", "v")])
      ],
      structArrayFields: [MilvusStructArrayFieldSchema(fieldID: 300, name: "s", description: "d", fields: inner)])
    let saved = CollectionSchema(schema, properties: schema.properties)
    // Through the file and back.
    let info = BackupInfo.with {
      $0.collectionBackups = [.with { $0.schema = saved }]
    }
    let bytes = MetaFiles.encode(.full, of: info)
    var reader = OfficialReader()
    _ = reader.read(bytes, as: "BackupInfo", file: "full")
    #expect(reader.problems.isEmpty, "\(reader.problems)")
    let read = try #require(try MetaFiles.decodeBackupInfo(.full, bytes).collectionBackups.first?.schema)
    #expect(MilvusCollectionSchema(read, name: "all") == schema)
  }
}
