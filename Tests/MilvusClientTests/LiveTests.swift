// The calls against a real server: set MILVUS_TEST_ADDRESS to its `host:port`. Without the variable these tests do not
// run; with it they fail if the server is not there. They make a collection of their own and remove it.

import Foundation
import GRPCCore
import Testing

@testable import MilvusClient

private let liveAddress = ProcessInfo.processInfo.environment["MILVUS_TEST_ADDRESS"]

@Suite(.enabled(if: liveAddress != nil, "MILVUS_TEST_ADDRESS is not set"), .serialized, .timeLimit(.minutes(5)))
struct LiveTests {
  /// Runs `body` with a client and the name of a collection that does not exist, and removes the collection.
  private func withCollectionName(_ body: (MilvusClient, String) async throws -> Void) async throws {
    let address = try #require(liveAddress)
    let colon = try #require(address.lastIndex(of: ":"))
    let endpoint = MilvusEndpoint(
      host: String(address[..<colon]), port: try #require(Int(address[address.index(after: colon)...])))
    let name = "milvus_client_test_\(UInt32.random(in: 0 ... .max))"
    try await withMilvusClient(to: endpoint) { client in
      do {
        try await body(client, name)
      } catch {
        try? await client.dropCollection(name, in: "default")
        throw error
      }
      try await client.dropCollection(name, in: "default")
      let exists = try await client.hasCollection(name, in: "default")
      #expect(!exists)
    }
  }

  private func spec(_ name: String, shardsNum: Int32 = 2) -> CollectionSpec {
    CollectionSpec(
      schema: MilvusCollectionSchema(
        name: name, description: "made by a test",
        fields: [
          MilvusFieldSchema(
            fieldID: 100, name: "id", isPrimaryKey: true, description: "the key", dataType: .int64, autoID: true),
          MilvusFieldSchema(
            fieldID: 101, name: "text", dataType: .varChar,
            typeParams: [MilvusKeyValue(key: "max_length", value: "64")]),
          MilvusFieldSchema(
            fieldID: 102, name: "vector", dataType: .floatVector, typeParams: [MilvusKeyValue(key: "dim", value: "4")]),
        ], enableDynamicField: true),
      shardsNum: shardsNum, consistencyLevel: .session,
      properties: [MilvusKeyValue(key: "collection.ttl.seconds", value: "864000")])
  }

  @Test func `collection comes back as it was made`() async throws {
    try await withCollectionName { client, name in
      let health = try await client.checkHealth()
      #expect(health.isHealthy)
      let before = try await client.hasCollection(name, in: "default")
      #expect(!before)
      try await client.createCollection(spec(name), in: "default")
      try await client.createCollection(spec(name), in: "default")
      let made = try await client.describeCollection(name, in: "default")
      #expect(made.schema == spec(name).schema)
      #expect(made.shardsNum == 2)
      #expect(made.virtualChannelNames.count == 2)
      #expect(made.consistencyLevel == .session)
      #expect(made.properties.value(forKey: "collection.ttl.seconds") == "864000")
      #expect(made.collectionName == name)
      #expect(made.dbName == "default")
      #expect(made.collectionID > 0 && made.createdTimestamp > 0)
      let listed = try await client.collections(in: "default")
      #expect(listed.contains { $0.name == name && $0.id == made.collectionID })

      let other = spec(name, shardsNum: 1)
      let error = try await #require(throws: MilvusError.self) {
        try await client.createCollection(other, in: "default")
      }
      #expect(error.code == .alreadyExists)

      try await client.alterCollection(
        name, in: "default", properties: [MilvusKeyValue(key: "collection.ttl.seconds", value: "77")])
      let altered = try await client.describeCollection(name, in: "default")
      #expect(altered.properties.value(forKey: "collection.ttl.seconds") == "77")

      try await client.createAlias(name + "_alias", for: name, in: "default")
      let aliases = try await client.aliases(of: name, in: "default")
      #expect(aliases == [name + "_alias"])
      let byAlias = try await client.describeCollection(name + "_alias", in: "default")
      #expect(byAlias.collectionName == name)
    }
  }

