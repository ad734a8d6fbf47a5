import Glibc
import Synchronization
import Testing

@testable import FaultProxy

/// A proxy before a server of the test's own.
func proxy(_ server: RawServer, _ rules: FaultRule..., seed: UInt64 = 1) throws -> FaultProxy {
  try FaultProxy(to: SocketAddress(host: "127.0.0.1", port: server.port), rules: rules, seed: seed)
}

@Suite(.timeLimit(.minutes(2))) struct ForwardingTests {
  @Test func everyByteOfRequestAndAnswerStaysAsItWas() async throws {
    let answer =
      "HTTP/1.1 200 Very  OK\r\nx-Odd:   two  spaces \r\nCONTENT-length: 5\r\nx-odd: again\r\n\r\nh\0llo"
    let server = try RawServer { server, connection in
      while server.next(connection) != nil { connection.send(answer) }
    }
    let proxy = try proxy(server)
    let client = try RawSocket(port: proxy.port)
    let head =
      "PUT /b/a%2fb//../c?x=%41&&y HTTP/1.1\r\nhost: signed.example:1\r\nX-ODD:a\r\nx-odd: \u{E9}\r\nContent-Length: 3\r\n\r\n"
    client.send(head + "abc")
    let seen = try client.readMessage()
    #expect(seen.head + seen.text == answer)
    #expect(server.requests.map(\.head) == [head])
    #expect(server.requests.map(\.text) == ["abc"])
  }

  @Test func connectionsAreKeptOnBothSides() async throws {
    let server = try RawServer()
    let proxy = try proxy(server)
    let client = try RawSocket(port: proxy.port)
    for number in 0..<50 {
      client.send("GET /b/\(number) HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(try client.readMessage().text == "/b/\(number)")
    }
    #expect(server.connections == 1)
    #expect(proxy.counters.connections == 1 && proxy.counters.requests == 50)
  }

  @Test func requestsSentTogetherAreAnsweredInTurn() async throws {
    let server = try RawServer()
    let proxy = try proxy(server)
    let client = try RawSocket(port: proxy.port)
    let requests = (0..<20).map { "PUT /b/\($0) HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n\($0 + 10)" }
    client.send(requests.joined())
    for number in 0..<20 { #expect(try client.readMessage().text == "\(number + 10)") }
  }

  @Test func largeBodiesPassWhole() async throws {
    let server = try RawServer()
    let proxy = try proxy(server)
    let client = try RawSocket(port: proxy.port)
    let body = (0..<(24 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
    onThread {
      client.send("PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.count)\r\n\r\n")
      client.send(body)
    }
    #expect(try client.readMessage().body == body)
  }

  @Test func aStoreThatDoesNotReadStopsTheClient() async throws {
    let go = Mutex(false)
    let server = try RawServer { server, connection in
      while !go.withLock({ $0 }) { usleep(10_000) }
      server.echo(connection)
    }
    let proxy = try proxy(server)
    let client = try RawSocket(port: proxy.port)
    let size = 256 << 20
    client.send("PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n")
    // The sockets' own buffers take some megabytes on each side.
    #expect(client.sendWhatFits(limit: size) < 64 << 20)
    go.withLock { $0 = true }
  }

  @Test(arguments: ["5\r\nhello\r\n0\r\n\r\n", "2;x=y\r\nhe\r\n03\r\nllo\r\n0\r\nTrailer: t\r\n\r\n"])
  func chunkedBodiesPassAndEnd(body: String) async throws {
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(body)"
    let server = try RawServer { server, connection in
      while server.next(connection) != nil {
        // In small pieces: the end must be found wherever it is cut.
        for byte in answer.utf8 { connection.send([byte]) }
      }
    }
    let proxy = try proxy(server)
    let client = try RawSocket(port: proxy.port)
    for _ in 0..<2 {
      client.send("GET /b/k HTTP/1.1\r\nHost: h\r\n\r\n")
      var seen: [UInt8] = []
      while seen.count < answer.utf8.count { seen += try client.receive().get() }
      #expect(String(decoding: seen, as: UTF8.self) == answer)
    }
    #expect(server.connections == 1)
  }

  @Test func leaveToSendTheBodyPasses() async throws {
    let server = try RawServer { _, connection in
      _ = try? connection.readMessage(hasBody: false)
      connection.send("HTTP/1.1 100 Continue\r\n\r\n")
      if let body = try? connection.receive().get() {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n")
        connection.send(body)
      }
    }
    let proxy = try proxy(server)
    let client = try RawSocket(port: proxy.port)
    client.send("PUT /b/k HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    #expect(try client.readMessage().firstLine == "HTTP/1.1 100 Continue")
    client.send("ab")
    #expect(try client.readMessage().text == "ab")
  }

  @Test func anAnswerBeforeTheEndOfTheRequestArrives() async throws {
    let server = try RawServer { _, connection in
      _ = try? connection.readMessage(hasBody: false)
      connection.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
    }
    let proxy = try proxy(server)
    let client = try RawSocket(port: proxy.port)
    client.send("PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\nx")
    let answer = client.readAll()
    #expect(String(decoding: answer.bytes, as: UTF8.self).hasSuffix("\r\n\r\nno"))
    #expect(answer.end == .closed)
  }

  @Test func anAnswerWithoutLengthEndsWithItsConnection() async throws {
    let server = try RawServer { server, connection in
      _ = server.next(connection)
      connection.send("HTTP/1.1 200 OK\r\n\r\nuntil the end")
    }
    let proxy = try proxy(server)
    let client = try RawSocket(port: proxy.port)
    client.send("GET /b/k HTTP/1.1\r\nHost: h\r\n\r\n")
    let answer = client.readAll()
    #expect(String(decoding: answer.bytes, as: UTF8.self) == "HTTP/1.1 200 OK\r\n\r\nuntil the end")
    #expect(answer.end == .closed)
  }

  @Test func aStoreThatClosesAnIdleConnectionClosesTheClients() async throws {
    let server = try RawServer { server, connection in
      _ = server.next(connection)
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    }
    let proxy = try proxy(server)
    let client = try RawSocket(port: proxy.port)
    client.send("GET /b/k HTTP/1.1\r\nHost: h\r\n\r\n")
    #expect(try client.readMessage().firstLine == "HTTP/1.1 200 OK")
    #expect(client.readAll().end == .closed)
  }

  @Test func aStoreThatIsAwayIsAResetAndCounted() async throws {
    let server = try RawServer()
    server.stop()
    #expect(await eventually { (try? RawSocket(port: server.port)) == nil })
    let proxy = try proxy(server)
    let client = try RawSocket(port: proxy.port)
    client.send("GET /b/k HTTP/1.1\r\nHost: h\r\n\r\n")
    #expect(client.readAll().end == .reset)
    #expect(proxy.counters.unreachable == 1)
  }

  @Test func manyConnectionsAtOnce() async throws {
    let server = try RawServer()
    let proxy = try proxy(server)
    let clients = try (0..<200).map { _ in try RawSocket(port: proxy.port) }
    for round in 0..<3 {
      for (number, client) in clients.enumerated() {
        client.send("GET /b/\(round).\(number) HTTP/1.1\r\nHost: h\r\n\r\n")
      }
      for (number, client) in clients.enumerated() {
        #expect(try client.readMessage().text == "/b/\(round).\(number)")
      }
    }
    #expect(proxy.counters.open == 200 && server.connections == 200)
  }

  @Test func stoppingEndsEverythingThatWaits() async throws {
    let server = try RawServer { server, connection in
      if server.next(connection)?.firstLine.contains("echo") == true { return server.echo(connection) }
      _ = connection.readAll()
    }
    let proxy = try proxy(
      server, FaultRule(.stall(), on: FaultRule.Match(keyPrefix: "stalled")),
      FaultRule(.latency(seconds: 3600), on: FaultRule.Match(keyPrefix: "late")))
    let idle = try RawSocket(port: proxy.port)
    var clients = [idle]
    for key in ["stalled", "late", "unanswered"] {
      let client = try RawSocket(port: proxy.port)
      client.send("GET /b/\(key) HTTP/1.1\r\nHost: h\r\n\r\n")
      clients.append(client)
    }
    #expect(await eventually { proxy.counters.requests == 3 && proxy.counters.open == 4 })
    let begin = ContinuousClock.now
    proxy.stop()
    #expect(ContinuousClock.now - begin < .seconds(10))
    #expect(proxy.counters.open == 0)
    for client in clients { #expect(client.readAll().end != .silent) }
    #expect(throws: RawFailure.self) { try RawSocket(port: proxy.port) }
  }
}
