// Access to a Milvus server.

/// How to reach a Milvus server.
public struct MilvusConfiguration: Hashable, Sendable {
  /// How the connection is secured.
  public enum TLSMode: Int, CaseIterable, Sendable {
    /// Not at all.
    case disabled = 0
    /// The server shows a certificate.
    case server = 1
    /// Both sides show certificates.
    case mutual = 2
  }

  /// The etcd that the server keeps its metadata in.
  public struct Etcd: Hashable, Sendable {
    /// Addresses with ports.
    public var endpoints = ["localhost:2379"]
    /// Prefix of the server's keys.
    public var rootPath = "by-dev"

    /// Makes a configuration of the official defaults.
    public init() {}
  }

  /// Host name or address, without scheme and port.
  public var address = "localhost"
  /// Port of the gRPC and REST interface, 1 to 65535.
  public var port = 19530
  /// User; empty if the server does not ask for one.
  public var user = ""
  /// Password of the user.
  public var password = Secret()
  /// How the connection is secured.
  public var tlsMode = TLSMode.disabled
  /// Path of the certificates to trust; empty for those of the system.
  public var caCertPath = ""
  /// Name which the server's certificate must bear; empty for the address.
  public var serverName = ""
  /// Path of the client's certificate; set if the mode is mutual.
  public var mtlsCertPath = ""
  /// Path of the key to the client's certificate; set if the mode is mutual.
  public var mtlsKeyPath = ""
  /// Channel through which a server of version 2.5 replicates.
  public var rpcChannelName = "by-dev-replicate-msg"
  /// The etcd that the server keeps its metadata in.
  public var etcd = Etcd()

  /// Makes a configuration of the official defaults.
  public init() {}
}
