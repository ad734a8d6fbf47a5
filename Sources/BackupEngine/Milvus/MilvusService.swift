// The calls that a backup and a restore make, and nothing else: what a fake has to be able to do.
//
// Contract: as documented at MilvusClient, whose methods these are.

import MilvusClient

/// A Milvus server as this module sees it.
protocol MilvusService: BackupService, RestoreService {
  /// The version as the server words it; goes into the backup.
  var versionText: String { get }
  /// What the server can do.
  var features: ServerFeatures { get }

  func databases() async throws(MilvusError) -> [DatabaseDescription]
  func describeDatabase(_ name: String) async throws(MilvusError) -> DatabaseDescription
  func createDatabase(_ name: String, properties: [MilvusKeyValue]) async throws(MilvusError)

  func collections(in database: String) async throws(MilvusError) -> [CollectionSummary]
  func hasCollection(_ name: String, in database: String) async throws(MilvusError) -> Bool
  func describeCollection(_ name: String, in database: String) async throws(MilvusError) -> CollectionDescription
  func createCollection(_ spec: CollectionSpec, in database: String) async throws(MilvusError)
  func dropCollection(_ name: String, in database: String) async throws(MilvusError)
  func rowCount(of collection: String, in database: String) async throws(MilvusError) -> Int64

  func partitions(of collection: String, in database: String) async throws(MilvusError) -> [PartitionInfo]
  func createPartition(_ name: String, of collection: String, in database: String) async throws(MilvusError)
  func segments(of collection: String, in database: String) async throws(MilvusError) -> [SegmentInfo]

  func indexes(of collection: String, in database: String) async throws(MilvusError) -> [IndexDescription]
  func createIndex(
    named name: String, on field: String, of collection: String, in database: String, params: [MilvusKeyValue]
  ) async throws(MilvusError)

  func flush(_ collection: String, in database: String) async throws(MilvusError) -> FlushResult
  func isFlushed(_ flush: FlushResult, of collection: String, in database: String) async throws(MilvusError) -> Bool
  func loadState(
    of collection: String, partitions: [String], in database: String
  ) async throws(MilvusError) -> LoadState

  func importFiles(
    _ files: [String], into collection: String, partition: String, in database: String, options: ImportOptions
  ) async throws(MilvusError) -> Int64
  func importState(of task: Int64) async throws(MilvusError) -> ImportProgress

  func close() async
}

extension MilvusClient: MilvusService {
  var versionText: String { server.versionText }
  var features: ServerFeatures { server.features }
}

/// How a job gets its connection.
protocol MilvusConnector: Sendable {
  func connect() async throws(MilvusError) -> any MilvusService
}

/// The real connection.
struct GRPCConnector: MilvusConnector {
  let endpoint: MilvusEndpoint

  func connect() async throws(MilvusError) -> any MilvusService {
    try await MilvusClient.connect(to: endpoint)
  }
}

extension EngineContext {
  /// Connects to Milvus, runs `body` and closes the connection whatever the outcome.
  func withMilvus<Value: Sendable>(_ body: (any MilvusService) async throws -> Value) async throws -> Value {
    let service = try await milvusConnector.connect()
    do {
      let value = try await body(service)
      await service.close()
      return value
    } catch {
      await service.close()
      throw error
    }
  }
}
