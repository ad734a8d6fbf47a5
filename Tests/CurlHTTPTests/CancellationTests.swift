import CurlHTTP
import Glibc
import Synchronization
import Testing

/// Cancelling requests and shutting engines down: promptly, and each completion exactly once.
@Suite(.timeLimit(.minutes(1))) struct CancellationTests {
  /// A server that reads requests and never answers; `arrived` opens at the first.
  private func silentServer(arrived: Gate, ended: Gate = Gate()) throws -> ScriptedServer {
    try ScriptedServer { connection in
      guard connection.readRequest() != nil else { return }
      arrived.open()
      connection.waitForEnd()
      ended.open()
    }
  }

  @Test func cancelledTaskEndsWhileTheServerIsSilentAndTheConnectionIsClosed() async throws {
    let (arrived, ended) = (Gate(), Gate())
    let server = try silentServer(arrived: arrived, ended: ended)
    let engine = try HTTPEngine()
    let task = Task { try await engine.send(HTTPRequest(.get, url: server.url)) }
    await arrived.reached()
    task.cancel()
    let error = await #expect(throws: HTTPError.self) { try await task.value }
    #expect(error?.code == .cancelled)
    #expect(error?.requestMayHaveArrived == true)
    await ended.reached()
  }

  @Test func taskCancelledBeforehandSendsNothing() async throws {
    let server = try echoServer()
    let engine = try HTTPEngine()
    let begun = Gate()
    let task = Task {
      await begun.reached()
      return try await engine.send(HTTPRequest(.get, url: server.url))
    }
    task.cancel()
    begun.open()
    let error = await #expect(throws: HTTPError.self) { try await task.value }
    #expect(error?.code == .cancelled)
    #expect(error?.requestMayHaveArrived == false)
    #expect(server.connectionCount == 0)
  }

  @Test func requestThatWaitsForAConnectionCanBeCancelled() async throws {
    let arrived = Gate()
    let server = try silentServer(arrived: arrived)
    let engine = try HTTPEngine(options: HTTPEngine.Options(maximumConnectionsPerHost: 1))
    let first = Task { try await engine.send(HTTPRequest(.get, url: server.url)) }
    await arrived.reached()
    let second = Task { try await engine.send(HTTPRequest(.get, url: server.url)) }
    try await Task.sleep(for: .milliseconds(20))
    second.cancel()
    let error = await #expect(throws: HTTPError.self) { try await second.value }
    #expect(error?.code == .cancelled)
    #expect(error?.requestMayHaveArrived == false)
    first.cancel()
    _ = await first.result
    #expect(server.connectionCount == 1)
  }

  @Test func cancelledRequestGivesItsPlaceToTheNext() async throws {
    let arrived = Gate()
    let server = try ScriptedServer { connection in
      while let request = connection.readRequest() {
        if request.target == "/silent" {
          arrived.open()
          connection.waitForEnd()
          return
        }
        connection.answer(request.target)
      }
    }
    let engine = try HTTPEngine(options: HTTPEngine.Options(maximumConnectionsPerHost: 1))
    let first = Task { try await engine.send(HTTPRequest(.get, url: server.url + "/silent")) }
    await arrived.reached()
    async let second = engine.send(HTTPRequest(.get, url: server.url + "/next"))
    first.cancel()
    #expect(try await second.body == Array("/next".utf8))
  }

  @Test func cancellingAnAnsweredRequestChangesNothing() async throws {
    let server = try echoServer()
    let engine = try HTTPEngine()
    let results = Mutex<[Result<HTTPResponse, HTTPError>]>([])
    let done = Gate()
    let exchange = engine.submit(HTTPRequest(.get, url: server.url)) { result in
      results.withLock { $0.append(result) }
      done.open()
    }
    await done.reached()
    exchange.cancel()
    exchange.cancel()
    _ = try await engine.send(HTTPRequest(.get, url: server.url))
    #expect(results.withLock { $0.count } == 1)
    #expect(throws: Never.self) { try results.withLock { try $0[0].get() } }
  }

  @Test func everyCompletionRunsOnceHoweverCancellationFalls() async throws {
    let server = try echoServer()
    let engine = try HTTPEngine(options: HTTPEngine.Options(maximumConnectionsPerHost: 4))
    let counts = Mutex([Int](repeating: 0, count: 400))
    let exchanges = (0..<400).map { index in
      engine.submit(HTTPRequest(.get, url: server.url + "/\(index)")) { result in
        counts.withLock { $0[index] += 1 }
        if case .failure(let error) = result, error.code != .cancelled {
          Issue.record("request \(index): \(error)")
        }
      }
    }
    for (index, exchange) in exchanges.enumerated() where index % 3 != 0 {
      exchange.cancel()
      if index % 20 == 0 { usleep(500) }
    }
    engine.shutdown()
    #expect(counts.withLock { $0 } == [Int](repeating: 1, count: 400))
  }

  @Test func shutdownEndsWhatIsUnderWayAndWhatWaits() async throws {
    let arrived = Gate()
    let server = try silentServer(arrived: arrived)
    let engine = try HTTPEngine(options: HTTPEngine.Options(maximumConnectionsPerHost: 1))
    let tasks = (0..<5).map { _ in Task { try await engine.send(HTTPRequest(.get, url: server.url)) } }
    await arrived.reached()
    engine.shutdown()
    for task in tasks {
      let error = await #expect(throws: HTTPError.self) { try await task.value }
      #expect(error?.code == .cancelled)
    }
  }

  @Test func requestsAfterShutdownAreRefusedAndShutdownMayBeRepeated() async throws {
    let server = try echoServer()
    let engine = try HTTPEngine()
    _ = try await engine.send(HTTPRequest(.get, url: server.url))
    engine.shutdown()
    engine.shutdown()
    let error = await #expect(throws: HTTPError.self) { try await engine.send(HTTPRequest(.get, url: server.url)) }
    #expect(error?.code == .cancelled)
    #expect(error?.requestMayHaveArrived == false)
  }

  @Test func engineCanBeShutDownAndDroppedByACompletion() async throws {
    let server = try echoServer()
    let done = Gate()
    do {
      let engine = try HTTPEngine()
      engine.submit(HTTPRequest(.get, url: server.url)) { _ in
        engine.shutdown()
        done.open()
      }
    }
    await done.reached()
  }

  @Test func shutdownClosesEveryDescriptor() async throws {
    await #expect(processExitsWith: .success) {
      let server = try echoServer()
      func descriptors() -> Int { (0..<1024).count { fcntl(Int32($0), F_GETFD) >= 0 } }
      let before = descriptors()
      for _ in 0..<5 {
        let engine = try HTTPEngine(options: HTTPEngine.Options(maximumConnectionsPerHost: 16))
        await withTaskGroup(of: Void.self) { group in
          for index in 0..<64 {
            group.addTask { _ = try? await engine.send(HTTPRequest(.get, url: server.url + "/\(index)")) }
          }
        }
        engine.shutdown()
      }
      // The server's ends close as soon as its threads have noticed.
      for _ in 0..<1000 where descriptors() > before { usleep(1000) }
      exit(descriptors() <= before ? EXIT_SUCCESS : EXIT_FAILURE)
    }
  }
}
