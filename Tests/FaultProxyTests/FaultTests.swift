import Glibc
import Testing

@testable import FaultProxy

/// Each fault as a client without any cleverness sees it.
@Suite(.timeLimit(.minutes(2))) struct FaultTests {
  private let put = "PUT /b/key HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789"
  private let get = "GET /b/key HTTP/1.1\r\nHost: h\r\n\r\n"

  /// Sends one request through one fault.
  private func meet(
    _ fault: Fault, _ request: String, _ body: (RawSocket, RawServer, FaultProxy) async throws -> Void
  ) async throws {
    let server = try RawServer()
    let proxy = try proxy(server, FaultRule(fault, on: FaultRule.Match(nth: 1)))
    let client = try RawSocket(port: proxy.port)
    client.send(request)
    try await body(client, server, proxy)
    #expect(proxy.events.map(\.fault) == [fault])
    #expect(proxy.events.map(\.key) == ["key"])
  }

  @Test(
    arguments: [
      ("InternalError", nil, 500), ("SlowDown", nil, 503), ("TooManyRequests", nil, 429), ("ExpiredToken", 403, 403),
      ("RequestTimeTooSkewed", nil, 403), ("NoSuchUpload", nil, 404), ("PreconditionFailed", nil, 412),
      ("Unheard", nil, 400),
    ] as [(String, Int?, Int)])
  func refusal(code: String, given: Int?, status: Int) async throws {
    try await meet(.refuse(code: code, status: given, retryAfter: 7, region: "r-1"), put) {
      (client, server, proxy) throws in
      let answer = try client.readMessage()
      #expect(answer.firstLine.hasPrefix("HTTP/1.1 \(status) "))
      #expect(answer.header("retry-after") == "7")
      #expect(answer.header("x-amz-bucket-region") == "r-1")
      #expect(answer.header("date")?.hasSuffix(" GMT") == true)
      #expect(answer.text.contains("<Code>\(code)</Code>") && answer.text.contains("<Region>r-1</Region>"))
      #expect(server.requests.isEmpty)
      // The body was taken, and the connection lives.
      client.send(put)
      #expect(try client.readMessage().text == "0123456789")
    }
  }

  @Test func refusalOfHeadHasNoDocument() async throws {
    try await meet(.refuse(code: "AccessDenied"), "HEAD /b/key HTTP/1.1\r\nHost: h\r\n\r\n") { (client, _, _) throws in
      let answer = try client.readMessage()
      #expect(answer.firstLine == "HTTP/1.1 403 Forbidden" && answer.body.isEmpty)
      client.send(get)
      #expect(try client.readMessage().text == "/b/key")
    }
  }

  @Test func refusalOfOneWhoWaitsForLeaveComesAtOnce() async throws {
    let head = "PUT /b/key HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n"
    try await meet(.refuse(code: "SlowDown"), head) { (client, server, _) throws in
      #expect(try client.readMessage().firstLine == "HTTP/1.1 503 Service Unavailable")
      #expect(client.readAll().end == .closed)
      #expect(server.connections == 0)
    }
  }

  @Test func resetAndCloseBeforeTheStore() async throws {
    for (fault, end) in [(Fault.reset, RawSocket.End.reset), (.close, .closed)] {
      try await meet(fault, put) { (client, server, _) throws in
        let answer = client.readAll()
        #expect(answer.bytes.isEmpty && answer.end == end)
        #expect(server.connections == 0)
      }
    }
  }

  @Test(arguments: [(0, 0), (4, 4), (9, 9), (10, 9), (1000, 9)])
  func resetDuringRequest(bytes: Int, arrived: Int) async throws {
    let (seen, note) = AsyncStream.makeStream(of: ([UInt8], RawSocket.End).self)
    let server = try RawServer { _, connection in
      _ = try? connection.readMessage(hasBody: false)
      note.yield(connection.readAll())
    }
    let proxy = try proxy(server, .always(.resetDuringRequest(bytes: bytes)))
    let client = try RawSocket(port: proxy.port)
    client.send(put)
    #expect(client.readAll().end == .reset)
    for await (body, _) in seen {
      // A reset may overtake bytes that the server has not read; more than these never come.
      #expect(body.count <= arrived && "0123456789".utf8.starts(with: body))
      break
    }
    #expect(proxy.events.count == 1)
  }

  @Test func resetDuringRequestWithoutBodySendsNothing() async throws {
    try await meet(.resetDuringRequest(bytes: 5), get) { (client, server, _) throws in
      #expect(client.readAll().end == .reset)
      #expect(server.requests.isEmpty)
    }
  }

  @Test func stallHoldsTheRequestAndThenLetsItGo() async throws {
    try await meet(.stall(seconds: 2), put) { (client, server, _) throws in
      client.setTimeout(1)
      #expect(client.receive() == .failure(RawEnd(end: .silent)))
      #expect(server.requests.isEmpty)
      client.setTimeout(10)
      #expect(try client.readMessage().text == "0123456789")
    }
  }

  @Test func latencyHoldsUpOnlyItsOwnConnection() async throws {
    let server = try RawServer()
    let proxy = try proxy(
      server, FaultRule(.latency(seconds: 1), on: FaultRule.Match(keyPrefix: "late")),
      FaultRule(.latency(seconds: 1, jitter: 0.1), on: FaultRule.Match(keyPrefix: "late")))
    let late = try RawSocket(port: proxy.port)
    let begin = ContinuousClock.now
    late.send("GET /b/late HTTP/1.1\r\nHost: h\r\n\r\n")
    let other = try RawSocket(port: proxy.port)
    for _ in 0..<20 {
      other.send(get)
      #expect(try other.readMessage().text == "/b/key")
    }
    late.setTimeout(1)
    #expect(late.receive() == .failure(RawEnd(end: .silent)))
    late.setTimeout(10)
    #expect(try late.readMessage().text == "/b/late")
    #expect(ContinuousClock.now - begin >= .seconds(2))
    #expect(proxy.events.isEmpty)
  }

  @Test func lostAnswer() async throws {
    try await meet(.loseAnswer, put) { (client, server, _) throws in
      let answer = client.readAll()
      #expect(answer.bytes.isEmpty && answer.end == .reset)
      #expect(server.requests.map(\.text) == ["0123456789"])
    }
  }

  @Test func replacedAnswer() async throws {
    try await meet(.replaceAnswer(code: "InternalError", status: 200), put) { (client, server, _) throws in
      let answer = try client.readMessage()
      #expect(answer.firstLine == "HTTP/1.1 200 OK" && answer.text.contains("<Code>InternalError</Code>"))
      #expect(server.requests.map(\.text) == ["0123456789"])
      client.send(put)
      #expect(try client.readMessage().text == "0123456789")
    }
  }

  @Test func stalledAnswerBeginsStopsAndGoesOn() async throws {
    try await meet(.stallAnswer(bytes: 4, seconds: 2), put) { (client, _, _) throws in
      client.setTimeout(1)
      let (begun, end) = client.readAll()
      #expect(String(decoding: begun, as: UTF8.self).hasSuffix("\r\n\r\n0123") && end == .silent)
      client.setTimeout(10)
      #expect(try client.receive().get().elementsEqual("456789".utf8))
      client.send(put)
      #expect(try client.readMessage().text == "0123456789")
    }
  }

  @Test(arguments: [(nil, ""), (0, ""), (4, "0123"), (100, "012345678")] as [(Int?, String)])
  func brokenOffAnswer(bytes: Int?, arrived: String) async throws {
    try await meet(.truncateAnswer(bytes: bytes), put) { (client, _, _) throws in
      let answer = client.readAll()
      let text = String(decoding: answer.bytes, as: UTF8.self)
      #expect(text.contains("Content-Length: 10\r\n") && text.hasSuffix("\r\n\r\n" + arrived))
      #expect(answer.end == .closed)
    }
    try await meet(.resetAnswer(bytes: bytes), put) { (client, _, _) throws in
      let answer = client.readAll()
      #expect(answer.end == .reset)
      #expect(String(decoding: answer.bytes, as: UTF8.self).hasSuffix(arrived) || answer.bytes.isEmpty)
    }
  }

  /// Wherever the pieces end in which it passes.
  @Test(arguments: [1, 65_536, 262_144, 262_145, 524_288, 700_000]) func brokenOffLargeAnswer(bytes: Int) async throws {
    let body = [UInt8](repeating: 7, count: 1 << 20)
    let request = "PUT /b/key HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.count)\r\n\r\n"
    try await meet(.truncateAnswer(bytes: bytes), request) { (client, _, _) throws in
      onThread { client.send(body) }
      let head = try client.readMessage(hasBody: false)
      #expect(head.header("content-length") == "\(body.count)")
      let rest = client.readAll()
      #expect(rest.bytes.count == bytes && rest.end == .closed)
    }
  }

  @Test func brokenOffAnswerWithoutBodyIsHalfAHead() async throws {
    try await meet(.truncateAnswer(bytes: 5), "HEAD /b/key HTTP/1.1\r\nHost: h\r\n\r\n") { (client, _, _) throws in
      let text = String(decoding: client.readAll().bytes, as: UTF8.self)
      #expect(text.hasPrefix("HTTP/1.1 200 OK") && !text.contains("\r\n\r\n"))
    }
  }

  @Test func brokenOffChunksBreakOffInTheirContent() async throws {
    let server = try RawServer { server, connection in
      while server.next(connection) != nil {
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n")
      }
    }
    let proxy = try proxy(server, .always(.truncateAnswer(bytes: 4)))
    let client = try RawSocket(port: proxy.port)
    client.send(get)
    #expect(String(decoding: client.readAll().bytes, as: UTF8.self).hasSuffix("\r\n\r\n3\r\nabc\r\n3\r\nd"))
  }

  @Test func misstatedLength() async throws {
    try await meet(.misstateLength(by: 3), put) { (client, _, _) throws in
      client.setTimeout(1)
      let (bytes, end) = client.readAll()
      let text = String(decoding: bytes, as: UTF8.self)
      #expect(text.contains("Content-Length: 13\r\n") && text.hasSuffix("0123456789") && end == .silent)
    }
    try await meet(.misstateLength(by: -3), put) { (client, _, _) throws in
      let answer = try client.readMessage()
      #expect(answer.header("content-length") == "7" && answer.text == "0123456")
      #expect(try client.receive().get().elementsEqual("789".utf8))
    }
  }

  @Test(arguments: [(0, 0), (4, 4), (50, 9)]) func corruptedBodies(byte: Int, place: Int) async throws {
    var wrong = Array("0123456789".utf8)
    wrong[place] ^= 0x10
    try await meet(.corruptAnswer(byte: byte), put) { (client, server, _) throws in
      #expect(try client.readMessage().body == wrong)
      #expect(server.requests.map(\.text) == ["0123456789"])
    }
    try await meet(.corruptRequest(byte: byte), put) { (client, server, _) throws in
      #expect(try client.readMessage().body == wrong)
      #expect(server.requests.map(\.body) == [wrong])
    }
  }

  @Test func whatCannotFailSoIsSaidNotToHave() async throws {
    let server = try RawServer()
    let head = "HEAD /b/key HTTP/1.1\r\nHost: h\r\n\r\n"
    for (fault, request) in [
      (Fault.corruptAnswer(byte: 0), head), (.corruptRequest(byte: 0), get), (.misstateLength(by: -1000), get),
    ] {
      let proxy = try proxy(server, .always(fault))
      let client = try RawSocket(port: proxy.port)
      client.send(request)
      #expect(try client.readMessage(hasBody: request == get).firstLine == "HTTP/1.1 200 OK")
      #expect(proxy.events.map(\.isApplicable) == [false])
      #expect(proxy.counters.faults == 0)
    }
  }
}