  @Test func `partitions, indexes, flush and load`() async throws {
    try await withCollectionName { client, name in
      try await client.createCollection(spec(name), in: "default")
      try await client.createPartition("p1", of: name, in: "default")
      let names = try await client.partitions(of: name, in: "default").map(\.partitionName)
      #expect(Set(names) == ["_default", "p1"])
      let hasOther = try await client.hasPartition("p2", of: name, in: "default")
      #expect(!hasOther)

      let none = try await client.indexes(of: name, in: "default")
      #expect(none.isEmpty)
      let params = [
        MilvusKeyValue(key: "index_type", value: "HNSW"), MilvusKeyValue(key: "metric_type", value: "L2"),
        MilvusKeyValue(key: "params", value: #"{"M":8,"efConstruction":64}"#),
      ]
      try await client.createIndex(named: "by_vector", on: "vector", of: name, in: "default", params: params)
      let index = try #require(try await client.indexes(of: name, in: "default").first)
      #expect(index.indexName == "by_vector" && index.fieldName == "vector" && index.indexType == "HNSW")
      #expect(index.params.value(forKey: "metric_type") == "L2")

      let flush = try await client.flush(name, in: "default")
      #expect(flush.sealTime > 0)
      var isFlushed = false
      while !isFlushed {
        isFlushed = try await client.isFlushed(flush, of: name, in: "default")
        try await Task.sleep(for: .milliseconds(200))
      }
      let segments = try await client.segments(of: name, in: "default")
      #expect(segments.isEmpty)
      let rows = try await client.rowCount(of: name, in: "default")
      #expect(rows == 0)

      let notLoaded = try await client.loadState(of: name, in: "default")
      #expect(notLoaded == .notLoad)
      try await client.loadCollection(name, in: "default")
      while try await client.loadState(of: name, in: "default") != .loaded {
        try await Task.sleep(for: .milliseconds(200))
      }
      let progress = try await client.loadingProgress(of: name, in: "default")
      #expect(progress == 100)
      #expect(try await client.queryableRows(of: name, in: "default") == 0)
      try await client.releaseCollection(name, in: "default")
      try await client.dropIndex(named: "by_vector", of: name, in: "default")
    }
  }

  @Test func `import runs to its end`() async throws {
    try await withCollectionName { client, name in
      try await client.createCollection(spec(name), in: "default")
      // Directories that do not exist: 2.3 takes them for empty and completes with no rows, newer servers refuse.
      do {
        let task = try await client.importFiles(
          ["files/no/such/\(name)/", ""], into: name, partition: "_default", in: "default")
        var progress = try await client.importState(of: task)
        while !progress.state.isFinished {
          try await Task.sleep(for: .milliseconds(500))
          progress = try await client.importState(of: task)
        }
        #expect(progress.rowCount == 0)
        #expect(progress.taskID == task)
        #expect(progress.state.isFailure || progress.percent == 100)
        let tasks = try await client.importTasks(of: name, in: "default")
        #expect(tasks.map(\.taskID) == [task])
      } catch let error as MilvusError {
        #expect(client.server.version >= ServerVersion(2, 4, 0), "\(error)")
      }
    }
  }

  @Test func `what does not exist is told`() async throws {
    try await withCollectionName { client, name in
      let collection = try await #require(throws: MilvusError.self) {
        try await client.describeCollection(name, in: "default")
      }
      #expect(collection.code == .notFound)
      let database = try await #require(throws: MilvusError.self) { try await client.collections(in: "no_database") }
      #expect(database.code == .notFound && database.isAboutDatabase)
      let task = try await #require(throws: MilvusError.self) { try await client.importState(of: 1) }
      #expect(task.code == .notFound)
      let badName = try await #require(throws: MilvusError.self) { try await client.createDatabase("no good name") }
      #expect(badName.code == .invalidArgument)
    }
  }

  /// Milvus' server answers each request with a PING, of which the HTTP/2 library bears 200 in 30 seconds.
  @Test func `many calls in a short time lose no connection`() async throws {
    try await withCollectionName { client, name in
      try await client.createCollection(spec(name), in: "default")
      let connection = try RPCConnection(to: client.endpoint)
      // One after the other, because calls side by side share a PING; one attempt each: nothing is repeated.
      for _ in 0..<500 {
        let _: ProtoGetVersionResponse = try await connection.attempt(
          "GetVersion", ProtoGetVersionRequest(), metadata: Metadata(), about: nil, timeout: .seconds(30),
          connectTimeout: .seconds(10))
      }
      await connection.close()
    }
  }
}
