// The one place that knows what libcurl's result codes mean here.

import CCurl

extension HTTPError.Code {
  /// What a failed transfer's result code means.
  /// - Parameters:
  ///   - reason: libcurl's words, which tell apart what shares a code.
  ///   - requestMayHaveArrived: whether a connection had been made and used.
  init(_ status: CURLcode, reason: String, requestMayHaveArrived: Bool) {
    switch status {
    case CURLE_COULDNT_CONNECT:
      self = .unreachable
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
      self = .hostUnknown
    case CURLE_OPERATION_TIMEDOUT:
      if reason.hasPrefix("Operation too slow") {
        self = .stalled
      } else {
        self = requestMayHaveArrived ? .deadlineExceeded : .connectTimedOut
      }
    case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_SEND_FAIL_REWIND:
      self = .connectionLost
    case CURLE_RECV_ERROR:
      self = reason.contains("chunked-encoding") ? .malformedAnswer : .connectionLost
    case CURLE_SSL_CONNECT_ERROR:
      // The handshake's code also covers a peer that hung up in the middle of it.
      self = reason.contains("SSL_ERROR_SYSCALL") || reason.contains("reset by peer") ? .connectionLost : .tls
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE,
      CURLE_SSL_ISSUER_ERROR, CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED,
      CURLE_SSL_INVALIDCERTSTATUS, CURLE_USE_SSL_FAILED:
      self = .tls
    case CURLE_UNSUPPORTED_PROTOCOL:
      // Both for a URL that is not http(s) and for an answer without an HTTP status line.
      self = requestMayHaveArrived ? .malformedAnswer : .invalidRequest
    case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING, CURLE_HTTP2, CURLE_HTTP2_STREAM:
      self = .malformedAnswer
    case CURLE_URL_MALFORMAT, CURLE_BAD_FUNCTION_ARGUMENT:
      self = .invalidRequest
    default:
      self = .resources
    }
  }
}
