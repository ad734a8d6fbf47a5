import CurlHTTP
import Testing

/// What comes back: statuses, headers, bodies, and their bounds.
@Suite(.timeLimit(.minutes(1))) struct AnswerTests {
  let engine: HTTPEngine

  init() throws { engine = try HTTPEngine() }

  @Test func statusHeadersAndBodyOfAnAnswerArrive() async throws {
    let server = try ScriptedServer { connection in
      _ = connection.readRequest()
      connection.answer("hello", status: "203 Fine", headers: "ETag: \"x\"\r\nx-Odd:   padded \t\r\n")
    }
    let response = try await engine.send(HTTPRequest(.get, url: server.url + "/"))
    #expect(response.status == 203)
    #expect(response.isSuccess)
    #expect(response.headers["etag"] == "\"x\"")
    #expect(response.headers["X-ODD"] == "padded")
    #expect(response.headers["x-od"] == nil)
    #expect(response.body == Array("hello".utf8))
  }

  @Test func chunkedBodyIsJoined() async throws {
    let server = try ScriptedServer { connection in
      _ = connection.readRequest()
      connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
      connection.waitForEnd()
    }
    let response = try await engine.send(HTTPRequest(.get, url: server.url, expectedBodySize: 5))
    #expect(response.body == Array("abcde".utf8))
  }

  @Test func headersOfAnInterimAnswerAreForgotten() async throws {
    let server = try ScriptedServer { connection in
      _ = connection.readRequest()
      connection.send("HTTP/1.1 102 Processing\r\nX-A: interim\r\n\r\n")
      connection.answer("done", headers: "X-B: final\r\n")
    }
    let response = try await engine.send(HTTPRequest(.get, url: server.url))
    #expect(response.status == 200)
    #expect(response.headers["X-A"] == nil)
    #expect(response.headers["X-B"] == "final")
  }

  @Test func headHasNoBodyAndLeavesTheConnectionUsable() async throws {
    let server = try ScriptedServer { connection in
      while let request = connection.readRequest() {
        if request.head.hasPrefix("HEAD ") {
          connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        } else {
          connection.answer("second")
        }
      }
    }
    let head = try await engine.send(HTTPRequest(.head, url: server.url))
    #expect(head.headers["Content-Length"] == "1000")
    #expect(head.body.isEmpty)
    let get = try await engine.send(HTTPRequest(.get, url: server.url))
    #expect(get.body == Array("second".utf8))
    #expect(server.connectionCount == 1)
  }

  @Test func largeBodyArrivesByteForByte() async throws {
    let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
    let server = try ScriptedServer { connection in
      _ = connection.readRequest()
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n")
      connection.send(body)
    }
    let response = try await engine.send(HTTPRequest(.get, url: server.url))
    #expect(response.body == body)
  }

  @Test func redirectIsAnAnswerAndNotFollowed() async throws {
    let server = try ScriptedServer { connection in
      while let request = connection.readRequest() {
        connection.answer(request.target, status: "302 Found", headers: "Location: /other\r\n")
      }
    }
    let response = try await engine.send(HTTPRequest(.get, url: server.url + "/first"))
    #expect(response.status == 302)
    #expect(response.body == Array("/first".utf8))
  }

  @Test func announcedBodyOverTheLimitFailsAsTooLargeAtItsFirstByte() async throws {
    let server = try ScriptedServer { connection in
      guard let request = connection.readRequest() else { return }
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0")
      if request.target == "/whole" { connection.send("123456789") }
      connection.waitForEnd()
    }
    let error = await #expect(throws: HTTPError.self) {
      try await engine.send(HTTPRequest(.get, url: server.url + "/cut", maximumBodySize: 9))
    }
    #expect(error?.code == .tooLarge)
    let response = try await engine.send(HTTPRequest(.get, url: server.url + "/whole", maximumBodySize: 10))
    #expect(response.body.count == 10)
  }

  @Test func unannouncedBodyOverTheLimitFailsAsTooLarge() async throws {
    let server = try ScriptedServer { connection in
      _ = connection.readRequest()
      connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n")
      connection.waitForEnd()
    }
    let error = await #expect(throws: HTTPError.self) {
      try await engine.send(HTTPRequest(.get, url: server.url, maximumBodySize: 11))
    }
    #expect(error?.code == .tooLarge)
  }

  @Test(arguments: [1, HTTPResponse.errorBodyLimit - 1, HTTPResponse.errorBodyLimit])
  func errorBodyUpToTheCapIsWholeWhateverTheRequestAllows(size: Int) async throws {
    let server = try ScriptedServer { connection in
      _ = connection.readRequest()
      connection.answer(String(repeating: "e", count: size), status: "404 Not Found")
    }
    let response = try await engine.send(HTTPRequest(.get, url: server.url, maximumBodySize: 0))
    #expect(response.status == 404)
    #expect(response.body.count == size)
  }

  @Test func errorBodyOverTheCapIsCut() async throws {
    let server = try ScriptedServer { connection in
      _ = connection.readRequest()
      connection.answer(String(repeating: "e", count: 1_000_000), status: "500 Oops", headers: "X-A: b\r\n")
    }
    let response = try await engine.send(HTTPRequest(.get, url: server.url))
    #expect(response.status == 500)
    #expect(response.headers["X-A"] == "b")
    #expect(response.body == [UInt8](repeating: UInt8(ascii: "e"), count: HTTPResponse.errorBodyLimit))
  }

  @Test func absurdContentLengthReservesNoAbsurdMemory() async throws {
    let server = try ScriptedServer { connection in
      _ = connection.readRequest()
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4611686018427387904\r\n\r\nabc")
    }
    let error = await #expect(throws: HTTPError.self) {
      try await engine.send(HTTPRequest(.get, url: server.url))
    }
    #expect(error?.code == .connectionLost)
  }

  @Test func headersMadeFromPairsAreFoundInAnyCase() {
    let headers = HTTPHeaders([
      HTTPHeader("Content-Range", "bytes 0-1/2"), HTTPHeader("A", "first"), HTTPHeader("a", "x"),
    ])
    #expect(headers["content-range"] == "bytes 0-1/2")
    #expect(headers["A"] == "first")
    #expect(headers["Content"] == nil)
    #expect(headers[""] == nil)
    #expect(HTTPHeaders()["A"] == nil)
  }
}
