import GRPCCore
import SwiftProtobuf
import Testing

@testable import MilvusClient

@Suite(.serialized) struct StartUpTests {
  private let unimplemented: FakeMilvus.Handler = { _, _ in
    throw RPCError(code: .unimplemented, message: "unknown method")
  }

  @Test func `server tells its version and what it is`() async throws {
    let connect = answer { _ in
      ProtoConnectResponse.with {
        $0.identifier = 5
        $0.serverInfo.deployMode = "STANDALONE"
      }
    }
    try await withFakeMilvus(["Connect": connect]) { endpoint, _ in
      try await withMilvusClient(to: endpoint, options: testOptions) { client in
        #expect(
          client.server
            == MilvusServer(
              versionText: "v2.3.5", version: ServerVersion(2, 3, 5),
              features: ServerFeatures(version: ServerVersion(2, 3, 5), multiDatabase: true),
              deployMode: "STANDALONE", identifier: 5))
      }
    }
  }

  @Test func `client introduces itself`() async throws {
    try await withFakeMilvus { endpoint, fake in
      var endpoint = endpoint
      endpoint.credentials = MilvusCredentials(user: "root", password: "Milvus")
      var options = testOptions
      options.clientName = "tester"
      options.clientVersion = "1.2"
      try await withMilvusClient(to: endpoint, options: options) { _ in }
      let call = try #require(fake.recorded("Connect").first)
      let info = try ProtoConnectRequest(serializedBytes: call.message).clientInfo
      #expect(info.sdkType == "tester")
      #expect(info.sdkVersion == "1.2")
      #expect(info.user == "root")
      #expect(!info.host.isEmpty)
      #expect(info.localTime.contains("T"))
      #expect(fake.recorded().allSatisfy { $0.header("authorization") == ["cm9vdDpNaWx2dXM="] })
      #expect(fake.recorded().count == 3)
    }
  }

  @Test func `server without Connect has no identifier`() async throws {
    try await withFakeMilvus(["Connect": unimplemented]) { endpoint, fake in
      try await withMilvusClient(to: endpoint, options: testOptions) { client in
        #expect(client.server.identifier == nil)
        _ = try await client.databases()
        #expect(fake.recorded().allSatisfy { $0.header("identifier").isEmpty })
      }
    }
  }

  @Test func `server without databases is never sent a database`() async throws {
    let handlers = [
      "ListDatabases": unimplemented, "ShowCollections": answer { _ in ProtoShowCollectionsResponse() },
    ]
    try await withFakeMilvus(handlers) { endpoint, fake in
      try await withMilvusClient(to: endpoint, options: testOptions) { client in
        #expect(!client.server.features.multiDatabase)
        let names = try await client.databases().map(\.name)
        #expect(names == ["default"])
        _ = try await client.collections(in: "default")
        #expect(fake.recorded("ShowCollections").map { $0.header("dbname") } == [[]])
        #expect(fake.recorded("ListDatabases").count == 1, "only the probe asked for databases")
      }
    }
  }

  @Test(arguments: [true, false]) func `user without the right to list databases can connect`(
    asStatus: Bool
  ) async throws {
    // Milvus 2.3 refuses with a gRPC status, newer servers with one in the answer.
    let refused: FakeMilvus.Handler = { _, _ in
      guard asStatus else { throw RPCError(code: .permissionDenied, message: "permission deny to weak") }
      return try ProtoListDatabasesResponse.with { $0.status.code = 1401 }.serializedBytes()
    }
    try await withFakeMilvus(["ListDatabases": refused]) { endpoint, _ in
      try await withMilvusClient(to: endpoint, options: testOptions) { client in
        #expect(client.server.features.multiDatabase)
        let error = try await #require(throws: MilvusError.self) { try await client.databases() }
        #expect(error.code == .permission)
      }
    }
  }

  @Test(arguments: ["Connect", "ListDatabases", "GetVersion"])
  func `wrong password ends the start-up at once`(method: String) async throws {
    let refused: FakeMilvus.Handler = { _, _ in
      throw RPCError(code: .unauthenticated, message: "auth check failure, please check username and password")
    }
    try await withFakeMilvus([method: refused]) { endpoint, fake in
      var endpoint = endpoint
      endpoint.credentials = MilvusCredentials(user: "root", password: "wr0ng-word")
      let target = endpoint
      let error = try await #require(throws: MilvusError.self) {
        try await MilvusClient.connect(to: target, options: testOptions)
      }
      #expect(error.code == .authentication)
      #expect(error.call == method)
      #expect(error.description.contains("milvus.password"))
      #expect(!error.description.contains("wr0ng"))
      #expect(fake.recorded(method).count == 1)
    }
  }

  @Test func `server that is starting is not waited for`() async throws {
    let starting = answer { _ in ProtoGetVersionResponse.with { $0.status.errorCode = 56 } }
    try await withFakeMilvus(["GetVersion": starting]) { endpoint, fake in
      let error = try await #require(throws: MilvusError.self) {
        try await MilvusClient.connect(to: endpoint, options: testOptions)
      }
      #expect(error.code == .unreachable)
      #expect(fake.recorded("GetVersion").count == 1)
    }
  }
}
