import CurlHTTP
import Foundation
import Glibc
import Testing

/// Encrypted connections, against OpenSSL's own test server.
@Suite(.timeLimit(.minutes(1)), .enabled(if: access("/usr/bin/openssl", X_OK) == 0)) struct TLSTests {
  /// `openssl s_server` with a certificate of its own, stopped when it goes.
  final class Server {
    let port: Int
    let certificate: String
    private let process = Process()
    private let folder: URL

    init() throws {
      folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      certificate = folder.appending(path: "certificate.pem").path
      let key = folder.appending(path: "key.pem").path
      try Self.openssl([
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj",
        "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
      ]).waitUntilExit()
      port = try closedPort()
      process.executableURL = URL(filePath: "/usr/bin/openssl")
      process.arguments = ["s_server", "-accept", "127.0.0.1:\(port)", "-key", key, "-cert", certificate, "-www", "-quiet"]
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
    }

    deinit {
      process.terminate()
      process.waitUntilExit()
      try? FileManager.default.removeItem(at: folder)
    }

    private static func openssl(_ arguments: [String]) throws -> Process {
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/openssl")
      process.arguments = arguments
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      return process
    }

    /// Sends a request once the server listens.
    func send(_ request: HTTPRequest, by engine: HTTPEngine) async throws -> HTTPResponse {
      for _ in 0..<500 {
        let result = await Task { try await engine.send(request) }.result
        guard case .failure(let error as HTTPError) = result, error.code == .unreachable else { return try result.get() }
        try await Task.sleep(for: .milliseconds(10))
      }
      return try await engine.send(request)
    }
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
