// What each call puts on the wire: its method, its headers, its message. The messages are compared with bytes that
// another implementation made (the protobuf classes of pymilvus 2.6.17).

import SwiftProtobuf
import Testing

@testable import MilvusClient

/// A call of the client, and what the server must get.
struct ExpectedCall: Sendable, CustomTestStringConvertible {
  let method: String
  let message: String
  let database: String?
  let answer: FakeMilvus.Handler
  let run: @Sendable (MilvusClient) async throws -> Void

  init<Answer: Message>(
    _ method: String, _ message: String, database: String? = "d", answer: Answer,
    run: @escaping @Sendable (MilvusClient) async throws -> Void
  ) {
    self.method = method
    self.message = message
    self.database = database
    self.answer = MilvusClientTests.answer { _ in answer }
    self.run = run
  }

  var testDescription: String { method }
}

@Suite(.serialized) struct CallRequestTests {
  private static let pair = [MilvusKeyValue(key: "a", value: "b")]
  private static let flush = FlushResult(
    segmentIDs: [1], flushedSegmentIDs: [], flushTimestamp: 2, sealTime: 0, channelCheckpoints: [:])
  private static let stats = [
    ProtoKeyValuePair.with {
      $0.key = "row_count"
      $0.value = "12"
    }
  ]

  static let calls: [ExpectedCall] = [
    ExpectedCall("CheckHealth", "", database: nil, answer: ProtoCheckHealthResponse()) {
      _ = try await $0.checkHealth()
    },
    ExpectedCall("ListDatabases", "", database: nil, answer: ProtoListDatabasesResponse()) {
      _ = try await $0.databases()
    },
    ExpectedCall("DescribeDatabase", "120164", database: nil, answer: ProtoDescribeDatabaseResponse()) {
      _ = try await $0.describeDatabase("d")
    },
    ExpectedCall("CreateDatabase", "1201641a060a0161120162", database: nil, answer: ProtoStatus()) {
      try await $0.createDatabase("d", properties: pair)
    },
    ExpectedCall("ShowCollections", "", answer: ProtoShowCollectionsResponse()) {
      _ = try await $0.collections(in: "d")
    },
    ExpectedCall("ShowCollections", "", database: nil, answer: ProtoShowCollectionsResponse()) {
      _ = try await $0.collections(in: "")
    },
    ExpectedCall("HasCollection", "1a0163", answer: ProtoBoolResponse()) {
      _ = try await $0.hasCollection("c", in: "d")
    },
    ExpectedCall("DescribeCollection", "1a0163", answer: ProtoDescribeCollectionResponse()) {
      _ = try await $0.describeCollection("c", in: "d")
    },
    ExpectedCall(
      "CreateCollection",
      """
      1a04636f6c6c22060a04636f6c6c280230023a1c0a16636f6c6c656374696f6e2e74746c2e7365636f6e6473120236304010
      """, answer: ProtoStatus()
    ) {
      try await $0.createCollection(
        CollectionSpec(
          schema: MilvusCollectionSchema(name: "coll", fields: []), shardsNum: 2, consistencyLevel: .bounded,
          properties: [MilvusKeyValue(key: "collection.ttl.seconds", value: "60")], numPartitions: 16), in: "d")
    },
    ExpectedCall("DropCollection", "1a0163", answer: ProtoStatus()) { try await $0.dropCollection("c", in: "d") },
    ExpectedCall("AlterCollection", "1a01632a060a0161120162320164", answer: ProtoStatus()) {
      try await $0.alterCollection("c", in: "d", properties: pair, deleteKeys: ["d"])
    },
    ExpectedCall("AddCollectionField", "1a01632a051201662805", answer: ProtoStatus()) {
      try await $0.addCollectionField(MilvusFieldSchema(name: "f", dataType: .int64), to: "c", in: "d")
    },
    ExpectedCall(
      "GetCollectionStatistics", "1a0163", answer: ProtoGetCollectionStatisticsResponse.with { $0.stats = stats }
    ) {
      let count = try await $0.rowCount(of: "c", in: "d")
      #expect(count == 12)
    },
    ExpectedCall(
      "GetPartitionStatistics", "1a0163220170", answer: ProtoGetPartitionStatisticsResponse.with { $0.stats = stats }
    ) {
      let count = try await $0.rowCount(ofPartition: "p", of: "c", in: "d")
      #expect(count == 12)
    },
    ExpectedCall("ShowPartitions", "1a0163", answer: ProtoShowPartitionsResponse()) {
      _ = try await $0.partitions(of: "c", in: "d")
    },
    ExpectedCall("HasPartition", "1a0163220170", answer: ProtoBoolResponse()) {
      _ = try await $0.hasPartition("p", of: "c", in: "d")
    },
    ExpectedCall("CreatePartition", "1a0163220170", answer: ProtoStatus()) {
      try await $0.createPartition("p", of: "c", in: "d")
    },
    ExpectedCall("GetPersistentSegmentInfo", "1a0163", answer: ProtoGetPersistentSegmentInfoResponse()) {
      _ = try await $0.segments(of: "c", in: "d")
    },
    ExpectedCall("Flush", "1a0163", answer: ProtoFlushResponse()) { _ = try await $0.flush("c", in: "d") },
    ExpectedCall("GetFlushState", "0a01011002220163", answer: ProtoGetFlushStateResponse()) {
      _ = try await $0.isFlushed(flush, of: "c", in: "d")
    },
    ExpectedCall("GetLoadState", "1201631a0170", answer: ProtoGetLoadStateResponse()) {
      _ = try await $0.loadState(of: "c", partitions: ["p"], in: "d")
    },
    ExpectedCall("GetLoadingProgress", "1201631a0170", answer: ProtoGetLoadingProgressResponse()) {
      _ = try await $0.loadingProgress(of: "c", partitions: ["p"], in: "d")
    },
    ExpectedCall("LoadCollection", "1a01632002", answer: ProtoStatus()) {
      try await $0.loadCollection("c", in: "d", replicas: 2)
    },
    ExpectedCall("ReleaseCollection", "1a0163", answer: ProtoStatus()) {
      try await $0.releaseCollection("c", in: "d")
    },
    ExpectedCall("DescribeIndex", "1a0163", answer: ProtoDescribeIndexResponse()) {
      _ = try await $0.indexes(of: "c", in: "d")
    },
    ExpectedCall("CreateIndex", "1a01632201662a060a0161120162320169", answer: ProtoStatus()) {
      try await $0.createIndex(named: "i", on: "f", of: "c", in: "d", params: pair)
    },
    ExpectedCall("DropIndex", "1a01632a0169", answer: ProtoStatus()) {
      try await $0.dropIndex(named: "i", of: "c", in: "d")
    },
    ExpectedCall("CreateAlias", "1a0163220161", answer: ProtoStatus()) {
      try await $0.createAlias("a", for: "c", in: "d")
    },
    ExpectedCall("ListAliases", "1a0163", answer: ProtoListAliasesResponse()) {
      _ = try await $0.aliases(of: "c", in: "d")
    },
    ExpectedCall(
      "Query", "1a01632a08636f756e74282a29320170",
      answer: ProtoQueryResults.with {
        $0.fieldsData = [.with { $0.scalars.longData.data = [7] }]
      }
    ) {
      let count = try await $0.queryableRows(of: "c", partitions: ["p"], in: "d")
      #expect(count == 7)
    },
    ExpectedCall(
      "Import",
      """
      0a04636f6c6c1201702a02692f2a00321d0a15736b69705f6469736b5f71756f74615f636865636b120474727565320e0a066261636b75\
      70120474727565
      """, answer: ProtoImportResponse.with { $0.tasks = [9] }
    ) {
      let task = try await $0.importFiles(["i/", ""], into: "coll", partition: "p", in: "d")
      #expect(task == 9)
    },
    ExpectedCall("GetImportState", "0805", database: nil, answer: ProtoGetImportStateResponse()) {
      _ = try await $0.importState(of: 5)
    },
    ExpectedCall("ListImportTasks", "0a01631005", answer: ProtoListImportTasksResponse()) {
      _ = try await $0.importTasks(of: "c", in: "d", limit: 5)
    },
  ]

