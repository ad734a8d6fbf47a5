import CurlHTTP
import Glibc
import Testing

/// Encrypted connections, against OpenSSL's own test server.
@Suite(.timeLimit(.minutes(1)), .enabled(if: access("/usr/bin/openssl", X_OK) == 0)) struct TLSTests {
  struct SetupFailure: Error {}

  /// `openssl s_server` with a certificate of its own, stopped when it goes.
  final class Server {
    let port: Int
    let certificate: String
    let key: String
    private let folder: String
    private let process: pid_t

    /// - Parameters:
    ///   - name: what the certificate is for, beside 127.0.0.1.
    ///   - wantsClients: whether clients have to show a certificate; the server's own is taken.
    init(name: String? = nil, wantsClients: Bool = false) throws {
      var template = Array("/tmp/tls-test-XXXXXX".utf8CString)
      guard mkdtemp(&template) != nil else { throw SetupFailure() }
      folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
      certificate = folder + "/certificate.pem"
      key = folder + "/key.pem"
      let made = try Self.spawn([
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
        certificate, "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
        name.map { "subjectAltName=DNS:\($0)" } ?? "subjectAltName=IP:127.0.0.1",
      ])
      var status: Int32 = -1
      guard waitpid(made, &status, 0) == made, status == 0 else { throw SetupFailure() }
      port = try closedPort()
      process = try Self.spawn(
        ["s_server", "-accept", "127.0.0.1:\(port)", "-key", key, "-cert", certificate, "-www", "-quiet"]
          + (wantsClients ? ["-Verify", "1", "-verify_return_error", "-CAfile", certificate] : []))
    }

    deinit {
      kill(process, SIGKILL)
      waitpid(process, nil, 0)
      unlink(certificate)
      unlink(folder + "/key.pem")
      rmdir(folder)
    }

    /// Starts OpenSSL's program, silent.
    private static func spawn(_ arguments: [String]) throws -> pid_t {
      var files = posix_spawn_file_actions_t()
      posix_spawn_file_actions_init(&files)
      defer { posix_spawn_file_actions_destroy(&files) }
      for descriptor: Int32 in 0...2 { posix_spawn_file_actions_addopen(&files, descriptor, "/dev/null", O_RDWR, 0) }
      let words = (["openssl"] + arguments).map { strdup($0) }
      defer { for word in words { free(word) } }
      var process = pid_t()
      guard posix_spawn(&process, "/usr/bin/openssl", &files, nil, words + [nil], nil) == 0 else {
        throw SetupFailure()
      }
      return process
    }

    /// Sends a request once the server listens.
    func send(_ request: HTTPRequest, by engine: HTTPEngine) async throws -> HTTPResponse {
      for _ in 0..<500 {
        let result = await Task { try await engine.send(request) }.result
        guard case .failure(let error as HTTPError) = result, error.code == .unreachable else {
          return try result.get()
        }
        try await Task.sleep(for: .milliseconds(10))
      }
      return try await engine.send(request)
    }
  }

  @Test func aServerThatAsksForACertificateIsShownIt() async throws {
    let server = try Server(wantsClients: true)
    let engine = try HTTPEngine()
    var request = HTTPRequest(
      .get, url: "https://127.0.0.1:\(server.port)/", certificateAuthorityFile: server.certificate)
    request.identity = HTTPIdentity(certificateFile: server.certificate, keyFile: server.key)
    #expect(try await server.send(request, by: engine).status == 200)
    // The same handle must not show it to others.
    request.identity = nil
    await #expect(throws: HTTPError.self) { try await engine.send(request) }
    request.identity = HTTPIdentity(certificateFile: "/missing.pem", keyFile: server.key)
    let error = await #expect(throws: HTTPError.self) { try await engine.send(request) }
    #expect(error?.code == .tls, "\(error as Any)")
  }

  @Test func aServerMayBeReachedElsewhereThanItsNameSays() async throws {
    let server = try Server(name: "milvus.test")
    let engine = try HTTPEngine()
    var request = HTTPRequest(
      .get, url: "https://milvus.test:\(server.port)/", certificateAuthorityFile: server.certificate)
    request.connectTo = "127.0.0.1:\(server.port)"
    #expect(try await server.send(request, by: engine).status == 200)
    request.url = "https://other.test:\(server.port)/"
    let error = await #expect(throws: HTTPError.self) { try await engine.send(request) }
    #expect(error?.code == .tls, "the name has to be the certificate's: \(error as Any)")
    request.connectTo = nil
    request.url = "https://milvus.test:\(server.port)/"
    let unknown = await #expect(throws: HTTPError.self) { try await engine.send(request) }
    #expect(unknown?.code == .hostUnknown, "the handle must not remember: \(unknown as Any)")
  }

  @Test func serverWithACertificateOfTheGivenAuthorityIsTrusted() async throws {
    let server = try Server()
    let engine = try HTTPEngine()
    let url = "https://127.0.0.1:\(server.port)/"
    let request = HTTPRequest(.get, url: url, certificateAuthorityFile: server.certificate)
    let response = try await server.send(request, by: engine)
    #expect(response.status == 200)
    // The same handle must not carry the trust on to a request that does not ask for it.
    let error = await #expect(throws: HTTPError.self) { try await engine.send(HTTPRequest(.get, url: url)) }
    #expect(error?.code == .tls)
    #expect(error?.requestMayHaveArrived == false)
    #expect(try await engine.send(request).status == 200)
  }

  @Test func authorityFileThatIsMissingIsATLSError() async throws {
    let server = try Server()
    let request = HTTPRequest(
      .get, url: "https://127.0.0.1:\(server.port)/", certificateAuthorityFile: "/nonexistent/ca.pem")
    let error = await #expect(throws: HTTPError.self) { try await server.send(request, by: HTTPEngine()) }
    #expect(error?.code == .tls)
  }

  @Test func portWithoutTLSIsATLSError() async throws {
    let server = try ScriptedServer { connection in
      connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
      connection.waitForEnd()
    }
    let error = await #expect(throws: HTTPError.self) {
      try await HTTPEngine().send(HTTPRequest(.get, url: "https://127.0.0.1:\(server.port)/"))
    }
    #expect(error?.code == .tls)
    #expect(error?.requestMayHaveArrived == false)
  }
}
