// The sentence an operator reads.

extension MilvusError: CustomStringConvertible {
  /// One sentence with server, operation, object, cause and remedy, for instance: `Milvus at 127.0.0.1:19530 cannot be
  /// reached (connection refused); check that it is running and that address, port and TLS mode are right`.
  public var description: String {
    let milvus = server.map { "Milvus at \($0)" } ?? "Milvus"
    let action = [call, object].compactMap(\.self).joined(separator: " of ")
    let sentence =
      switch code {
      case .unreachable:
        "\(milvus) cannot be reached" + (object == nil ? "" : " for \(action)") + " (\(reason))"
      case .timedOut:
        "\(milvus) did not answer" + (action.isEmpty ? "" : " \(action)") + " in time (\(reason))"
      case .cancelled:
        action.isEmpty ? "The call to \(milvus) was cancelled" : "\(action) at \(milvus) was cancelled"
      case .server:
        "\(milvus) could not carry out \(action.isEmpty ? "the call" : action): \(reason)"
      default:
        server == nil && call == nil
          ? "Milvus: \(reason)" : "\(milvus) refused \(action.isEmpty ? "the call" : action): \(reason)"
      }
    let doubt = mayHaveHappened ? "; the server may have carried out the call all the same" : ""
    return sentence + doubt + (remedy.map { "; \($0)" } ?? "")
  }
}

extension MilvusError {
  /// An error of the configuration, found without asking the server.
  static func configuration(_ reason: String, remedy: String) -> MilvusError {
    MilvusError(code: .invalidArgument, reason: reason, remedy: remedy)
  }

  /// The calling task was cancelled.
  static func cancelled(call: String, object: String?, endpoint: MilvusEndpoint) -> MilvusError {
    MilvusError(
      code: .cancelled, call: call, object: object, server: endpoint.address, reason: "the task was cancelled")
  }
}
