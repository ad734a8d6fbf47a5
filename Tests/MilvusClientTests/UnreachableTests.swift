// A server that is away, or is no Milvus, must yield an error soon, with the right code. The time limits only tell an
// error from a hang.

import GRPCCore
import Testing

@testable import MilvusClient

@Suite(.serialized) struct UnreachableTests {
  /// The error of connecting.
  private func connectError(
    to endpoint: MilvusEndpoint, options: MilvusClientOptions = testOptions
  ) async throws -> MilvusError {
    try await #require(throws: MilvusError.self) {
      try await MilvusClient.connect(to: endpoint, options: options).close()
    }
  }

  private func endpoint(port: Int) -> MilvusEndpoint { MilvusEndpoint(host: "127.0.0.1", port: port) }

  @Test(.timeLimit(.minutes(5))) func `refused connection names address and cause`() async throws {
    let port = try closedPort()
    let error = try await connectError(to: endpoint(port: port))
    #expect(error.code == .unreachable)
    #expect(!error.mayHaveHappened)
    #expect(
      error.description == """
        Milvus at 127.0.0.1:\(port) cannot be reached (connection refused); check that it is running and that \
        address, port and TLS mode are right
        """)
  }

  @Test(.timeLimit(.minutes(5))) func `listener that never answers`() async throws {
    let listener = try Listener()
    var options = testOptions
    options.connectTimeout = .milliseconds(300)
    let error = try await connectError(to: endpoint(port: listener.port), options: options)
    #expect(error.code == .unreachable)
    #expect(error.reason == "no gRPC connection came up in time")
    #expect(!error.mayHaveHappened)
  }

  @Test(.timeLimit(.minutes(5))) func `start-up limit holds for a listener that never answers`() async throws {
    let listener = try Listener()
    var options = testOptions
    options.startUpTimeout = .milliseconds(300)
    let error = try await connectError(to: endpoint(port: listener.port), options: options)
    #expect(error.code == .unreachable)
  }

  @Test(.timeLimit(.minutes(5))) func `host that does not take connections`() async throws {
    // A listener whose backlog is full drops further connections, as a host behind a silent firewall does.
    let listener = try Listener(backlog: 0)
    let fillers = try (0..<4).map { _ in try listener.connectWithoutWaiting() }
    var options = testOptions
    options.connectTimeout = .milliseconds(300)
    let error = try await connectError(to: endpoint(port: listener.port), options: options)
    #expect(error.code == .unreachable)
    #expect(fillers.count == 4)
  }

  @Test(.timeLimit(.minutes(5))) func `server of another protocol`() async throws {
    let listener = try Listener()
    listener.answerEach(with: "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    defer { listener.shutDown() }
    let error = try await connectError(to: endpoint(port: listener.port))
    #expect(error.code == .unreachable)
    #expect(!error.reason.contains("swift"), "no source paths in messages")
  }

  @Test(.timeLimit(.minutes(5))) func `server that closes connections at once`() async throws {
    let listener = try Listener()
    listener.answerEach(with: "")
    defer { listener.shutDown() }
    let error = try await connectError(to: endpoint(port: listener.port))
    #expect(error.code == .unreachable)
  }

  @Test(.timeLimit(.minutes(5))) func `TLS to a clear-text server`() async throws {
    try await withFakeMilvus { endpoint, fake in
      var endpoint = endpoint
      endpoint.tls = .server(caFile: nil, serverName: nil)
      let error = try await connectError(to: endpoint)
      #expect(error.code == .unreachable)
      #expect(error.reason == "TLS: wrong version number")
      #expect(fake.recorded().isEmpty)
    }
  }

  @Test(.timeLimit(.minutes(5))) func `unknown host`() async throws {
    let error = try await connectError(to: MilvusEndpoint(host: "milvus.invalid"))
    #expect(error.code == .unreachable)
    #expect(error.server == "milvus.invalid:19530")
  }

  @Test(.timeLimit(.minutes(5))) func `gRPC server that is not Milvus`() async throws {
    try await withFakeMilvus(startUp: [:]) { endpoint, _ in
      let error = try await connectError(to: endpoint)
      #expect(error.code == .unreachable)
      #expect(error.reason == "the server there is not Milvus")
    }
  }

  @Test(.timeLimit(.minutes(5))) func `start-up ends when the server takes the call and never answers`() async throws {
    try await withFakeMilvus(["Connect": neverAnswers]) { endpoint, _ in
      var options = testOptions
      options.startUpTimeout = .seconds(2)
      let error = try await connectError(to: endpoint, options: options)
      // On a busy machine the limit may pass before the call is sent.
      #expect(error.code == .timedOut || error.code == .unreachable)
      #expect(error.call == "Connect")
    }
  }

  @Test(.timeLimit(.minutes(5))) func `server that goes away later is tried again, then given up`() async throws {
    let client = try await withFakeMilvus { endpoint, _ in
      try await MilvusClient.connect(to: endpoint, options: testOptions)
    }
    let error = try await #require(throws: MilvusError.self) { try await client.databases() }
    #expect(error.code == .unreachable)
    #expect(error.call == "ListDatabases")
    await client.close()
  }

  @Test(arguments: ["", "127.0.0.1"]) func `address without host or port is refused without a call`(
    host: String
  ) async throws {
    let error = try await connectError(to: MilvusEndpoint(host: host, port: host.isEmpty ? 19530 : 0))
    #expect(error.code == .invalidArgument)
  }

  @Test func `missing certificate file is named as such`() async throws {
    let endpoint = MilvusEndpoint(host: "127.0.0.1", tls: .server(caFile: "/nonexistent/ca.pem", serverName: nil))
    let error = try await connectError(to: endpoint)
    #expect(error.code == .invalidArgument)
    #expect(error.description.contains("milvus.caCertPath"))
  }
}
