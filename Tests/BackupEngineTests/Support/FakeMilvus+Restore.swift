// The calls that only a restore makes, as strict as Milvus.

import BackupFormat
import Synchronization

@testable import BackupEngine
@testable import MilvusClient

extension FakeMilvus {
  func rowCount(
    ofPartition partition: String, of collection: String, in database: String
  ) async throws(MilvusError) -> Int64 {
    try call("GetPartitionStatistics")
    let collection = try found(collection, database, "GetPartitionStatistics")
    guard let id = collection.partitions.first(where: { $0.partitionName == partition })?.partitionID else {
      throw error(.notFound, "GetPartitionStatistics", "partition not found")
    }
    return collection.segments.filter { $0.partitionID == id }.reduce(0) { $0 + $1.numOfRows }
  }

  func queryableRows(
    of collection: String, partitions: [String], in database: String
  ) async throws(MilvusError) -> Int64 {
    try call("Query")
    let found = try found(collection, database, "Query")
    let chosen = found.partitions.filter { partitions.isEmpty || partitions.contains($0.partitionName) }
    let isLoaded = found.loadState == .loaded || chosen.allSatisfy { found.loadedPartitions.contains($0.partitionName) }
    guard isLoaded else { throw error(.invalidArgument, "Query", "collection not loaded") }
    let ids = chosen.map(\.partitionID)
    let rows = found.segments.filter { ids.contains($0.partitionID) }.reduce(0) { $0 + $1.numOfRows }
    return faults.withLock { $0.queryableRows }?(rows) ?? rows
  }

  func alterCollection(
    _ name: String, in database: String, properties: [MilvusKeyValue], deleteKeys: [String]
  ) async throws(MilvusError) {
    try call("AlterCollection")
    _ = try found(name, database, "AlterCollection")
    state.withLock { state in
      guard let old = state.collections[database]?[name]?.spec.properties else { return }
      let keys = properties.map(\.key) + deleteKeys
      state.collections[database]?[name]?.spec.properties = old.filter { !keys.contains($0.key) } + properties
    }
  }

  func addCollectionField(
    _ field: MilvusFieldSchema, to collection: String, in database: String
  ) async throws(MilvusError) {
    try call("AddCollectionField")
    guard features.addCollectionField else { throw error(.unsupported, "AddCollectionField", "unknown method") }
    let existing = try found(collection, database, "AddCollectionField")
    guard field.nullable else { throw error(.invalidArgument, "AddCollectionField", "added field must be nullable") }
    var field = field
    field.fieldID = (existing.logFields.max() ?? 99) + 1
    state.withLock { [field] in $0.collections[database]?[collection]?.spec.schema.fields.append(field) }
  }

  func dropIndex(named name: String, of collection: String, in database: String) async throws(MilvusError) {
    try call("DropIndex")
    let existing = try found(collection, database, "DropIndex")
    guard existing.indexes.contains(where: { $0.indexName == name }) else {
      throw error(.notFound, "DropIndex", "index not found[index=\(name)]")
    }
    guard existing.loadState != .loaded else {
      throw error(
        .invalidArgument, "DropIndex", "index cannot be dropped, collection is loaded, please release it first")
    }
    state.withLock { $0.collections[database]?[collection]?.indexes.removeAll { $0.indexName == name } }
  }

  func createAlias(_ alias: String, for collection: String, in database: String) async throws(MilvusError) {
    try call("CreateAlias")
    _ = try found(collection, database, "CreateAlias")
    let isTaken = state.withLock { state in
      state.collections[database]?.contains { $0.key == alias || $0.value.aliases.contains(alias) } ?? false
    }
    if isTaken { throw error(.alreadyExists, "CreateAlias", "\(alias) is alias to another collection") }
    state.withLock { $0.collections[database]?[collection]?.aliases.append(alias) }
  }

  func dropAlias(_ alias: String, in database: String) async throws(MilvusError) {
    try call("DropAlias")
    state.withLock { state in
      for name in state.collections[database]?.keys.sorted() ?? [] {
        state.collections[database]?[name]?.aliases.removeAll { $0 == alias }
      }
    }
  }

  func loadCollection(_ name: String, in database: String, replicas: Int32) async throws(MilvusError) {
    try call("LoadCollection")
    try checkIndexed(try found(name, database, "LoadCollection"), "LoadCollection")
    state.withLock { $0.collections[database]?[name]?.loadState = .loaded }
  }

  func loadPartitions(
    _ partitions: [String], of collection: String, in database: String, replicas: Int32
  ) async throws(MilvusError) {
    try call("LoadPartitions")
    try checkIndexed(try found(collection, database, "LoadPartitions"), "LoadPartitions")
    state.withLock { $0.collections[database]?[collection]?.loadedPartitions = Set(partitions) }
  }

  private func checkIndexed(_ collection: Collection, _ call: String) throws(MilvusError) {
    let vectors = collection.spec.schema.fields.filter { $0.dataType == .floatVector }.map(\.name)
    guard Set(collection.indexes.map(\.fieldName)).isSuperset(of: vectors) else {
      throw error(.notFound, call, "index not found[collection=\(collection.spec.schema.name)]")
    }
  }

  func accessControl() async throws(MilvusError) -> MilvusAccessControl {
    try call("BackupRBAC")
    guard features.version >= ServerVersion(2, 4, 0) else { throw error(.unsupported, "BackupRBAC", "unknown method") }
    return state.withLock { $0.accessControl }
  }

  func restoreAccessControl(_ data: MilvusAccessControl) async throws(MilvusError) {
    try call("RestoreRBAC")
    let present = state.withLock { $0.accessControl }
    guard data.missing(from: present) == data else { throw error(.alreadyExists, "RestoreRBAC", "user already exists") }
    state.withLock { state in
      state.accessControl.users += data.users
      state.accessControl.roles += data.roles
      state.accessControl.grants += data.grants
      state.accessControl.groups += data.groups
    }
  }
}
