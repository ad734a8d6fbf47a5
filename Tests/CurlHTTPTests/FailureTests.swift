import CurlHTTP
import Testing

/// What can go wrong on the network. Each failure has its code, and says whether the server can have acted.
@Suite(.timeLimit(.minutes(1))) struct FailureTests {
  /// Sends a GET to a server that runs `script` and returns how it failed.
  private func failure(
    timeouts: HTTPTimeouts? = nil, sourceLocation: SourceLocation = #_sourceLocation,
    _ script: @escaping ScriptedServer.Script
  ) async throws -> HTTPError {
    let server = try ScriptedServer(script)
    let error = await #expect(throws: HTTPError.self, sourceLocation: sourceLocation) {
      try await HTTPEngine().send(HTTPRequest(.get, url: server.url + "/x", timeouts: timeouts))
    }
    let failure = try #require(error, sourceLocation: sourceLocation)
    #expect(failure.authority == "127.0.0.1:\(server.port)", sourceLocation: sourceLocation)
    #expect(!failure.reason.isEmpty, sourceLocation: sourceLocation)
    return failure
  }

  @Test func bodyShorterThanItsLengthIsALostConnection() async throws {
    let error = try await failure { connection in
      _ = connection.readRequest()
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n012345678")
    }
    #expect(error.code == .connectionLost)
    #expect(error.requestMayHaveArrived)
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nETag: e\r\nContent-Le", "HTTP/1.1 204 No Content\r\nDate: x\r\n", "HTTP/1.1 503 X\r\n",
  ])
  func headWithoutItsEndIsALostConnection(head: String) async throws {
    let error = try await failure { connection in
      _ = connection.readRequest()
      connection.send(head)
    }
    #expect(error.code == .connectionLost)
    #expect(error.requestMayHaveArrived)
  }

  @Test func aReusedConnectionThatIsOutOfStepIsALostConnection() async throws {
    let server = try ScriptedServer { connection in
      _ = connection.readRequest()
      connection.answer("first")
      _ = connection.readRequest()
      connection.send("xHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    }
    let engine = try HTTPEngine()
    _ = try await engine.send(HTTPRequest(.get, url: server.url))
    let error = await #expect(throws: HTTPError.self) { try await engine.send(HTTPRequest(.get, url: server.url)) }
    #expect(error?.code == .connectionLost && server.connectionCount == 1)
  }

  @Test func chunkedBodyWithoutItsEndIsALostConnection() async throws {
    let error = try await failure { connection in
      _ = connection.readRequest()
      connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n")
    }
    #expect(error.code == .connectionLost)
  }

  @Test func resetInTheMiddleOfABodyIsALostConnection() async throws {
    let error = try await failure { connection in
      _ = connection.readRequest()
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc")
      connection.reset()
    }
    #expect(error.code == .connectionLost)
    #expect(error.requestMayHaveArrived)
  }

  @Test func hangingUpWithoutAnAnswerIsALostConnection() async throws {
    let error = try await failure { connection in _ = connection.readRequest() }
    #expect(error.code == .connectionLost)
    #expect(error.requestMayHaveArrived)
  }

  @Test func hangingUpInTheMiddleOfAnUploadIsALostConnection() async throws {
    let server = try ScriptedServer { connection in
      connection.readSome()
      connection.reset()
    }
    let error = await #expect(throws: HTTPError.self) {
      let body = [UInt8](repeating: 1, count: 20 << 20)
      return try await HTTPEngine().send(HTTPRequest(.put, url: server.url, body: body))
    }
    #expect(error?.code == .connectionLost)
    #expect(error?.requestMayHaveArrived == true)
  }

  @Test(arguments: ["garbage\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 banana\r\n\r\n", "\u{1}\u{2}\u{3}\n\n"])
  func answerThatIsNotHTTPIsMalformed(text: String) async throws {
    let error = try await failure { connection in
      _ = connection.readRequest()
      connection.send(text)
    }
    #expect(error.code == .malformedAnswer)
    #expect(error.requestMayHaveArrived)
  }

  @Test func chunkSizeThatIsNoNumberIsMalformed() async throws {
    let error = try await failure { connection in
      _ = connection.readRequest()
      connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzebra\r\nabc\r\n0\r\n\r\n")
    }
    #expect(error.code == .malformedAnswer)
  }

  @Test func endlessHeadersAreMalformed() async throws {
    let error = try await failure { connection in
      _ = connection.readRequest()
      connection.send("HTTP/1.1 200 OK\r\n")
      for index in 0..<3000 { connection.send("X-\(index): \(String(repeating: "y", count: 200))\r\n") }
      connection.waitForEnd()
    }
    #expect(error.code == .malformedAnswer)
  }

  @Test func bytesBehindTheBodyDoNotReachTheNextAnswer() async throws {
    let server = try ScriptedServer { connection in
      while let request = connection.readRequest() {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\(request.target)HTTP/1.1 500 Smuggled\r\n\r\n")
      }
    }
    let engine = try HTTPEngine(options: HTTPEngine.Options(maximumConnectionsPerHost: 1))
    for target in ["/a", "/b", "/c"] {
      let response = try await engine.send(HTTPRequest(.get, url: server.url + target))
      #expect(response.status == 200)
      #expect(response.body == Array(target.utf8))
    }
  }

  @Test func headersThatComeByteByByteAreUnderstood() async throws {
    let server = try ScriptedServer { connection in
      _ = connection.readRequest()
      for byte in "HTTP/1.1 200 OK\r\nX-Slow: yes\r\nContent-Length: 2\r\n\r\nok".utf8 { connection.send([byte]) }
    }
    let response = try await HTTPEngine().send(HTTPRequest(.get, url: server.url))
    #expect(response.headers["x-slow"] == "yes")
    #expect(response.body == Array("ok".utf8))
  }

  @Test func silenceAfterTheRequestIsAStall() async throws {
    let error = try await failure(timeouts: HTTPTimeouts(stall: 1)) { connection in
      _ = connection.readRequest()
      connection.waitForEnd()
    }
    #expect(error.code == .stalled)
    #expect(error.requestMayHaveArrived)
  }

  @Test func silenceInTheMiddleOfABodyIsAStall() async throws {
    let error = try await failure(timeouts: HTTPTimeouts(stall: 1)) { connection in
      _ = connection.readRequest()
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n\(String(repeating: "x", count: 50_000))")
      connection.waitForEnd()
    }
    #expect(error.code == .stalled)
  }

  @Test func deadlineEndsAnExchangeThatMakesProgress() async throws {
    let error = try await failure(timeouts: HTTPTimeouts(total: 1)) { connection in
      _ = connection.readRequest()
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nx")
      connection.waitForEnd()
    }
    #expect(error.code == .deadlineExceeded)
  }

  @Test func closedPortIsUnreachableAndNothingArrived() async throws {
    let port = try closedPort()
    let error = await #expect(throws: HTTPError.self) {
      try await HTTPEngine().send(HTTPRequest(.get, url: "http://127.0.0.1:\(port)/"))
    }
    #expect(error?.code == .unreachable)
    #expect(error?.requestMayHaveArrived == false)
    #expect(error?.authority == "127.0.0.1:\(port)")
  }

  @Test func nameThatCannotResolveIsAnUnknownHost() async throws {
    // A label of more than 63 characters fails in the resolver, without a question to any server.
    let name = String(repeating: "x", count: 70) + ".example"
    let error = await #expect(throws: HTTPError.self) {
      try await HTTPEngine().send(HTTPRequest(.get, url: "http://\(name)/"))
    }
    #expect(error?.code == .hostUnknown)
    #expect(error?.requestMayHaveArrived == false)
  }

  @Test func engineServesOnAfterFailures() async throws {
    let server = try ScriptedServer { connection in
      guard let request = connection.readRequest() else { return }
      if request.target == "/good" { connection.answer("good") } else { connection.reset() }
    }
    let engine = try HTTPEngine(options: HTTPEngine.Options(maximumConnectionsPerHost: 2))
    for _ in 0..<20 {
      let error = await #expect(throws: HTTPError.self) {
        try await engine.send(HTTPRequest(.get, url: server.url + "/bad"))
      }
      #expect(error?.code == .connectionLost)
    }
    #expect(try await engine.send(HTTPRequest(.get, url: server.url + "/good")).body == Array("good".utf8))
  }
}
