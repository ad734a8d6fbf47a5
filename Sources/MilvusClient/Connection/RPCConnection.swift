// The gRPC side of the client: channels, and one attempt of a call at a time per caller.
//
// Invariants: every attempt ends, within its timeout, with an answer or a MilvusError; channels live from their making to
// `close` (or deinit), or until enough calls have gone through them and the last of those has ended; no password gets
// into an error.

internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import GRPCProtobuf
internal import SwiftProtobuf
internal import Synchronization

/// The connection to one Milvus proxy.
final class RPCConnection: Sendable {
  private static let service = ServiceDescriptor(fullyQualifiedService: "milvus.proto.milvus.MilvusService")
  /// The largest message, in bytes: what Milvus' own clients allow.
  private static let maxMessageBytes = Int(Int32.max)
  /// How long `close` waits.
  private static let closeLimit = Duration.seconds(1)

  let endpoint: MilvusEndpoint
  private let roster: Mutex<ChannelRoster<RPCChannel>>
  private let isClosed = Atomic(false)

  /// Opens the first channel; the connection itself is made when the first call needs it.
  /// - Throws: `MilvusError` (`invalidArgument`) if certificate files cannot be used.
  init(to endpoint: MilvusEndpoint) throws(MilvusError) {
    self.endpoint = endpoint
    let first = RPCChannel(try Self.transport(to: endpoint))
    roster = Mutex(ChannelRoster(first, maxCalls: RPCChannel.maxCalls))
  }

  /// Ends the connection; calls under way fail with `cancelled`.
  ///
  /// Waits for the end, but not long: a TCP connection being made cannot be called off, and would hold the caller up
  /// for ten seconds.
  func close() async {
    isClosed.store(true, ordering: .relaxed)
    let channels = roster.withLock(\.channels)
    for channel in channels { channel.end() }
    await withTaskGroup { group in
      group.addTask { for channel in channels { await channel.hasEnded() } }
      group.addTask { try? await Task.sleep(for: Self.closeLimit) }
      await group.next()
      group.cancelAll()
    }
  }

  /// Sends one request and waits for its answer, without repeating anything.
  ///
  /// - Parameters:
  ///   - call: name of the method, which is also its name on the wire.
  ///   - object: what the call is about, for errors.
  ///   - timeout: limit of the whole attempt.
  ///   - connectTimeout: limit of the time until the request can be sent.
  ///   - checked: whether an answer whose status is a failure is an error.
  func attempt<Request: Message, Response: Message & MilvusResponse>(
    _ call: String, _ request: Request, metadata: Metadata, about object: String?, timeout: Duration,
    connectTimeout: Duration, checked: Bool = true
  ) async throws(MilvusError) -> Response {
    let sent = SentFlag()
    let channel = roster.withLock { roster in
      roster.take { isClosed.load(ordering: .relaxed) ? nil : (try? Self.transport(to: endpoint)).map(RPCChannel.init) }
    }
    defer { for idle in roster.withLock({ $0.giveBack(channel) }) { idle.end() } }
    let response: Response
    do {
      response = try await withThrowingTaskGroup(of: Response?.self) { group in
        defer { group.cancelAll() }
        group.addTask {
          try await Self.exchange(
            call, request, on: channel.client, metadata: metadata, timeout: timeout, sent: sent)
        }
        // Without this a server that takes connections and says nothing would cost the whole timeout of a long call.
        group.addTask {
          try await Task.sleep(for: connectTimeout)
          if !sent.isSet { throw ConnectTimeout() }
          return nil
        }
        while let outcome = try await group.next() {
          if let response = outcome { return response }
        }
        throw CancellationError()
      }
    } catch {
      throw MilvusError(
        call: call, object: object, endpoint: endpoint, failure: error, wasSent: sent.isSet,
        isClosed: isClosed.load(ordering: .relaxed), isCancelled: Task.isCancelled)
    }
    if checked && !response.status.isSuccess {
      throw MilvusError(call: call, object: object, endpoint: endpoint, status: response.status)
    }
    return response
  }

  private static func exchange<Request: Message, Response: Message>(
    _ call: String, _ request: Request, on client: GRPCClient<HTTP2ClientTransport.Posix>, metadata: Metadata,
    timeout: Duration, sent: SentFlag
  ) async throws -> Response {
    var options = CallOptions.defaults
    options.timeout = timeout
    options.waitForReady = false
    options.maxRequestMessageBytes = maxMessageBytes
    options.maxResponseMessageBytes = maxMessageBytes
    // A request by closure rather than by value: the closure runs when a stream is there to write to, and from then on
    // the server may act on the request.
    let request = StreamingClientRequest<Request>(metadata: metadata) { writer in
      sent.set()
      try await writer.write(request)
    }
    return try await client.clientStreaming(
      request: request, descriptor: MethodDescriptor(service: service, method: call),
      serializer: ProtobufSerializer<Request>(), deserializer: ProtobufDeserializer<Response>(), options: options
    ) { response in
      try response.message
    }
  }
}

/// No connection became usable in time.
struct ConnectTimeout: Error {}

/// Whether a request was handed to an open stream.
private final class SentFlag: Sendable {
  private let value = Atomic(false)
  var isSet: Bool { value.load(ordering: .relaxed) }
  func set() { value.store(true, ordering: .relaxed) }
}
