// Milvus' REST interface on the program's HTTP engine. It answers on the port of gRPC.

import BackupEngine
import Configuration
import CurlHTTP
import MilvusClient

/// Posts requests to one Milvus.
struct ImportREST: MilvusHTTP {
  let engine: any HTTPTransport
  private let base: String
  private let server: String
  private let token: Secret
  private let authorityFile: String?

  init(_ configuration: MilvusConfiguration, engine: any HTTPTransport) {
    self.engine = engine
    let host = configuration.address.contains(":") ? "[\(configuration.address)]" : configuration.address
    server = "\(host):\(configuration.port)"
    base = "\(configuration.tlsMode.rawValue == 0 ? "http" : "https")://\(server)"
    token = Secret("\(configuration.user):\(configuration.password.reveal())")
    authorityFile = configuration.caCertPath.isEmpty ? nil : configuration.caCertPath
  }

  func post(_ path: String, _ json: [UInt8]) async throws(MilvusError) -> [UInt8] {
    // The longest that Milvus may take for an answer, in seconds: as milvus-backup asks for.
    var headers = [
      HTTPHeader("Content-Type", "application/json"), HTTPHeader("Accept", "application/json"),
      HTTPHeader("Request-Timeout", "600"),
    ]
    if token.reveal() != ":" { headers.append(HTTPHeader("Authorization", "Bearer \(token.reveal())")) }
    var request = HTTPRequest(
      .post, url: base + path, headers: headers, body: json, maximumBodySize: 16 << 20,
      timeouts: HTTPTimeouts(connect: 10, stall: 120, total: 600), certificateAuthorityFile: authorityFile)
    // A job must not be started twice.
    request.mustNotRepeat = path.hasSuffix("/create")
    let response: HTTPResponse
    do {
      response = try await engine.send(request)
    } catch {
      throw MilvusError(
        code: Self.code(error.code), call: path, server: server, reason: error.reason,
        mayHaveHappened: error.requestMayHaveArrived)
    }
    switch response.status {
    case 200: return response.body
    case 401, 403: throw failure(.authentication, path, response, "check milvus.user and milvus.password")
    case 404: throw failure(.unsupported, path, response, "restore without --use_v2_restore")
    case 502, 503, 504: throw failure(.unreachable, path, response, "check that Milvus is running")
    default: throw failure(.server, path, response, nil)
    }
  }

  private func failure(
    _ code: MilvusError.Code, _ path: String, _ response: HTTPResponse, _ remedy: String?
  ) -> MilvusError {
    let text = String(decoding: response.body.prefix(300), as: UTF8.self)
      .split(whereSeparator: \.isNewline).joined(separator: " ")
    return MilvusError(
      code: code, call: path, server: server, reason: "HTTP status \(response.status) \(text)", remedy: remedy)
  }

  private static func code(_ code: HTTPError.Code) -> MilvusError.Code {
    switch code {
    case .unreachable, .hostUnknown, .connectionLost, .connectTimedOut, .tls: .unreachable
    case .stalled, .deadlineExceeded: .timedOut
    case .cancelled: .cancelled
    case .invalidRequest: .invalidArgument
    default: .server
    }
  }
}
