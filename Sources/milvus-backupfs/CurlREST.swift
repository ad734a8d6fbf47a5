// The engine's HTTP requests to Milvus, sent by libcurl. Milvus answers REST on the port of gRPC, with the same TLS.

import BackupEngine
import Configuration
import CurlHTTP
import MilvusClient

/// Sends requests through the HTTP engine that the stores use, too.
struct CurlREST: RESTTransport {
  private let transport: any HTTPTransport
  /// URL of Milvus without a slash at its end.
  let server: String
  private let authorityFile: String?
  private let identity: HTTPIdentity?
  /// Where to connect when the certificate is for another name than Milvus' address.
  private let connectTo: String?

  private static let longestAnswer = 16 << 20

  init(_ milvus: MilvusConfiguration, transport: any HTTPTransport) {
    self.transport = transport
    let host = milvus.address.contains(":") ? "[\(milvus.address)]" : milvus.address
    let hasName = milvus.tlsMode != .disabled && !milvus.serverName.isEmpty
    let scheme = milvus.tlsMode == .disabled ? "http" : "https"
    server = "\(scheme)://\(hasName ? milvus.serverName : host):\(milvus.port)"
    connectTo = hasName ? "\(host):\(milvus.port)" : nil
    authorityFile = milvus.caCertPath.isEmpty ? nil : milvus.caCertPath
    identity =
      milvus.tlsMode == .mutual
      ? HTTPIdentity(certificateFile: milvus.mtlsCertPath, keyFile: milvus.mtlsKeyPath) : nil
  }

  func send(_ request: RESTRequest) async throws(MilvusError) -> RESTAnswer {
    var headers = [HTTPHeader("Accept", "application/json")]
    if request.body != nil { headers.append(HTTPHeader("Content-Type", "application/json")) }
    if request.patience > 60 { headers.append(HTTPHeader("Request-Timeout", "\(Int(request.patience))")) }
    if let bearer = request.bearer { headers.append(HTTPHeader("Authorization", "Bearer \(bearer)")) }
    var message = HTTPRequest(
      request.body == nil ? .get : .post, url: request.url, headers: headers, body: request.body ?? [],
      maximumBodySize: Self.longestAnswer,
      timeouts: HTTPTimeouts(connect: 5, stall: min(120, request.patience / 2), total: request.patience))
    message.mustNotRepeat = request.mustNotRepeat
    // The management port is not Milvus' own: neither its certificate nor ours belong there.
    if request.url.hasPrefix(server + "/") {
      message.certificateAuthorityFile = authorityFile
      message.identity = identity
      message.connectTo = connectTo
    }
    do {
      let answer = try await transport.send(message)
      return RESTAnswer(status: answer.status, body: answer.body)
    } catch {
      throw MilvusError(
        code: Self.code(error.code), call: "HTTP", server: error.authority, reason: error.reason,
        mayHaveHappened: error.requestMayHaveArrived)
    }
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
