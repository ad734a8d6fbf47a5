// Transport security of the connection to Milvus, in the three modes of the official configuration.

/// How the connection to Milvus is secured.
public enum MilvusTLS: Sendable, Hashable {
  /// Mode 0: clear text.
  case plain
  /// Mode 1: the server proves who it is. `caFile` is a PEM file of trusted authorities (`nil`: the system's),
  /// `serverName` the name to expect in the certificate (`nil`: the endpoint's host).
  case server(caFile: String?, serverName: String?)
  /// Mode 2: both sides show a certificate; `certificateFile` and `keyFile` are the client's, in PEM.
  case mutual(certificateFile: String, keyFile: String, caFile: String?, serverName: String?)

  /// The mode of a configuration file (`milvus.tlsMode`, `caCertPath`, `serverName`, `mtlsCertPath`, `mtlsKeyPath`).
  ///
  /// Empty strings mean "not set". Files are read when the connection is made, not here.
  /// - Throws: `MilvusError` (`invalidArgument`) if `mode` is not 0, 1 or 2, if mode 2 lacks the certificate or the
  ///   key, or if a certificate or key is given for a mode that would not use it.
  public init(
    mode: Int, caFile: String = "", serverName: String = "", certificateFile: String = "", keyFile: String = ""
  ) throws(MilvusError) {
    let authority = caFile.isEmpty ? nil : caFile
    let name = serverName.isEmpty ? nil : serverName
    switch mode {
    case 0, 1:
      guard certificateFile.isEmpty && keyFile.isEmpty else {
        throw .configuration(
          "a client certificate or key is given, but TLS mode \(mode) does not use one",
          remedy: "set milvus.tlsMode to 2, or remove milvus.mtlsCertPath and milvus.mtlsKeyPath")
      }
      guard mode == 1 || (authority == nil && name == nil) else {
        throw .configuration(
          "a CA certificate or server name is given, but TLS mode 0 is clear text",
          remedy: "set milvus.tlsMode to 1 or 2, or remove milvus.caCertPath and milvus.serverName")
      }
      self = mode == 0 ? .plain : .server(caFile: authority, serverName: name)
    case 2:
      guard !certificateFile.isEmpty && !keyFile.isEmpty else {
        throw .configuration(
          "TLS mode 2 needs the client's certificate and its key",
          remedy: "set both milvus.mtlsCertPath and milvus.mtlsKeyPath")
      }
      self = .mutual(certificateFile: certificateFile, keyFile: keyFile, caFile: authority, serverName: name)
    default:
      throw .configuration(
        "TLS mode \(mode) does not exist", remedy: "set milvus.tlsMode to 0 (none), 1 (server) or 2 (mutual)")
    }
  }
}
