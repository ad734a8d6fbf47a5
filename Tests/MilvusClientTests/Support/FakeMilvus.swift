// A Milvus that answers only what a test tells it to, over real HTTP/2 on a port of its own. It is strict: a call no
// test expects is UNIMPLEMENTED, and every call is recorded with its headers.

import GRPCCore
import GRPCNIOTransportHTTP2Posix
import SwiftProtobuf
import Synchronization

@testable import MilvusClient

/// One call as the server got it.
struct RecordedCall: Sendable {
  let method: String
  let metadata: Metadata
  let message: [UInt8]

  func header(_ name: String) -> [String] { Array(metadata[stringValues: name]) }
}

final class FakeMilvus: RegistrableRPCService {
  /// Answers a call; `attempt` counts the calls of the method from 1.
  typealias Handler = @Sendable (_ call: RecordedCall, _ attempt: Int) async throws -> [UInt8]

  private let handlers: [String: Handler]
  private let calls = Mutex<[RecordedCall]>([])

  init(_ handlers: [String: Handler]) {
    self.handlers = handlers
  }

  /// The calls of a method so far, or all.
  func recorded(_ method: String? = nil) -> [RecordedCall] {
    calls.withLock { calls in calls.filter { method == nil || $0.method == method } }
  }

  func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
    for (name, handler) in handlers {
      router.registerHandler(
        forMethod: MethodDescriptor(fullyQualifiedService: "milvus.proto.milvus.MilvusService", method: name),
        deserializer: Bytes(), serializer: Bytes()
      ) { request, _ in
        let request = try await ServerRequest(stream: request)
        let call = RecordedCall(method: name, metadata: request.metadata, message: request.message)
        let attempt = self.calls.withLock { calls in
          calls.append(call)
          return calls.count { $0.method == name }
        }
        return StreamingServerResponse(single: ServerResponse(message: try await handler(call, attempt)))
      }
    }
  }
}

/// Messages as their bytes.
private struct Bytes: MessageSerializer, MessageDeserializer {
  func serialize<Buffer: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Buffer { Buffer(message) }
  func deserialize<Buffer: GRPCContiguousBytes>(_ bytes: Buffer) throws -> [UInt8] {
    bytes.withUnsafeBytes { Array($0) }
  }
}

/// A handler that answers with a message made from the attempt's number.
func answer<Answer: Message>(_ make: @escaping @Sendable (_ attempt: Int) throws -> Answer) -> FakeMilvus.Handler {
  { _, attempt in try make(attempt).serializedBytes() }
}

/// A handler that decodes the request and answers with a message.
func answer<Request: Message, Answer: Message>(
  to: Request.Type, _ make: @escaping @Sendable (Request) throws -> Answer
) -> FakeMilvus.Handler {
  { call, _ in try make(Request(serializedBytes: call.message)).serializedBytes() }
}

/// A handler that takes the call and never answers, until the client gives it up.
let neverAnswers: FakeMilvus.Handler = { _, _ in
  let (never, ended) = AsyncStream<Never>.makeStream()
  await withRPCCancellationHandler {
    for await _ in never {}
  } onCancelRPC: {
    ended.finish()
  }
  return []
}

/// What a server of version 2.3 answers to the start-up calls.
let startUpHandlers: [String: FakeMilvus.Handler] = [
  "Connect": answer { _ in ProtoConnectResponse.with { $0.identifier = 4711 } },
  "ListDatabases": answer { _ in ProtoListDatabasesResponse.with { $0.dbNames = ["default"] } },
  "GetVersion": answer { _ in ProtoGetVersionResponse.with { $0.version = "v2.3.5" } },
]

/// Options for tests: no long waits between attempts, and no deadline that a busy machine could miss. Repetitions end
/// by their number, not by time.
var testOptions: MilvusClientOptions {
  var options = MilvusClientOptions()
  options.startUpTimeout = .seconds(600)
  options.connectTimeout = .seconds(600)
  options.readTimeout = .seconds(600)
  options.changeTimeout = .seconds(600)
  options.longTimeout = .seconds(600)
  options.outageBudget = .seconds(600)
  options.outageDelay = .milliseconds(1)
  options.rateLimitBudget = .seconds(600)
  options.rateLimitDelay = .milliseconds(1)
  return options
}

/// Runs a fake server with the start-up handlers and `handlers`, and gives `body` its endpoint. Port 0: any free one.
func withFakeMilvus<Result: Sendable>(
  _ handlers: [String: FakeMilvus.Handler] = [:], startUp: [String: FakeMilvus.Handler] = startUpHandlers,
  security: HTTP2ServerTransport.Posix.TransportSecurity = .plaintext, port: Int = 0,
  _ body: @Sendable (MilvusEndpoint, FakeMilvus) async throws -> Result
) async throws -> Result {
  let fake = FakeMilvus(startUp.merging(handlers) { $1 })
  let transport = HTTP2ServerTransport.Posix(
    address: .ipv4(host: "127.0.0.1", port: port), transportSecurity: security)
  return try await withGRPCServer(transport: transport, services: [fake]) { server in
    let port = try await server.listeningAddress?.ipv4?.port ?? 0
    return try await body(MilvusEndpoint(host: "127.0.0.1", port: port), fake)
  }
}

/// Runs a fake server and a client connected to it.
func withFakeClient<Result: Sendable>(
  _ handlers: [String: FakeMilvus.Handler], options: MilvusClientOptions = testOptions,
  _ body: @Sendable (MilvusClient, FakeMilvus) async throws -> Result
) async throws -> Result {
  try await withFakeMilvus(handlers) { endpoint, fake in
    try await withMilvusClient(to: endpoint, options: options) { try await body($0, fake) }
  }
}
