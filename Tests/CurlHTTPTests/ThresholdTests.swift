import Glibc
import Testing

@testable import CurlHTTP

/// Waking up for many bytes at once, and never too late.
@Suite(.timeLimit(.minutes(1))) struct ThresholdTests {
  @Test func aFastSenderIsWaitedForInLargePieces() {
    var threshold = ReceiveThreshold()
    let size = 64 << 20
    var changes: [Int] = []
    for received in stride(from: 16 << 10, through: size, by: 16 << 10) {
      let remaining = size - received
      guard threshold.isDue(received: received, remaining: remaining) else { continue }
      // 500 MB a second.
      if let bytes = threshold.update(received: received, remaining: remaining, now: Double(received) / 5e8) {
        changes.append(bytes)
      }
      #expect(threshold.bytes == ReceiveThreshold.none || threshold.bytes <= remaining - (64 << 10))
    }
    #expect(changes == [512 << 10, 256 << 10, 128 << 10, 64 << 10, 1])
  }

  @Test func aSlowSenderIsNot() {
    var threshold = ReceiveThreshold()
    let size = 8 << 20
    for received in stride(from: 16 << 10, through: size, by: 16 << 10) {
      #expect(threshold.update(received: received, remaining: size - received, now: Double(received) / 1e6) == nil)
    }
    #expect(threshold.relax() == nil)
  }

  @Test func aBodyBeginsWithWhatTheOneBeforeShowed() {
    var threshold = ReceiveThreshold(rate: 5e8)
    let size = 512 << 10
    #expect(threshold.update(received: 16 << 10, remaining: size - (16 << 10), now: 7) == 256 << 10)
    #expect(ReceiveThreshold(rate: 5e8).bytes == ReceiveThreshold.none)
    var small = ReceiveThreshold(rate: 5e8)
    #expect(small.update(received: 16 << 10, remaining: 48 << 10, now: 7) == nil, "less than TLS may hold back")
  }

  @Test func oneThatFallsSilentLosesItsCredit() {
    var threshold = ReceiveThreshold()
    _ = threshold.update(received: 1 << 20, remaining: 64 << 20, now: 0)
    #expect(threshold.update(received: 2 << 20, remaining: 63 << 20, now: 0.002) == 512 << 10)
    #expect(threshold.relax() == nil, "something came since the last look")
    #expect(threshold.relax() == 1)
    #expect(!threshold.isDue(received: 10 << 20, remaining: 50 << 20))
  }

  /// Sends a body of a head start and a rest that comes as `rest` sends it, twice on one connection.
  private func receive(
    fast: Int, rest: Int, timeouts: HTTPTimeouts? = nil, _ send: @escaping @Sendable (ServerConnection, Int) -> Void
  ) async throws {
    let server = try ScriptedServer { connection in
      while connection.readRequest() != nil {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(fast + rest)\r\n\r\n")
        connection.send([UInt8](repeating: 1, count: fast))
        send(connection, rest)
      }
    }
    let engine = try HTTPEngine()
    for _ in 0..<2 {
      let answer = try await engine.send(
        HTTPRequest(.get, url: server.url, maximumBodySize: fast + rest, timeouts: timeouts))
      #expect(answer.body.count == fast + rest)
    }
    #expect(server.connectionCount == 1)
  }

  @Test(arguments: [0, 1, 1000, 70_000, 400_000])
  func theEndOfABodyIsNotWaitedFor(rest: Int) async throws {
    try await receive(fast: 32 << 20, rest: rest) { connection, rest in
      usleep(300_000)
      connection.send([UInt8](repeating: 2, count: rest))
    }
  }

  @Test func aSenderThatBecomesSlowIsNotTakenForOneThatStalls() async throws {
    // 200 pieces of 1 KiB in four seconds: far below what would be waited for at the speed before.
    try await receive(
      fast: 32 << 20, rest: (200 << 10) + (1 << 20), timeouts: HTTPTimeouts(connect: 5, stall: 2, total: nil)
    ) { connection, rest in
      for _ in 0..<200 {
        connection.send([UInt8](repeating: 3, count: 1 << 10))
        usleep(20_000)
      }
      connection.send([UInt8](repeating: 4, count: rest - (200 << 10)))
    }
  }
}
