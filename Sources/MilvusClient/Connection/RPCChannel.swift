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

/// The channels of a connection: one for new calls, and those before it that still have calls under way. A value without
/// I/O.
struct ChannelRoster<Channel: AnyObject> {
  private struct Slot {
    let channel: Channel
    var calls = 0
    var underWay = 0
  }

  private let maxCalls: Int
  private var slots: [Slot]

  init(_ first: Channel, maxCalls: Int) {
    self.maxCalls = maxCalls
    slots = [Slot(channel: first)]
  }

  /// All channels that have not been given up.
  var channels: [Channel] { slots.map(\.channel) }

  /// The channel for one more call.
  /// - Parameter make: makes a channel; nil if it cannot, then the present one goes on.
  mutating func take(_ make: () -> Channel?) -> Channel {
    if slots[slots.count - 1].calls >= maxCalls, let new = make() { slots.append(Slot(channel: new)) }
    slots[slots.count - 1].calls += 1
    slots[slots.count - 1].underWay += 1
    return slots[slots.count - 1].channel
  }

  /// A call has ended.
  /// - Returns: the channels that nobody needs any more.
  mutating func giveBack(_ channel: Channel) -> [Channel] {
    if let index = slots.firstIndex(where: { $0.channel === channel }) { slots[index].underWay -= 1 }
    let idle = slots.dropLast().filter { $0.underWay == 0 }.map(\.channel)
    let last = slots.count - 1
    slots = slots.enumerated().filter { $0.offset == last || $0.element.underWay > 0 }.map(\.element)
    return idle
  }
}
