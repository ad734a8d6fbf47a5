// What the client makes of answers. The bytes are another implementation's (the protobuf classes of pymilvus 2.6.17).

import SwiftProtobuf
import Testing

@testable import MilvusClient

@Suite(.serialized) struct CallAnswerTests {
  private func bytes(_ hex: String) -> FakeMilvus.Handler {
    { _, _ in [UInt8](hex: hex) }
  }

  private func failure(_ errorCode: Int32, _ code: Int32, _ reason: String) -> ProtoStatus {
    .with {
      $0.errorCode = errorCode
      $0.code = code
      $0.reason = reason
    }
  }

  @Test func `collection`() async throws {
    let described = bytes(
      """
      0a0012190a04636f6c6c2211086412026964180122036b657928054001182c220276302a027030300a380b40024a02616c52070a027030\
      12017858036204636f6c6c6a060a0161120162720264627801800103
      """)
    try await withFakeClient(["DescribeCollection": described]) { client, _ in
      let collection = try await client.describeCollection("alias", in: "elsewhere")
      #expect(
        collection
          == CollectionDescription(
            collectionID: 44, collectionName: "coll", dbName: "db", dbID: 3,
            schema: MilvusCollectionSchema(
              name: "coll",
              fields: [
                MilvusFieldSchema(
                  fieldID: 100, name: "id", isPrimaryKey: true, description: "key", dataType: .int64, autoID: true)
              ]),
            shardsNum: 2, consistencyLevel: .eventually, aliases: ["al"],
            properties: [MilvusKeyValue(key: "a", value: "b")], virtualChannelNames: ["v0"],
            physicalChannelNames: ["p0"], createdTimestamp: 10, createdUTCTimestamp: 11, numPartitions: 1))
    }
  }

  @Test func `collection of a server that leaves out the names`() async throws {
    try await withFakeClient(["DescribeCollection": answer { _ in ProtoDescribeCollectionResponse() }]) { client, _ in
      let collection = try await client.describeCollection("c", in: "d")
      #expect(collection.collectionName == "c")
      #expect(collection.dbName == "d")
    }
  }

  @Test func `collection asked for by an alias`() async throws {
    let described = answer { _ in
      ProtoDescribeCollectionResponse.with {
        $0.collectionName = "alias"
        $0.schema.name = "coll"
      }
    }
    try await withFakeClient(["DescribeCollection": described]) { client, _ in
      let collection = try await client.describeCollection("alias", in: "d")
      #expect(collection.collectionName == "coll")
    }
  }

  @Test func `segments`() async throws {
    let segments = bytes("0a0012190801100218ffffffffffffffffff0120042804300138014002")
    try await withFakeClient(["GetPersistentSegmentInfo": segments]) { client, _ in
      let segments = try await client.segments(of: "c", in: "")
      #expect(
        segments == [
          SegmentInfo(
            segmentID: 1, collectionID: 2, partitionID: -1, numOfRows: 4, state: .flushed, level: .l0,
            isSorted: true, storageVersion: 2)
        ])
    }
  }

  @Test func `flush`() async throws {
    let flushed = bytes(
      """
      0a001201641a0c0a04636f6c6c12040a020102220b0a04636f6c6c12030a01032a0c0a04636f6c6c1080e2cfaa0632100a04636f6c6c10\
      8080b2e8c6a4bd96063a1f0a02636812190a026368120208011a03677270208180b2e8c6a4bd96062801
      """)
    try await withFakeClient(["Flush": flushed]) { client, _ in
      let flush = try await client.flush("coll", in: "d")
      #expect(flush.segmentIDs == [1, 2])
      #expect(flush.flushedSegmentIDs == [3])
      #expect(flush.sealTime == 1_700_000_000)
      #expect(flush.flushTimestamp == 445_000_000_000_000_000)
      let checkpoint = try #require(flush.channelCheckpoints["ch"])
      #expect(checkpoint.timestamp == 445_000_000_000_000_001)
      #expect(checkpoint.channelName == "ch")
      #expect(checkpoint.serialized.hex == "0a026368120208011a03677270208180b2e8c6a4bd96062801")
      #expect(flush.channelCheckpoints.count == 1)
      let other = try await client.flush("other", in: "d")
      #expect(other.segmentIDs == nil, "an answer without the collection is told from one with no segments")
    }
  }

  @Test func `import progress`() async throws {
    let progress = bytes(
      """
      0a001006189d9c012201012a0c0a0566696c65731203612c622a170a1070726f67726573735f70657263656e7412033130303009380842\
      0205064880e2cfaa06
      """)
    try await withFakeClient(["GetImportState": progress]) { client, _ in
      let progress = try await client.importState(of: 9)
      #expect(
        progress
          == ImportProgress(
            taskID: 9, state: .completed, rowCount: 19997, percent: 100, failedReason: nil, collectionID: 8,
            segmentIDs: [5, 6], createTimestamp: 1_700_000_000,
            infos: [
              MilvusKeyValue(key: "files", value: "a,b"), MilvusKeyValue(key: "progress_percent", value: "100"),
            ]))
    }
  }

  @Test func `failed import tells why`() async throws {
    let failed = answer { _ in
      ProtoGetImportStateResponse.with {
        $0.state = 7
        $0.infos = [
          .with {
            $0.key = "failed_reason"
            $0.value = "the field is missing"
          }
        ]
      }
    }
    try await withFakeClient(["GetImportState": failed]) { client, _ in
      let progress = try await client.importState(of: 3)
      #expect(progress.failedReason == "the field is missing")
      #expect(progress.percent == nil)
      #expect(progress.state.isFailure && progress.state.isFinished)
    }
  }

  @Test(
    arguments: [
      (0, false, false), (1, true, true), (2, false, false), (5, false, false), (6, true, false), (7, true, true),
      (8, false, false), (42, false, false),
    ] as [(Int32, Bool, Bool)])
  func `states that end an import`(number: Int32, isFinished: Bool, isFailure: Bool) {
    let state = ImportState(rawValue: number)
    #expect(state.isFinished == isFinished)
    #expect(state.isFailure == isFailure)
  }

  @Test func `indexes`() async throws {
    let indexes = bytes(
      """
      0a00122a0a016910041a120a0a696e6465785f747970651204484e53572203766563280130023803480550015806
      """)
    try await withFakeClient(["DescribeIndex": indexes]) { client, _ in
      let index = try #require(try await client.indexes(of: "c", in: "").first)
      #expect(
        index
          == IndexDescription(
            indexName: "i", indexID: 4, fieldName: "vec", params: [MilvusKeyValue(key: "index_type", value: "HNSW")],
            indexedRows: 1, totalRows: 2, pendingIndexRows: 5, state: .finished, stateFailReason: "",
            minIndexVersion: 1, maxIndexVersion: 6))
      #expect(index.indexType == "HNSW")
    }
  }

  @Test(arguments: [
    (25, 0, "index not exist"), (25, 700, "index not found[collection=c]"), (1, 65535, "index not found"),
  ])
  func `collection without index has no indexes`(errorCode: Int32, code: Int32, reason: String) async throws {
    let status = failure(errorCode, code, reason)
    let missing = answer { _ in ProtoDescribeIndexResponse.with { $0.status = status } }
    try await withFakeClient(["DescribeIndex": missing]) { client, _ in
      let isEmpty = try await client.indexes(of: "c", in: "").isEmpty
      #expect(isEmpty)
    }
  }

  @Test func `indexes of a missing collection are an error`() async throws {
    let status = failure(4, 100, "collection not found[database=default][collection=c]")
    let missing = answer { _ in ProtoDescribeIndexResponse.with { $0.status = status } }
    try await withFakeClient(["DescribeIndex": missing]) { client, _ in
      let error = try await #require(throws: MilvusError.self) { try await client.indexes(of: "c", in: "") }
      #expect(error.code == .notFound)
      #expect(error.call == "DescribeIndex")
      #expect(error.object == "collection \"c\" in the default database")
    }
  }

  @Test func `missing collection is an answer, missing database an error`() async throws {
    let collection = failure(4, 100, "collection not found[collection=c]")
    let database = failure(1, 800, "database not found[database=nodb]")
    let has: FakeMilvus.Handler = { call, _ in
      let status = call.header("dbname") == ["nodb"] ? database : collection
      return try ProtoBoolResponse.with { $0.status = status }.serializedBytes()
    }
    try await withFakeClient(["HasCollection": has]) { client, _ in
      let exists = try await client.hasCollection("c", in: "d")
      #expect(!exists)
      let error = try await #require(throws: MilvusError.self) { try await client.hasCollection("c", in: "nodb") }
      #expect(error.code == .notFound)
    }
  }

  @Test func `lists that run side by side may be short`() async throws {
    let databases = answer { _ in
      ProtoListDatabasesResponse.with {
        $0.dbNames = ["default", "b"]
        $0.createdTimestamp = [5]
      }
    }
    let collections = answer { _ in
      ProtoShowCollectionsResponse.with {
        $0.collectionNames = ["x", "y"]
        $0.collectionIds = [1, 2]
        $0.createdTimestamps = [3]
      }
    }
    let partitions = answer { _ in
      ProtoShowPartitionsResponse.with {
        $0.partitionNames = ["_default", "p"]
        $0.partitionIds = [7, 8]
        $0.createdTimestamps = [9]
      }
    }
    let handlers = ["ListDatabases": databases, "ShowCollections": collections, "ShowPartitions": partitions]
    try await withFakeClient(handlers) { client, _ in
      let names = try await client.databases().map(\.name)
      #expect(names == ["default", "b"])
      let times = try await client.databases().map(\.createdTimestamp)
      #expect(times == [5, 0])
      let collections = try await client.collections(in: "")
      #expect(
        collections == [
          CollectionSummary(name: "x", id: 1, createdTimestamp: 3),
          CollectionSummary(name: "y", id: 2, createdTimestamp: 0),
        ])
      let partitions = try await client.partitions(of: "x", in: "")
      #expect(
        partitions == [
          PartitionInfo(partitionID: 7, partitionName: "_default", createdTimestamp: 9),
          PartitionInfo(partitionID: 8, partitionName: "p", createdTimestamp: 0),
        ])
    }
  }

  @Test func `answers without what they must have are errors`() async throws {
    let handlers = [
      "Import": answer { _ in ProtoImportResponse() },
      "GetCollectionStatistics": answer { _ in ProtoGetCollectionStatisticsResponse() },
      "Query": answer { _ in ProtoQueryResults() },
    ]
    try await withFakeClient(handlers) { client, _ in
      let noTask = try await #require(throws: MilvusError.self) {
        try await client.importFiles(["a/", ""], into: "c", partition: "p", in: "")
      }
      #expect(noTask.code == .server)
      let noCount = try await #require(throws: MilvusError.self) { try await client.rowCount(of: "c", in: "") }
      #expect(noCount.code == .server)
      let noRows = try await #require(throws: MilvusError.self) { try await client.queryableRows(of: "c", in: "") }
      #expect(noRows.code == .server)
    }
  }

  @Test func `answer that is no message is an error`() async throws {
    try await withFakeClient(["HasPartition": bytes("ffffffff")]) { client, _ in
      let error = try await #require(throws: MilvusError.self) {
        try await client.hasPartition("p", of: "c", in: "")
      }
      #expect(error.code != .unreachable)
      #expect(error.call == "HasPartition")
    }
  }

  @Test func `large answer is taken`() async throws {
    // More than gRPC's usual limit of 4 MiB.
    let many = answer { _ in
      ProtoGetPersistentSegmentInfoResponse.with { response in
        response.infos = (1...400_000).map { id in .with { $0.segmentID = Int64(id) << 32 } }
      }
    }
    try await withFakeClient(["GetPersistentSegmentInfo": many]) { client, _ in
      let count = try await client.segments(of: "c", in: "").count
      #expect(count == 400_000)
    }
  }
}
