import CurlHTTP
import Glibc
import Synchronization
import Testing

/// What goes out, and over which connections.
@Suite(.timeLimit(.minutes(1))) struct RequestTests {
  /// Records what arrives and answers with nothing.
  final class Recorder: Sendable {
    private let state = Mutex<[ServerConnection.Request]>([])
    var requests: [ServerConnection.Request] { state.withLock { $0 } }
    func add(_ request: ServerConnection.Request) { state.withLock { $0.append(request) } }

    func server() throws -> ScriptedServer {
      try ScriptedServer { [self] connection in
        while let request = connection.readRequest() {
          add(request)
          connection.answer("")
        }
      }
    }
  }

  @Test(arguments: [0, 1, 4096, 1_500_000, 5_000_000])
  func bodyOfAPutArrivesWholeWithoutAskingForLeave(size: Int) async throws {
    let recorder = Recorder()
    let server = try recorder.server()
    let engine = try HTTPEngine()
    let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 / 7) }
    _ = try await engine.send(HTTPRequest(.put, url: server.url + "/k", body: body))
    let request = try #require(recorder.requests.first)
    #expect(request.head.hasPrefix("PUT /k HTTP/1.1\r\n"))
    #expect(request.header("Content-Length") == "\(size)")
    #expect(request.header("Expect") == nil)
    #expect(request.header("Transfer-Encoding") == nil)
    #expect(request.body == body)
  }

  @Test func methodsFollowEachOtherOnOneHandleWithoutTraces() async throws {
    let recorder = Recorder()
    let server = try recorder.server()
    let engine = try HTTPEngine(options: HTTPEngine.Options(maximumConnectionsPerHost: 1))
    let body = Array("abc".utf8)
    let methods: [HTTPRequest.Method] = [.put, .get, .post, .head, .delete, .get, .head, .put, .delete, .post, .get]
    for method in methods { _ = try await engine.send(HTTPRequest(method, url: server.url, body: body)) }
    #expect(recorder.requests.map { String($0.head.prefix { $0 != " " }) } == methods.map(\.rawValue))
    for (method, request) in zip(methods, recorder.requests) {
      #expect(request.body == (method == .put || method == .post ? body : []))
    }
    #expect(server.connectionCount == 1)
  }

  @Test(arguments: ["/a/../b//c/./d", "/%2E%2e/%2F", "/a?b=c%20d&uploads=", "/~x/'y'"])
  func targetIsSentByteForByte(target: String) async throws {
    let recorder = Recorder()
    let server = try recorder.server()
    _ = try await HTTPEngine().send(HTTPRequest(.get, url: server.url + target))
    #expect(recorder.requests.map(\.target) == [target])
  }

  @Test func headersAreSentAsGivenAlsoEmptyOnes() async throws {
    let recorder = Recorder()
    let server = try recorder.server()
    let headers = [
      HTTPHeader("x-amz-date", "20260101T000000Z"), HTTPHeader("x-empty", ""), HTTPHeader("Range", "bytes=0-1"),
    ]
    _ = try await HTTPEngine().send(HTTPRequest(.get, url: server.url, headers: headers))
    let request = try #require(recorder.requests.first)
    #expect(request.header("x-amz-date") == "20260101T000000Z")
    #expect(request.header("x-empty") == "")
    #expect(request.header("Range") == "bytes=0-1")
    #expect(request.header("Host") == "127.0.0.1:\(server.port)")
    #expect(request.header("Accept-Encoding") == nil)
  }

  @Test(arguments: [
    HTTPHeader("x", "a\r\nInjected: b"), HTTPHeader("x\n", "a"), HTTPHeader("x", "a\0b"), HTTPHeader("", "a"),
  ])
  func headerThatBreaksItsLineIsRefusedAndNothingSent(header: HTTPHeader) async throws {
    let server = try echoServer()
    let error = await #expect(throws: HTTPError.self) {
      try await HTTPEngine().send(HTTPRequest(.get, url: server.url, headers: [header]))
    }
    #expect(error?.code == .invalidRequest)
    #expect(error?.requestMayHaveArrived == false)
    #expect(server.connectionCount == 0)
  }

  @Test(arguments: ["ftp://127.0.0.1/", "no url", "http://", "", "http://127.0.0.1:99999/", "http://a\0b/"])
  func whatIsNoHTTPURLIsRefused(url: String) async throws {
    let error = await #expect(throws: HTTPError.self) {
      try await HTTPEngine().send(HTTPRequest(.get, url: url))
    }
    #expect(error?.code == .invalidRequest)
  }

  @Test func requestsOneAfterTheOtherShareAConnection() async throws {
    let server = try echoServer()
    let engine = try HTTPEngine()
    for index in 0..<20 {
      #expect(try await engine.send(HTTPRequest(.get, url: server.url + "/\(index)")).body == Array("/\(index)".utf8))
    }
    #expect(server.connectionCount == 1)
  }

  @Test func manyParallelRequestsGetTheirOwnAnswersOverFewConnections() async throws {
    let server = try echoServer()
    let engine = try HTTPEngine(options: HTTPEngine.Options(maximumConnectionsPerHost: 8))
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for index in 0..<500 {
        group.addTask {
          let response = try await engine.send(HTTPRequest(.get, url: server.url + "/\(index)"))
          return response.body == Array("/\(index)".utf8)
        }
      }
      for try await isRight in group { #expect(isRight) }
    }
    #expect((1...8).contains(server.connectionCount))
  }

  @Test func eachHostHasALimitOfItsOwn() async throws {
    let gate = Gate()
    let blocked = try ScriptedServer { connection in
      while connection.readRequest() != nil {
        gate.wait()
        connection.answer("late")
      }
    }
    let free = try echoServer()
    let engine = try HTTPEngine(options: HTTPEngine.Options(maximumConnectionsPerHost: 1))
    async let late = engine.send(HTTPRequest(.get, url: blocked.url))
    let response = try await engine.send(HTTPRequest(.get, url: free.url + "/free"))
    #expect(response.body == Array("/free".utf8))
    gate.open()
    #expect(try await late.body == Array("late".utf8))
  }

  @Test func waitingForAConnectionDoesNotCountAsConnecting() async throws {
    let server = try ScriptedServer { connection in
      while connection.readRequest() != nil {
        usleep(400_000)
        connection.answer("slow")
      }
    }
    let options = HTTPEngine.Options(maximumConnectionsPerHost: 1, timeouts: HTTPTimeouts(connect: 1))
    let engine = try HTTPEngine(options: options)
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<4 { group.addTask { try await engine.send(HTTPRequest(.get, url: server.url)).status } }
      for try await status in group { #expect(status == 200) }
    }
  }

  @Test func requestThatWasSentTwiceSaysSo() async throws {
    let recorder = Recorder()
    // The first connection dies at its second request, after that request has arrived.
    let server = try ScriptedServer { connection in
      while let request = connection.readRequest() {
        recorder.add(request)
        if connection.number == 0, request.target == "/twice" { return }
        connection.answer("")
      }
    }
    let engine = try HTTPEngine(options: HTTPEngine.Options(maximumConnectionsPerHost: 1))
    #expect(try await !engine.send(HTTPRequest(.get, url: server.url + "/fresh")).wasRepeated)
    #expect(try await !engine.send(HTTPRequest(.get, url: server.url + "/reused")).wasRepeated)
    #expect(try await engine.send(HTTPRequest(.put, url: server.url + "/twice", body: [1])).wasRepeated)
    #expect(try await !engine.send(HTTPRequest(.put, url: server.url + "/reused", body: [1])).wasRepeated)
    #expect(recorder.requests.map(\.target) == ["/fresh", "/reused", "/twice", "/twice", "/reused"])
    #expect(server.connectionCount == 2)
  }

  @Test func requestThatIsSentAgainOnAnotherOldConnectionSaysSo() async throws {
    let recorder = Recorder()
    let bothAreUp = Gate()
    // Two connections that both die at their second request: repeating needs no new connection the first time.
    let server = try ScriptedServer { connection in
      while let request = connection.readRequest() {
        recorder.add(request)
        if connection.number < 2, request.target == "/again" { return }
        if connection.number == 1 { bothAreUp.open() }
        if connection.number == 0 { bothAreUp.wait() }
        connection.answer("")
      }
    }
    let engine = try HTTPEngine(options: HTTPEngine.Options(maximumConnectionsPerHost: 2))
    async let first = engine.send(HTTPRequest(.get, url: server.url + "/a"))
    async let second = engine.send(HTTPRequest(.get, url: server.url + "/b"))
    #expect(try await [first.wasRepeated, second.wasRepeated] == [false, false])
    #expect(try await engine.send(HTTPRequest(.get, url: server.url + "/again")).wasRepeated)
    #expect(recorder.requests.filter { $0.target == "/again" }.count >= 2)
  }

  @Test func connectionThatWasClosedBeforeTheRequestIsNoRepetition() async throws {
    let recorder = Recorder()
    let isClosed = Gate()
    let server = try ScriptedServer { connection in
      guard let request = connection.readRequest() else { return }
      recorder.add(request)
      connection.answer("")
      shutdown(connection.socket, Int32(SHUT_RDWR))
      isClosed.open()
    }
    let engine = try HTTPEngine()
    _ = try await engine.send(HTTPRequest(.get, url: server.url + "/warm-up"))
    await isClosed.reached()
    #expect(try await !engine.send(HTTPRequest(.put, url: server.url + "/once", body: [1])).wasRepeated)
    #expect(recorder.requests.map(\.target) == ["/warm-up", "/once"])
  }

  @Test func bodyIsRewoundWhenAReusedConnectionTurnsOutDead() async throws {
    let recorder = Recorder()
    let server = try ScriptedServer { connection in
      guard let first = connection.readRequest() else { return }
      recorder.add(first)
      connection.answer("")
      _ = connection.readRequest()
    }
    let engine = try HTTPEngine()
    _ = try await engine.send(HTTPRequest(.get, url: server.url + "/warm-up"))
    let body = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
    let response = try await engine.send(HTTPRequest(.put, url: server.url + "/again", body: body))
    #expect(response.status == 200)
    #expect(recorder.requests.map(\.body.count) == [0, body.count])
    #expect(recorder.requests.last?.body == body)
  }

  @Test func proxyOfTheEnvironmentIsIgnored() async throws {
    await #expect(processExitsWith: .success) {
      let server = try echoServer()
      let port = try closedPort()
      for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] { setenv(name, "http://127.0.0.1:\(port)", 1) }
      let response = try await HTTPEngine().send(HTTPRequest(.get, url: server.url + "/direct"))
      exit(response.body == Array("/direct".utf8) ? EXIT_SUCCESS : EXIT_FAILURE)
    }
  }
}