  @Test(arguments: calls) func `call puts this on the wire`(expected: ExpectedCall) async throws {
    try await withFakeClient([expected.method: expected.answer]) { client, fake in
      try await expected.run(client)
      let call = try #require(fake.recorded(expected.method).last)
      #expect(call.message.hex == expected.message)
      #expect(call.header("dbname") == (expected.database.map { [$0] } ?? []))
    }
  }

  @Test func `identifier goes with every call, authorization only if there are credentials`() async throws {
    try await withFakeClient([:]) { client, fake in
      _ = try await client.databases()
      let calls = fake.recorded()
      #expect(calls.map(\.method) == ["Connect", "ListDatabases", "GetVersion", "ListDatabases"])
      #expect(calls.map { $0.header("identifier") } == [[], ["4711"], ["4711"], ["4711"]])
      #expect(calls.allSatisfy { $0.header("authorization").isEmpty })
    }
  }

  @Test func `options of an import`() {
    let all = ImportOptions(
      backup: false, l0Import: true, skipDiskQuotaCheck: false, endTimestamp: 445_000_000_000_000_000,
      storageVersion: 2, encryptionKey: "key")
    #expect(
      all.pairs == [
        MilvusKeyValue(key: "l0_import", value: "true"),
        MilvusKeyValue(key: "end_ts", value: "445000000000000000"),
        MilvusKeyValue(key: "storage_version", value: "2"), MilvusKeyValue(key: "ezk", value: "key"),
      ])
    #expect(ImportOptions(storageVersion: 0).pairs.map(\.key) == ["skip_disk_quota_check", "backup"])
  }
}
