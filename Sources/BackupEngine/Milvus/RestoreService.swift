// The calls that only a restore makes. Contract: as documented at MilvusClient, whose methods these are.

import MilvusClient

/// A Milvus server as a restore sees it, beside what a backup needs too.
protocol RestoreService: Sendable {
  func rowCount(
    ofPartition partition: String, of collection: String, in database: String
  ) async throws(MilvusError) -> Int64
  func alterCollection(
    _ name: String, in database: String, properties: [MilvusKeyValue], deleteKeys: [String]
  ) async throws(MilvusError)
  func addCollectionField(
    _ field: MilvusFieldSchema, to collection: String, in database: String
  ) async throws(MilvusError)
  func dropIndex(named name: String, of collection: String, in database: String) async throws(MilvusError)
  func createAlias(_ alias: String, for collection: String, in database: String) async throws(MilvusError)
  func dropAlias(_ alias: String, in database: String) async throws(MilvusError)
  func loadCollection(_ name: String, in database: String, replicas: Int32) async throws(MilvusError)
  func loadPartitions(
    _ partitions: [String], of collection: String, in database: String, replicas: Int32
  ) async throws(MilvusError)
  func queryableRows(
    of collection: String, partitions: [String], in database: String
  ) async throws(MilvusError) -> Int64
  func importTasks(
    of collection: String, in database: String, limit: Int64
  ) async throws(MilvusError) -> [ImportProgress]
  func restoreAccessControl(_ data: MilvusAccessControl) async throws(MilvusError)
}
