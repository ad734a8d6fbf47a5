import GRPCCore
import SwiftProtobuf
import Testing

@testable import MilvusClient

@Suite struct MilvusErrorTests {
  private static let endpoint = MilvusEndpoint(host: "10.0.0.7")

  private static func status(_ errorCode: Int32, _ code: Int32, _ reason: String = "") -> ProtoStatus {
    .with {
      $0.errorCode = errorCode
      $0.code = code
      $0.reason = reason
    }
  }

  @Test func `both generations must say success`() {
    #expect(Self.status(0, 0).isSuccess)
    #expect(!Self.status(1, 0).isSuccess)
    #expect(!Self.status(0, 100).isSuccess)
    #expect(!Self.status(1, 65535).isSuccess)
  }

  // The statuses with a reason are what Milvus 2.3.5 answers.
  @Test(
    arguments: [
      (1, 100, "can't find collection collection not found[database=default][collection=nope]", "notFound"),
      (4, 100, "collection not found[database=default][collection=nope]", "notFound"),
      (1, 800, "database not found[database=nodb]", "notFound"),
      (1, 65535, "database:nodb not found", "notFound"),
      (15, 200, "partition not found[partition=zz]", "notFound"),
      (1, 1000, "key not found[key=by-dev/meta/importtask/12345]", "notFound"),
      (1, 65535, "database already exist: h3_db", "alreadyExists"),
      (1, 65535, "create duplicate collection with different parameters, collection: c", "alreadyExists"),
      (1, 1601, "alias and collection name conflict[database=default][alias=a]", "alreadyExists"),
      (5, 1100, "partition not specified: invalid parameter", "invalidArgument"),
      (1, 802, "invalid database name[database=h3 db]", "invalidArgument"),
      (1, 65535, "CreateIndex failed: creating multiple indexes on same field is not supported", "server"),
      (1, 65535, "attempt #9: rpc error: code = Unknown desc = collection not found[collection=c]", "notFound"),
      (49, 8, "rate limit exceeded", "rateLimited"), (0, 8, "", "rateLimited"), (49, 0, "", "rateLimited"),
      (1, 0, "request is rejected by grpc RateLimiter middleware: rate limit exceeded", "rateLimited"),
      (56, 1, "service not ready", "unreachable"), (1, 0, "Milvus Proxy is not ready yet", "unreachable"),
      (1, 65535, "empty grpc client: find no available rootcoord, check rootcoord state", "unreachable"),
      (25, 700, "index not found", "notFound"), (25, 0, "", "notFound"), (1, 0, "index not exist", "notFound"),
      (1, 1401, "", "permission"), (3, 0, "", "permission"), (1, 1400, "", "authentication"),
      (0, 10, "", "unsupported"), (1, 5, "node not found", "server"), (1, 901, "node not found", "server"),
      (1, 0, "", "server"), (99, 99, "", "server"),
    ] as [(Int32, Int32, String, String)])
  func `status tells the kind of failure`(errorCode: Int32, code: Int32, reason: String, kind: String) {
    let error = MilvusError(
      call: "X", object: nil, endpoint: Self.endpoint, status: Self.status(errorCode, code, reason))
    #expect(error.code.description == kind)
    #expect(error.status == MilvusStatusCode(errorCode: errorCode, code: code))
    #expect(!error.reason.isEmpty)
    #expect(!error.mayHaveHappened, "an answer leaves nothing open")
  }

  @Test(
    arguments: [
      (RPCError.Code.unavailable, "", true, "unreachable", true), (.unavailable, "", false, "unreachable", false),
      (.deadlineExceeded, "", true, "timedOut", true), (.deadlineExceeded, "", false, "unreachable", false),
      (.unauthenticated, "", true, "authentication", false), (.permissionDenied, "", true, "permission", false),
      (.unimplemented, "", true, "unsupported", false),
      (.resourceExhausted, "rate limit exceeded", true, "rateLimited", false),
      (.resourceExhausted, "received message larger than max (5 vs. 4)", true, "invalidArgument", false),
      (.internalError, "", true, "server", false),
    ] as [(RPCError.Code, String, Bool, String, Bool)])
  func `gRPC status tells the kind of failure`(
    code: RPCError.Code, message: String, wasSent: Bool, kind: String, mayHaveHappened: Bool
  ) {
    let error = MilvusError(
      call: "X", object: nil, endpoint: Self.endpoint, failure: RPCError(code: code, message: message),
      wasSent: wasSent, isClosed: false, isCancelled: false)
    #expect(error.code.description == kind)
    #expect(error.mayHaveHappened == mayHaveHappened)
    #expect(!error.reason.isEmpty)
  }

  @Test func `description is a sentence with server, call, object, reason and remedy`() {
    let refused = MilvusError(
      call: "DescribeCollection", object: MilvusClient.name(collection: "c", "d"), endpoint: Self.endpoint,
      status: Self.status(4, 100, "collection not found[collection=c]"))
    #expect(
      refused.description == """
        Milvus at 10.0.0.7:19530 refused DescribeCollection of collection "c" in database "d": \
        collection not found[collection=c]
        """)
    let late = MilvusError(
      code: .timedOut, call: "Import", object: "partition \"p\"", server: "h:1", reason: "no answer for 120 s",
      remedy: "look at the server", mayHaveHappened: true)
    #expect(
      late.description == """
        Milvus at h:1 did not answer Import of partition "p" in time (no answer for 120 s); the server may have \
        carried out the call all the same; look at the server
        """)
  }

  @Test func `missing index is told from a missing collection`() {
    func error(_ errorCode: Int32, _ code: Int32, _ reason: String) -> MilvusError {
      MilvusError(call: "X", object: nil, endpoint: Self.endpoint, status: Self.status(errorCode, code, reason))
    }
    #expect(error(25, 0, "").isAboutMissingIndex)
    #expect(error(25, 700, "index not found[collection=c]").isAboutMissingIndex)
    #expect(error(1, 700, "index not found").isAboutMissingIndex)
    #expect(error(1, 65535, "index not found").isAboutMissingIndex)
    #expect(!error(4, 100, "collection not found[collection=index]").isAboutMissingIndex)
    #expect(error(1, 800, "database not found[database=d]").isAboutDatabase)
    #expect(!error(4, 100, "collection not found[database=d]").isAboutDatabase)
  }
}
