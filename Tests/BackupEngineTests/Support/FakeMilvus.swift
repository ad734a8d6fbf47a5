// A Milvus in memory, as strict as 2.3.5 where a restore could go wrong.
//
// Invariants: it reads and writes only its own bucket, below its own root; collections get field ids from 100 in the order
// of the schema, the dynamic field last; an import succeeds only with paths, options and files of the right shape.
// An insert log is the text `rows <n>`, a delta log the text `deletes <n>`, so that rows can be counted.

import BackupFormat
import ObjectStore
import Synchronization

@testable import BackupEngine
@testable import MilvusClient

final class FakeMilvus: MilvusService, MilvusConnector {
  struct Collection: Sendable {
    var id: Int64
    var spec: CollectionSpec
    var partitions: [PartitionInfo]
    var segments: [SegmentInfo] = []
    var indexes: [IndexDescription] = []
    var aliases: [String] = []
    /// Id of the hidden dynamic field; nil if there is none.
    var dynamicID: Int64?
    var loadState = LoadState.notLoad
    var loadedPartitions: Set<String> = []

    /// Ids of all fields that logs must be of.
    var logFields: Set<Int64> {
      Set(spec.schema.fields.map(\.fieldID)).union([0, 1]).union(dynamicID.map { [$0] } ?? [])
    }
  }

  struct Import: Sendable {
    var files: [String]
    var collection: CollectionName
    var partition: String
    var options: ImportOptions
    var looks = 0
    var outcome: Outcome
  }

  enum Outcome: Sendable {
    case rows(Int64)
    case failure(String)
  }

  struct State {
    var collections: [String: [String: Collection]] = ["default": [:]]
    var imports: [Int64: Import] = [:]
    var nextID: Int64 = 1000
    var flushes: [CollectionName] = []
    var calls: [String] = []
    var openConnections = 0
    var databaseProperties: [String: [MilvusKeyValue]] = [:]
    var accessControl = MilvusAccessControl()
    /// Where its storage is a directory: what paths to import begin with, before the key.
    var importPrefix = ""
    /// Segments are written as logs, which can be verified but not imported here.
    var writesLogs = false
  }

  /// What happens instead of the ordinary.
  struct Faults: Sendable {
    /// Called before each call with its name.
    var before: (@Sendable (String) throws(MilvusError) -> Void)?
    /// Rows an import claims to have brought, from those it has.
    var claimedRows: (@Sendable (Int64) -> Int64)?
    /// What a query counts instead of these rows.
    var queryableRows: (@Sendable (Int64) -> Int64)?
    /// Rows an import really brings.
    var importedRows: (@Sendable (Int64) -> Int64)?
    /// The state that an import ends with.
    var finalState = ImportState.completed
    /// An import stays where it is.
    var importsHang = false
    /// So many imports fail because the server was restarted.
    var importsLostByRestart = 0
    var lossReason = "service restarted"
    /// So many imports are begun without their answer arriving.
    var importAnswersLost = 0
    /// Flushes stay where they are.
    var flushesHang = false
    /// Segments that a flush does not answer.
    var unknownToFlush: Set<Int64> = []
    /// The id of the first field of new collections.
    var firstFieldID: Int64 = 100
  }

  let store: MemoryStore
  let root: String
  let address: String
  let versionText: String
  let features: ServerFeatures
  let state = Mutex(State())
  let faults = Mutex(Faults())

  init(store: MemoryStore, root: String = "files", version: String = "v2.3.5", address: String = "milvus:19530") {
    self.store = store
    self.root = root
    self.address = address
    versionText = version
    features = ServerFeatures(version: ServerVersion(reported: version), multiDatabase: true)
  }

  func connect() async throws(MilvusError) -> any MilvusService {
    try call("Connect")
    state.withLock { $0.openConnections += 1 }
    return self
  }

  func close() async { state.withLock { $0.openConnections -= 1 } }

  func call(_ name: String) throws(MilvusError) {
    if Task.isCancelled { throw MilvusError(code: .cancelled, call: name, reason: "the task was cancelled") }
    state.withLock { $0.calls.append(name) }
    try faults.withLock { $0.before }?(name)
  }

  func error(_ code: MilvusError.Code, _ call: String, _ reason: String) -> MilvusError {
    MilvusError(
      code: code, call: call, server: address, reason: reason, status: MilvusStatusCode(errorCode: 1, code: 1))
  }

