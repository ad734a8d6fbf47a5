// Where a Milvus server is and how to speak to it. A value; its description never shows the password.

/// The address of a Milvus proxy, with the credentials and the transport security to use there.
public struct MilvusEndpoint: Sendable, Hashable {
  /// DNS name or numeric IPv4/IPv6 address, without brackets and without port.
  public var host: String
  /// TCP port of the gRPC service; Milvus' default is 19530.
  public var port: Int
  /// User and password, `nil` for a server without authentication.
  public var credentials: MilvusCredentials?
  /// Transport security of the connection.
  public var tls: MilvusTLS

  /// Creates an endpoint. Nothing is looked up or opened.
  public init(host: String, port: Int = 19530, credentials: MilvusCredentials? = nil, tls: MilvusTLS = .plain) {
    self.host = host
    self.port = port
    self.credentials = credentials
    self.tls = tls
  }

  /// `host:port`, with brackets around an IPv6 address: the form used in errors.
  public var address: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}

extension MilvusEndpoint: CustomStringConvertible {
  /// The address only; credentials are left out.
  public var description: String { address }
}
