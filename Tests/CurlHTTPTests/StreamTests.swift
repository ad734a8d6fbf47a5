import CurlHTTP
import Glibc
import Synchronization
import Testing

/// Bodies that are made while they are sent.
@Suite(.timeLimit(.minutes(1))) struct StreamTests {
  private struct SourceFailure: Error {}

  /// What a producer was asked for, and whether it was sent home.
  private final class Record: Sendable {
    private let state = Mutex((offsets: [Int64](), wasCancelled: false))
    var offsets: [Int64] { state.withLock { $0.offsets } }
    var wasCancelled: Bool { state.withLock { $0.wasCancelled } }
    func asked(_ offset: Int64) { state.withLock { $0.offsets.append(offset) } }

    /// Waits for ever, that is, until the task is cancelled.
    func wait() async throws {
      do {
        try await Task.sleep(for: .seconds(3600))
      } catch {
        state.withLock { $0.wasCancelled = true }
        throw error
      }
    }
  }

  private static func pattern(_ range: Range<Int64>) -> [UInt8] {
    range.map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 11) }
  }

  /// A body of the pattern in pieces of a size.
  private static func stream(
    _ size: Int64, pieces: Int64, _ record: Record = Record(),
    before: @escaping @Sendable (Int64) async throws -> Void = { _ in }
  ) -> HTTPBodyStream {
    HTTPBodyStream(size: size) { offset in
      record.asked(offset)
      try await before(offset)
      return pattern(offset..<min(offset + pieces, size))
    }
  }

  private static func put(
    _ server: ScriptedServer, _ stream: HTTPBodyStream, stall: Double = 15, method: HTTPRequest.Method = .put
  ) -> HTTPRequest {
    var request = HTTPRequest(method, url: server.url + "/x", timeouts: HTTPTimeouts(stall: stall))
    request.stream = stream
    return request
  }

  /// A server that keeps the bodies it gets.
  private func collector() throws -> (ScriptedServer, @Sendable () -> [[UInt8]]) {
    final class Bodies: Sendable { let list = Mutex<[[UInt8]]>([]) }
    let bodies = Bodies()
    let server = try ScriptedServer { connection in
      while let request = connection.readRequest() {
        bodies.list.withLock { $0.append(request.body) }
        connection.answer(request.header("Content-Length") ?? "none")
      }
    }
    return (server, { bodies.list.withLock { $0 } })
  }

  private func failure(_ request: HTTPRequest, _ engine: HTTPEngine? = nil) async throws -> HTTPError {
    let engine = try engine ?? HTTPEngine()
    return try #require(await #expect(throws: HTTPError.self) { try await engine.send(request) })
  }

  @Test(arguments: [(0, 1), (1, 1), (10, 3), (3_000_000, 1_000_000), (5_000_000, 700_001)] as [(Int64, Int64)])
  func arrivesWholeInOrderWithItsLength(size: Int64, pieces: Int64) async throws {
    let (server, bodies) = try collector()
    let record = Record()
    let engine = try HTTPEngine()
    for method in [HTTPRequest.Method.put, .post] {
      let response = try await engine.send(Self.put(server, Self.stream(size, pieces: pieces, record), method: method))
      #expect(response.body == Array("\(size)".utf8))
    }
    #expect(bodies() == [Self.pattern(0..<size), Self.pattern(0..<size)])
    let offsets = Array(stride(from: 0, to: size, by: Int64.Stride(pieces)))
    #expect(record.offsets == offsets + offsets)
    #expect(server.connectionCount == 1)
  }

  @Test func aProducerIsNotAskedAheadOfWhatTheServerTakes() async throws {
    let (go, size) = (Gate(), Int64(64 << 20))
    let server = try ScriptedServer { connection in
      guard connection.readHead() != nil else { return }
      go.wait()
      var left = Int(size)
      var chunk = [UInt8](repeating: 0, count: 1 << 20)
      while left > 0 {
        let count = recv(connection.socket, &chunk, min(left, chunk.count), 0)
        guard count > 0 else { return }
        left -= count
      }
      connection.answer("all")
    }
    let record = Record()
    let zeros = [UInt8](repeating: 0, count: 256 << 10)
    let engine = try HTTPEngine()
    async let response = engine.send(
      Self.put(
        server,
        HTTPBodyStream(size: size) { offset in
          record.asked(offset)
          return zeros
        }))
    while record.offsets.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    try await Task.sleep(for: .milliseconds(400))
    // What the kernel's buffers of both ends hold, and a piece.
    #expect(record.offsets.count < 80, "\(record.offsets.count) of 256 pieces were asked for")
    #expect(!record.offsets.isEmpty)
    go.open()
    #expect(try await response.body == Array("all".utf8))
    #expect(record.offsets.count == 256)
  }

  @Test func waitingForOwnBytesIsNoStallOfTheServer() async throws {
    let (server, bodies) = try collector()
    let stream = Self.stream(3000, pieces: 1000) { offset in
      try await Task.sleep(for: .milliseconds(offset == 1000 ? 3500 : 20))
    }
    let response = try await HTTPEngine().send(Self.put(server, stream, stall: 1))
    #expect(response.status == 200 && bodies() == [Self.pattern(0..<3000)])
  }

  @Test(arguments: [false, true]) func aServerThatStallsIsNoticed(readsAll: Bool) async throws {
    let server = try ScriptedServer { connection in
      if readsAll { _ = connection.readRequest() } else { _ = connection.readHead() }
      // Nothing is taken until the client has hung up.
      var poll = pollfd(fd: connection.socket, events: 0x2000 /* POLLRDHUP */, revents: 0)
      _ = Glibc.poll(&poll, 1, 30_000)
    }
    let begin = ContinuousClock.now
    let error = try await failure(
      Self.put(server, Self.stream(readsAll ? 1000 : 64 << 20, pieces: 1 << 20), stall: 2))
    #expect(error.code == .stalled && error.requestMayHaveArrived)
    let took = ContinuousClock.now - begin
    #expect(took > .seconds(1.9) && took < .seconds(20), "\(took)")
  }

  @Test(arguments: ["403 Forbidden", "503 Slow Down"], [false, true])
  func anEarlyRefusalEndsTheProducerAtOnce(status: String, closes: Bool) async throws {
    let server = try ScriptedServer { connection in
      guard connection.readHead() != nil else { return }
      connection.answer("no", status: status, headers: closes ? "Connection: close\r\n" : "")
      if closes { shutdown(connection.socket, Int32(SHUT_WR)) }
      connection.waitForEnd()
    }
    let record = Record()
    let stream = Self.stream(4000, pieces: 1000, record) { offset in if offset == 2000 { try await record.wait() } }
    let response = try await HTTPEngine().send(Self.put(server, stream))
    #expect(response.status == Int(status.prefix(3)) && response.body == Array("no".utf8))
    // It may not have come as far as to wait.
    #expect(record.wasCancelled || !record.offsets.contains(2000))
  }

  @Test func aSuccessBeforeTheWholeBodyWasSentIsNone() async throws {
    let server = try ScriptedServer { connection in
      guard connection.readHead() != nil else { return }
      connection.answer("yes", headers: "Connection: close\r\n")
      shutdown(connection.socket, Int32(SHUT_WR))
      connection.waitForEnd()
    }
    let record = Record()
    let stream = Self.stream(4000, pieces: 1000, record) { offset in if offset == 2000 { try await record.wait() } }
    let error = try await failure(Self.put(server, stream))
    #expect(error.code == .connectionLost && error.requestMayHaveArrived)
    #expect(record.wasCancelled || !record.offsets.contains(2000))
  }

  @Test func aConnectionThatIsResetEndsTheProducerAtOnce() async throws {
    let server = try ScriptedServer { connection in
      guard connection.readHead() != nil else { return }
      connection.readSome()
      connection.reset()
    }
    let record = Record()
    let stream = Self.stream(4000, pieces: 1000, record) { offset in if offset == 2000 { try await record.wait() } }
    let error = try await failure(Self.put(server, stream))
    #expect(error.code == .connectionLost && error.requestMayHaveArrived)
    #expect(record.wasCancelled || !record.offsets.contains(2000))
  }

  /// libcurl looks at an orderly end only when it has something to send again.
  @Test func aConnectionThatIsClosedIsLostWithTheNextPiece() async throws {
    let closed = Gate()
    let server = try ScriptedServer { connection in
      guard connection.readHead() != nil else { return }
      connection.readSome()
      shutdown(connection.socket, Int32(SHUT_RDWR))
      closed.open()
    }
    let record = Record()
    let stream = Self.stream(4000, pieces: 1000, record) { offset in if offset == 2000 { await closed.reached() } }
    let error = try await failure(Self.put(server, stream))
    #expect(error.code == .connectionLost && error.requestMayHaveArrived)
    #expect(record.offsets.count { $0 == 0 } == 1)
  }

  @Test(arguments: [0, 2000] as [Int64]) func aProducerThatFailsEndsTheRequest(at place: Int64) async throws {
    let ended = Gate()
    let server = try ScriptedServer { connection in
      connection.waitForEnd()
      ended.open()
    }
    let stream = Self.stream(4000, pieces: 1000) { offset in
      // Late enough that the request is on its way.
      try await Task.sleep(for: .milliseconds(50))
      if offset == place { throw SourceFailure() }
    }
    let error = try await failure(Self.put(server, stream))
    #expect(error.code == .bodyFailed && error.cause is SourceFailure)
    await ended.reached()
  }

  @Test(arguments: [0, 1001]) func aProducerThatGivesAnotherNumberOfBytesEndsTheRequest(count: Int) async throws {
    let (server, bodies) = try collector()
    let stream = HTTPBodyStream(size: 3000) { offset in
      [UInt8](repeating: 1, count: offset == 2000 ? count : 1000)
    }
    let error = try await failure(Self.put(server, stream))
    #expect(error.code == .bodyFailed)
    #expect((error.cause as? HTTPError)?.code == .invalidRequest)
    #expect(bodies().isEmpty)
  }

  @Test func cancellingEndsTheRequestAndItsProducer() async throws {
    let (waiting, ended) = (Gate(), Gate())
    let server = try ScriptedServer { connection in
      connection.waitForEnd()
      ended.open()
    }
    let record = Record()
    let stream = Self.stream(4000, pieces: 1000, record) { offset in
      guard offset == 2000 else { return }
      waiting.open()
      try await record.wait()
    }
    let engine = try HTTPEngine()
    let task = Task { try await engine.send(Self.put(server, stream)) }
    await waiting.reached()
    task.cancel()
    let error = await #expect(throws: HTTPError.self) { try await task.value }
    #expect(error?.code == .cancelled && record.wasCancelled)
    await ended.reached()
  }

  @Test func shuttingDownEndsTheRequestAndItsProducer() async throws {
    let waiting = Gate()
    let server = try ScriptedServer { $0.waitForEnd() }
    let record = Record()
    let stream = Self.stream(4000, pieces: 1000, record) { offset in
      guard offset == 2000 else { return }
      waiting.open()
      try await record.wait()
    }
    let engine = try HTTPEngine()
    let task = Task { try await engine.send(Self.put(server, stream)) }
    await waiting.reached()
    engine.shutdown()
    let error = await #expect(throws: HTTPError.self) { try await task.value }
    #expect(error?.code == .cancelled && record.wasCancelled)
  }

  @Test func aKeptConnectionThatEndsWithinTheBodyIsLostAndNothingIsRepeated() async throws {
    let closed = Gate()
    let server = try ScriptedServer { connection in
      guard connection.readRequest() != nil else { return }
      connection.answer("first")
      // On a connection that was kept, libcurl would repeat the request.
      if connection.readHead() != nil { connection.readSome() }
      shutdown(connection.socket, Int32(SHUT_RDWR))
      closed.open()
    }
    let engine = try HTTPEngine()
    _ = try await engine.send(HTTPRequest(.get, url: server.url))
    let record = Record()
    let stream = Self.stream(4000, pieces: 1000, record) { offset in if offset == 2000 { await closed.reached() } }
    let error = try await failure(Self.put(server, stream), engine)
    #expect(error.code == .connectionLost && error.requestMayHaveArrived)
    #expect(record.offsets.count { $0 == 0 } == 1)
  }

  @Test func withoutATaskAStreamCannotBeSent() async throws {
    let server = try echoServer()
    let engine = try HTTPEngine()
    let request = Self.put(server, Self.stream(10, pieces: 10))
    let result = await withCheckedContinuation { continuation in
      engine.submit(request) { continuation.resume(returning: $0) }
    }
    #expect(throws: HTTPError.self) { try result.get() }
    #expect(server.connectionCount == 0)
  }

  @Test func manyAtOnceWithWholeBodiesBetweenThem() async throws {
    let server = try ScriptedServer { connection in
      while let request = connection.readRequest() {
        let sum = request.body.reduce(into: UInt64(0)) { $0 = $0 &* 31 &+ UInt64($1) }
        connection.answer("\(sum)")
      }
    }
    let engine = try HTTPEngine(options: HTTPEngine.Options(maximumConnectionsPerHost: 6))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<40 {
        group.addTask {
          let size = Int64(index) * 7919 + 1
          let expected = Self.pattern(0..<size).reduce(into: UInt64(0)) { $0 = $0 &* 31 &+ UInt64($1) }
          var request = Self.put(
            server, Self.stream(size, pieces: 20_011) { _ in if index % 3 == 0 { await Task.yield() } })
          if index % 4 == 0 {
            request.stream = nil
            request.body = Self.pattern(0..<size)
          }
          let response = try await engine.send(request)
          #expect(response.body == Array("\(expected)".utf8), "\(index)")
        }
      }
      try await group.waitForAll()
    }
  }
}
