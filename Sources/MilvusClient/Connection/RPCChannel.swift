// One gRPC channel and the task that runs it, for a bounded number of calls.

internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix

/// A channel. Runs from init to `end` (or deinit).
final class RPCChannel: Sendable {
  /// Calls of one channel. Milvus' server answers each request with a PING beside the answer, and the HTTP/2 library
  /// (swift-nio-http2, 200 control frames in 30 seconds) takes more of them for an attack: it drops the connection, and the
  /// calls under way with it. Seen: a restore of 64 partitions lost its connection every 23 seconds, until Milvus 2.3.5 died
  /// of an abandoned GetImportState.
  static let maxCalls = 150

  let client: GRPCClient<HTTP2ClientTransport.Posix>
  private let running: Task<Void, Never>
  private let ended: AsyncStream<Never>

  /// The connection itself is made when the first call needs it.
  init(_ transport: HTTP2ClientTransport.Posix) {
    let client = GRPCClient(transport: transport)
    self.client = client
    let (ended, end) = AsyncStream<Never>.makeStream()
    self.ended = ended
    // Ends by `end` or by cancellation. Its error tells no more than those of the calls.
    self.running = Task {
      try? await client.runConnections()
      end.finish()
    }
  }

  deinit {
    running.cancel()
  }

  /// Ends the channel and the calls under way.
  func end() {
    client.beginGracefulShutdown()
    running.cancel()
  }

  /// Returns when the channel has ended.
  func hasEnded() async { for await _ in ended {} }
}