  /// The numbers of calls by name.
  func count(_ name: String) -> Int { state.withLock { $0.calls.filter { $0 == name }.count } }

  subscript(_ name: CollectionName) -> Collection? {
    state.withLock { $0.collections[name.database]?[name.collection] }
  }

  func found(_ name: String, _ database: String, _ call: String) throws(MilvusError) -> Collection {
    guard let collections = state.withLock({ $0.collections[database] }) else {
      throw error(.notFound, call, "database not found[database=\(database)]")
    }
    guard let collection = collections[name] ?? collections.values.first(where: { $0.aliases.contains(name) }) else {
      throw error(.notFound, call, "collection not found[collection=\(name)]")
    }
    return collection
  }

  func databases() async throws(MilvusError) -> [DatabaseDescription] {
    try call("ListDatabases")
    return state.withLock { $0.collections.keys.sorted() }.map {
      DatabaseDescription(name: $0, id: 0, createdTimestamp: 0, properties: [])
    }
  }

  func describeDatabase(_ name: String) async throws(MilvusError) -> DatabaseDescription {
    try call("DescribeDatabase")
    guard features.describeDatabase else { throw error(.unsupported, "DescribeDatabase", "unknown method") }
    let properties = state.withLock { $0.databaseProperties[name] ?? [] }
    return DatabaseDescription(name: name, id: 7, createdTimestamp: 0, properties: properties)
  }

  func createDatabase(_ name: String, properties: [MilvusKeyValue]) async throws(MilvusError) {
    try call("CreateDatabase")
    if !properties.isEmpty, !features.describeDatabase {
      throw error(.invalidArgument, "CreateDatabase", "unknown field properties")
    }
    let isNew = state.withLock { state in
      guard state.collections[name] == nil else { return false }
      state.collections[name] = [:]
      state.databaseProperties[name] = properties
      return true
    }
    if !isNew { throw error(.alreadyExists, "CreateDatabase", "database already exist") }
  }

  func collections(in database: String) async throws(MilvusError) -> [CollectionSummary] {
    try call("ShowCollections")
    return state.withLock { $0.collections[database] ?? [:] }.map {
      CollectionSummary(name: $0.key, id: $0.value.id, createdTimestamp: 1)
    }
  }

  func hasCollection(_ name: String, in database: String) async throws(MilvusError) -> Bool {
    try call("HasCollection")
    guard let collections = state.withLock({ $0.collections[database] }) else {
      throw error(.notFound, "HasCollection", "database not found[database=\(database)]")
    }
    return collections[name] != nil || collections.values.contains { $0.aliases.contains(name) }
  }

  func describeCollection(_ name: String, in database: String) async throws(MilvusError) -> CollectionDescription {
    try call("DescribeCollection")
    let collection = try found(name, database, "DescribeCollection")
    var schema = collection.spec.schema
    // 2.3 tells the properties beside the schema only.
    schema.properties = []
    return CollectionDescription(
      collectionID: collection.id, collectionName: schema.name, dbName: database, dbID: 0, schema: schema,
      shardsNum: collection.spec.shardsNum, consistencyLevel: collection.spec.consistencyLevel,
      aliases: collection.aliases, properties: collection.spec.properties,
      virtualChannelNames: ["dml_0_\(collection.id)v0"],
      physicalChannelNames: ["dml_0"], createdTimestamp: 449, createdUTCTimestamp: 1, numPartitions: 0)
  }

  func createCollection(_ spec: CollectionSpec, in database: String) async throws(MilvusError) {
    try call("CreateCollection")
    let first = faults.withLock { $0.firstFieldID }
    let outcome = state.withLock { state -> MilvusError? in
      guard let existing = state.collections[database] else {
        return error(.notFound, "CreateCollection", "database not found")
      }
      if existing[spec.schema.name] != nil { return nil }
      var spec = spec
      for index in spec.schema.fields.indices { spec.schema.fields[index].fieldID = first + Int64(index) }
      state.nextID += 10
      let names = spec.numPartitions > 0 ? (0..<spec.numPartitions).map { "_default_\($0)" } : ["_default"]
      let id = state.nextID
      let partitions = names.enumerated().map {
        PartitionInfo(partitionID: id + 1 + Int64($0.offset), partitionName: $0.element, createdTimestamp: 1)
      }
      state.nextID += Int64(names.count)
      var collection = Collection(id: id, spec: spec, partitions: partitions)
      if spec.schema.enableDynamicField { collection.dynamicID = first + Int64(spec.schema.fields.count) }
      state.collections[database]?[spec.schema.name] = collection
      return nil
    }
    if let outcome { throw outcome }
  }

