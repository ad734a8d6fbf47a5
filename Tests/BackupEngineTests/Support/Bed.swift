// One Milvus with its bucket and a bucket for backups, ready for jobs.

import BackupFormat
import Logging
import ObjectStore

import Synchronization

@testable import BackupEngine
@testable import MilvusClient

struct Bed: Sendable {
  let milvus: FakeMilvus
  /// What the jobs see of Milvus' bucket.
  let objects: FaultStore
  /// What the jobs see of the backup bucket.
  let backups: FaultStore
  /// The backup bucket itself.
  let bucket: MemoryStore
  var context: EngineContext

  /// - Parameter shared: whether backups lie in Milvus' own bucket.
  init(
    shared: Bool = false, version: String = "v2.3.5", service: MemoryService = MemoryService(name: "mem"),
    name: String = "a", limits: EngineLimits = EngineLimits()
  ) {
    let milvusBucket = MemoryStore(service: service, bucket: "milvus-\(name)")
    let bucket =
      shared ? milvusBucket : MemoryStore(service: MemoryService(name: "elsewhere-\(name)"), bucket: "backups")
    milvus = FakeMilvus(store: milvusBucket, version: version)
    objects = FaultStore(milvusBucket)
    backups = FaultStore(bucket)
    self.bucket = bucket
    var limits = limits
    limits.undoPatience = min(limits.undoPatience, 5)
    context = EngineContext(
      storeName: "milvus_\(name)", backups: backups, backupRoot: "/backup/", milvusObjects: objects,
      milvusRoot: "files",
      milvus: MilvusEndpoint(host: "milvus", port: 19530), limits: limits,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    context.milvusConnector = milvus
    context.pace = Pace(
      importPoll: 0.001...0.002, flushPoll: 0.001...0.002, reread: 0.001, statistics: 0.02)
  }

  /// All keys of the backup bucket.
  func backupKeys(_ prefix: String = "") async throws -> [String] {
    try await bucket.listAll(ObjectKey(prefix)).map(\.key.string)
  }

  /// All keys of Milvus' bucket.
  func milvusKeys(_ prefix: String) async throws -> [String] {
    try await milvus.store.listAll(ObjectKey(prefix)).map(\.key.string)
  }

  /// The metadata of a backup as it was written.
  func info(_ name: String) async throws -> BackupInfo {
    let bytes = try await bucket.get(ObjectKey("backup/\(name)/meta/full_meta.json"), range: nil, version: nil).bytes
    return try MetaFiles.decode([.full: bytes]).info
  }

  /// Copies a backup to another bed's bucket, as `cp -r` would.
  func transfer(_ name: String, to other: Bed) async throws {
    for object in try await bucket.listAll(ObjectKey("backup/\(name)/")) {
      let bytes = try await bucket.get(object.key, range: nil, version: nil).bytes
      try await other.bucket.put(object.key, bytes, condition: .none)
    }
  }

  /// Two partitions, three segments, one of them with deletes: 300 rows saved, 297 alive.
  func fill(_ name: CollectionName = .coll, dynamic: Bool = true) async throws {
    try await milvus.createCollection(.coll(named: name.collection, dynamic: dynamic), in: name.database)
    try await milvus.createPartition("p1", of: name.collection, in: name.database)
    try await milvus.addSegment(to: name, rows: 100)
    try await milvus.addSegment(to: name, rows: 50, deletes: 3)
    try await milvus.addSegment(to: name, partition: "p1", rows: 150, filesPerField: 2)
    milvus.state.withLock { state in
      state.collections[name.database]?[name.collection]?.indexes = [
        .fake(
          "v", "v",
          [MilvusKeyValue(key: "index_type", value: "IVF_FLAT"), MilvusKeyValue(key: "metric_type", value: "L2")])
      ]
      state.collections[name.database]?[name.collection]?.aliases = ["other"]
      state.collections[name.database]?[name.collection]?.loadState = .loaded
    }
  }
}

extension CollectionName {
  static let coll = CollectionName(collection: "coll")
  static let restored = CollectionName(collection: "coll_bak")
}

extension CollectionSpec {
  static func coll(named name: String, dynamic: Bool = true, partitionKey: Bool = false) -> CollectionSpec {
    let fields = [
      MilvusFieldSchema(name: "pk", isPrimaryKey: true, dataType: .int64),
      MilvusFieldSchema(
        name: "name", dataType: .varChar, typeParams: [MilvusKeyValue(key: "max_length", value: "64")],
        defaultValue: [0x32, 0x01, 0x61], isPartitionKey: partitionKey),
      MilvusFieldSchema(name: "v", dataType: .floatVector, typeParams: [MilvusKeyValue(key: "dim", value: "8")]),
    ]
    return CollectionSpec(
      schema: MilvusCollectionSchema(name: name, description: "test", fields: fields, enableDynamicField: dynamic),
      shardsNum: 2, consistencyLevel: .eventually,
      properties: [MilvusKeyValue(key: "collection.ttl.seconds", value: "3600")], numPartitions: partitionKey ? 3 : 0)
  }
}
