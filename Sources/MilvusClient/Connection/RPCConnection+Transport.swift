// How the channel is configured: address, TLS, keepalive, reconnecting.

internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix

#if canImport(Glibc)
  internal import Glibc
#endif

extension RPCConnection {
  /// A transport to `endpoint`.
  static func transport(to endpoint: MilvusEndpoint) throws(MilvusError) -> HTTP2ClientTransport.Posix {
    guard !endpoint.host.isEmpty, (1...65535).contains(endpoint.port) else {
      throw .configuration(
        "\"\(endpoint.address)\" is not an address", remedy: "set milvus.address and milvus.port")
    }
    var config = HTTP2ClientTransport.Posix.Config.defaults
    config.backoff.initial = .milliseconds(100)
    config.backoff.max = .seconds(3)
    // Finds a host that vanished in the middle of a long call. Ten seconds is the least the transport takes; Milvus
    // allows pings every five, with and without calls. Without calls too, as the official tool does: the transport
    // would stop its timer when the first call ends and not start it again for the next. A minute for the answer: closing
    // the connection to a server that is only busy cancels its calls, and Milvus 2.3.5 does not survive that (see
    // MilvusClient+Import).
    config.connection.keepalive = .init(time: .seconds(10), timeout: .seconds(60), allowWithoutCalls: true)
    config.http2.authority = endpoint.tls.serverName
    do {
      return try HTTP2ClientTransport.Posix(
        target: target(endpoint), transportSecurity: endpoint.tls.transportSecurity, config: config)
    } catch {
      let unreadable = endpoint.tls.files.filter { access($0, R_OK) != 0 }
      let reason = unreadable.isEmpty ? failureReason(error) : "cannot read \(unreadable.joined(separator: ", "))"
      throw .configuration(
        "the TLS certificates for Milvus at \(endpoint.address) cannot be used (\(reason))",
        remedy: "check milvus.caCertPath, milvus.mtlsCertPath and milvus.mtlsKeyPath")
    }
  }

  private static func target(_ endpoint: MilvusEndpoint) -> any ResolvableTarget {
    var address = in6_addr()
    if inet_pton(AF_INET, endpoint.host, &address) == 1 {
      return .ipv4(address: endpoint.host, port: endpoint.port)
    }
    if inet_pton(AF_INET6, endpoint.host, &address) == 1 {
      return .ipv6(address: endpoint.host, port: endpoint.port)
    }
    return .dns(host: endpoint.host, port: endpoint.port)
  }
}

extension MilvusTLS {
  /// The name to expect in the server's certificate, if it is not the host's.
  fileprivate var serverName: String? {
    switch self {
    case .plain: nil
    case .server(_, let serverName): serverName
    case .mutual(_, _, _, let serverName): serverName
    }
  }

  /// Paths of the files it is made of.
  fileprivate var files: [String] {
    switch self {
    case .plain: []
    case .server(let caFile, _): [caFile].compactMap { $0 }
    case .mutual(let certificateFile, let keyFile, let caFile, _):
      [certificateFile, keyFile, caFile].compactMap { $0 }
    }
  }

  fileprivate var transportSecurity: HTTP2ClientTransport.Posix.TransportSecurity {
    switch self {
    case .plain:
      .plaintext
    case .server(let caFile, _):
      .tls { $0.trustRoots = Self.trustRoots(caFile) }
    case .mutual(let certificateFile, let keyFile, let caFile, _):
      .mTLS(
        certificateChain: [.file(path: certificateFile, format: .pem)],
        privateKey: .file(path: keyFile, format: .pem)
      ) { $0.trustRoots = Self.trustRoots(caFile) }
    }
  }

  private static func trustRoots(_ caFile: String?) -> TLSConfig.TrustRootsSource {
    caFile.map { .certificates([.file(path: $0, format: .pem)]) } ?? .systemDefault
  }
}
