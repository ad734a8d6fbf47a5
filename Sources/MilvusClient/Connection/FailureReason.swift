// The cause of a transport failure in an operator's words. The layers below wrap it several times and describe it with
// source paths and system call names; their error types are not part of this package's dependencies, so the text is
// what there is to go by.

internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix

#if canImport(Glibc)
  internal import Glibc
#endif

/// The innermost cause of `error`, shortened to what matters.
func failureReason(_ error: any Error) -> String {
  switch error {
  case let error as RPCError:
    error.cause.map(failureReason) ?? shortened(error.message)
  case let error as RuntimeError:
    error.cause.map(failureReason) ?? shortened(error.message)
  default:
    shortened(String(describing: error), module: String(reflecting: type(of: error)).prefix { $0 != "." })
  }
}

/// What to do about a failure of TLS that has a setting of its own; nil for others.
func tlsRemedy(_ reason: String) -> String? {
  switch reason {
  case "TLS: certificate verify failed":
    "set milvus.caCertPath to the certificate of the authority that signed the server's certificate"
  case otherName:
    "set milvus.serverName to a name that the certificate is for"
  case _
  where reason.hasPrefix("TLS: ") && (reason.contains("certificate required") || reason.contains("handshake failure")):
    "set milvus.tlsMode to 2, milvus.mtlsCertPath and milvus.mtlsKeyPath: the server wants a client's certificate"
  default: nil
  }
}

private let otherName = "TLS: the server's certificate is for another name"

private func shortened(_ text: String, module: Substring = "") -> String {
  if let number = text.firstMatch(of: /errno: ([0-9]+)/).flatMap({ Int32($0.1) }) {
    return String(cString: strerror(number)).lowercased()
  }
  if let reason = text.firstMatch(of: /OPENSSL_internal:([A-Z0-9_]+)/) {
    return "TLS: " + reason.1.lowercased().replacing("_", with: " ")
  }
  if let known = wordings.first(where: { text.contains($0.text) }) { return known.wording }
  switch module {
  case "NIOHTTP2": return "the server there does not speak gRPC"
  case "NIOSSL": return "TLS: " + text
  default: return text
  }
}

/// Texts of the layers below, and what they mean.
private let wordings: [(text: String, wording: String)] = [
  ("connectTimeout", "no connection came up in time"),
  (
    "before completing the HTTP/2 connection preface",
    "the server closed the connection at once, as one does that expects TLS"
  ),
  ("Stream unexpectedly closed", "the connection broke"),
  ("EOF during handshake", "TLS: the server closed the connection during the handshake"),
  ("failedToValidateHostname", otherName),
  ("failedToLoadCertificate", "a certificate file cannot be read"),
  ("failedToLoadPrivateKey", "the key file cannot be read, or is not the certificate's"),
]