  func dropCollection(_ name: String, in database: String) async throws(MilvusError) {
    try call("DropCollection")
    let aliases = self[CollectionName(database: database, collection: name)]?.aliases ?? []
    guard aliases.isEmpty else {
      throw error(.invalidArgument, "DropCollection", "unable to drop the collection because it has associated aliases")
    }
    state.withLock { $0.collections[database]?[name] = nil }
  }

  func rowCount(of collection: String, in database: String) async throws(MilvusError) -> Int64 {
    try call("GetCollectionStatistics")
    return try found(collection, database, "GetCollectionStatistics").segments.reduce(0) { $0 + $1.numOfRows }
  }

  func partitions(of collection: String, in database: String) async throws(MilvusError) -> [PartitionInfo] {
    try call("ShowPartitions")
    return try found(collection, database, "ShowPartitions").partitions
  }

  func createPartition(_ name: String, of collection: String, in database: String) async throws(MilvusError) {
    try call("CreatePartition")
    let existing = try found(collection, database, "CreatePartition")
    if existing.spec.schema.fields.contains(where: \.isPartitionKey) {
      throw error(.invalidArgument, "CreatePartition", "disable create partition if partition key mode is used")
    }
    state.withLock { state in
      state.nextID += 1
      let partition = PartitionInfo(partitionID: state.nextID, partitionName: name, createdTimestamp: 1)
      state.collections[database]?[collection]?.partitions.append(partition)
    }
  }

  func segments(of collection: String, in database: String) async throws(MilvusError) -> [SegmentInfo] {
    try call("GetPersistentSegmentInfo")
    return try found(collection, database, "GetPersistentSegmentInfo").segments
  }

  func indexes(of collection: String, in database: String) async throws(MilvusError) -> [IndexDescription] {
    try call("DescribeIndex")
    return try found(collection, database, "DescribeIndex").indexes
  }

  func createIndex(
    named name: String, on field: String, of collection: String, in database: String, params: [MilvusKeyValue]
  ) async throws(MilvusError) {
    try call("CreateIndex")
    let schema = try found(collection, database, "CreateIndex").spec.schema
    guard schema.fields.contains(where: { $0.name == field }), params.value(forKey: "index_type") != nil else {
      throw error(.invalidArgument, "CreateIndex", "invalid index parameters")
    }
    state.withLock { $0.collections[database]?[schema.name]?.indexes.append(.fake(name, field, params)) }
  }

  func flush(_ collection: String, in database: String) async throws(MilvusError) -> FlushResult {
    try call("Flush")
    let existing = try found(collection, database, "Flush")
    state.withLock { state in
      state.flushes.append(CollectionName(database: database, collection: collection))
      for index in existing.segments.indices where existing.segments[index].state == .growing {
        state.collections[database]?[collection]?.segments[index].state = .flushed
      }
    }
    let unknown = faults.withLock { $0.unknownToFlush }
    return FlushResult(
      segmentIDs: [], flushedSegmentIDs: existing.segments.map(\.segmentID).filter { !unknown.contains($0) },
      flushTimestamp: 450,
      sealTime: 1_700_000_000, channelCheckpoints: [:])
  }

  func isFlushed(
    _ flush: FlushResult, of collection: String, in database: String
  ) async throws(MilvusError) -> Bool {
    try call("GetFlushState")
    return !faults.withLock { $0.flushesHang }
  }

  func loadState(
    of collection: String, partitions: [String], in database: String
  ) async throws(MilvusError) -> LoadState {
    try call("GetLoadState")
    let collection = try found(collection, database, "GetLoadState")
    guard !partitions.isEmpty else { return collection.loadState }
    return collection.loadedPartitions.isSuperset(of: partitions) ? .loaded : .notLoad
  }
}

extension IndexDescription {
  static func fake(_ name: String, _ field: String, _ params: [MilvusKeyValue]) -> IndexDescription {
    IndexDescription(
      indexName: name, indexID: 9, fieldName: field, params: params, indexedRows: 0, totalRows: 0, pendingIndexRows: 0,
      state: .finished, stateFailReason: "", minIndexVersion: 0, maxIndexVersion: 0)
  }
}
