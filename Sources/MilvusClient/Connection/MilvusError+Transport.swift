// From a failure of the transport, or of gRPC itself, to an error.

internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix

extension MilvusError {
  /// The error that a failed attempt tells.
  ///
  /// - Parameters:
  ///   - wasSent: whether the request had been handed to an open stream.
  ///   - isClosed: whether the client had been closed.
  ///   - isCancelled: whether the calling task had been cancelled.
  init(
    call: String, object: String?, endpoint: MilvusEndpoint, failure: any Error, wasSent: Bool, isClosed: Bool,
    isCancelled: Bool
  ) {
    let code: Code
    var reason: String
    var isAnswer = false
    switch failure {
    case _ where isClosed:
      (code, reason) = (.cancelled, "the client was closed")
    case _ where isCancelled || failure is CancellationError:
      (code, reason) = (.cancelled, "the task was cancelled")
    case is ConnectTimeout:
      (code, reason) = (.unreachable, "no gRPC connection came up in time")
    case let error as RPCError:
      code = Code(rpc: error, wasSent: wasSent)
      reason = failureReason(error)
      isAnswer = !(error.code == .unavailable || error.code == .deadlineExceeded)
    default:
      (code, reason) = (.server, failureReason(failure))
    }
    if reason.isEmpty { reason = "no reason given" }
    self.init(
      code: code, call: call, object: object, server: endpoint.address, reason: reason,
      remedy: tlsRemedy(reason) ?? code.remedy,
      mayHaveHappened: wasSent && !isAnswer)
  }
}

extension MilvusError.Code {
  /// The kind of failure that a gRPC status tells.
  init(rpc error: RPCError, wasSent: Bool) {
    switch error.code {
    case .unavailable: self = .unreachable
    case .deadlineExceeded: self = wasSent ? .timedOut : .unreachable
    case .unauthenticated: self = .authentication
    case .permissionDenied: self = .permission
    case .unimplemented: self = .unsupported
    case .notFound: self = .notFound
    case .alreadyExists: self = .alreadyExists
    case .invalidArgument, .failedPrecondition, .outOfRange: self = .invalidArgument
    // The same number stands for a full quota and for a message that is too large, which no waiting can help.
    case .resourceExhausted:
      let message = error.message.lowercased()
      self = message.contains("larger than") || message.contains("payload size") ? .invalidArgument : .rateLimited
    default: self = .server
    }
  }
}
