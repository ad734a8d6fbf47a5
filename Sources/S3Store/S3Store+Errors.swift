// Makes errors: of refusals, of broken connections, of answers that are not S3's.

import CurlHTTP
import ObjectStore

extension S3Store {
  /// The error that a refusal is.
  func error(_ refusal: S3Refusal, for call: S3Call) -> StoreError {
    let failure = S3Failure(
      refusal, call: call, names: configuration.settingNames, isAnonymous: configuration.credentials.isAnonymous)
    var reason = failure.summary
    let words = [refusal.code, refusal.message].filter { !$0.isEmpty }.joined(separator: ": ")
    let service = "HTTP \(refusal.status)\(words.isEmpty ? "" : " \(words)")"
    reason += reason.isEmpty ? service : " (\(service))"
    if failure.code == .protocolViolation { reason += " from \(location.endpoint)" }
    let isAboutSource = failure.code == .notFound || failure.code == .changed
    return StoreError(
      failure.code, operation: call.operation, key: isAboutSource ? call.source ?? call.key : call.key,
      location: location(of: call), reason: reason, remedy: failure.remedy, isTransient: failure.isTransient,
      retryAfter: refusal.retryAfter)
  }

  /// The error that a request without a complete answer is.
  func error(_ error: HTTPError, for call: S3Call) -> StoreError {
    if error.code == .bodyFailed, let cause = error.cause {
      return StoreError(reading: cause, for: call.key, in: location(of: call))
    }
    let names = configuration.settingNames
    let (code, isTransient, remedy): (StoreError.Code, Bool, String) =
      switch error.code {
      case .unreachable:
        (.unreachable, true, "Check \(names.address) and \(names.port), and that the store is running.")
      case .hostUnknown: (.unreachable, true, "Check \(names.address).")
      case .tls:
        (.unreachable, false, tlsRemedy(error))
      case .connectTimedOut: (.timedOut, true, "Check \(names.address) and \(names.port), and any firewall between.")
      case .stalled, .deadlineExceeded: (.timedOut, true, "If this goes on, check \(names.address) and \(names.port).")
      case .connectionLost:
        (
          .connectionLost, true,
          "If this goes on, check \(names.address), \(names.port) and \(names.useSSL): another service may listen there."
        )
      case .resources: (.unreachable, true, "Check the limits of this process on memory, threads and open files.")
      case .cancelled: (.cancelled, false, "")
      case .tooLarge: (.protocolViolation, false, "")
      case .invalidRequest: (.unsupported, false, "")
      default:
        (.protocolViolation, false, "Check \(names.address), \(names.port) and \(names.useSSL).")
      }
    return StoreError(
      code, operation: call.operation, key: call.key, location: location(of: call),
      reason: "\(error.authority): \(error.reason)", remedy: remedy, isTransient: isTransient)
  }

  /// What to do about a TLS session that did not come about.
  private func tlsRemedy(_ error: HTTPError) -> String {
    let names = configuration.settingNames
    let reason = error.reason.lowercased()
    if reason.contains("wrong version number") || reason.contains("packet length too long")
      || reason.contains("unexpected eof") || reason.contains("unknown protocol")
    {
      return "Set \(names.useSSL) to false if the store has no TLS on this port; else check \(names.port)."
    }
    if reason.contains("certificate") || reason.contains("ca cert") {
      let file = configuration.certificateAuthorityFile.map { " (now \($0))" } ?? ""
      return "Give the certificate authority's file by \(names.certificateAuthority)\(file), and check that the "
        + "certificate is for \(names.address)."
    }
    return "Check \(names.useSSL), \(names.port), and the certificate authority: \(names.certificateAuthority)."
  }

  /// The error of a conditional write that was sent twice and refused: whoever tries again has to look whose object is
  /// there, as after any lost answer.
  func unclear(_ call: S3Call) -> StoreError {
    StoreError(
      .connectionLost, operation: call.operation, key: call.key, location: location,
      reason: "\(location.endpoint) closed the connection while the request was on its way, and refused it when it was "
        + "sent again because the object exists; it may be the one that the first request made", isTransient: true)
  }

  /// The error that an answer is which lacks what S3 prescribes.
  func violation(_ reason: String, _ call: S3Call) -> StoreError {
    StoreError(
      .protocolViolation, operation: call.operation, key: call.key, location: location(of: call),
      reason: "the answer of \(location.endpoint) is not S3's: \(reason)")
  }

  /// The error that a success is whose document is none of S3's.
  func notS3(_ response: HTTPResponse, reason: String, _ call: S3Call) -> StoreError {
    let names = configuration.settingNames
    let start = String(decoding: response.body.prefix(200), as: UTF8.self).lowercased()
    var error = violation(start.contains("<html") ? "an HTML page" : reason, call)
    if start.contains("<html") || !start.contains("<") {
      error.remedy = "Check \(names.address) and \(names.port): a web page or console may listen there."
    }
    return error
  }

  /// The fields of a small document with this root element.
  func fields(_ response: HTTPResponse, root: String, _ call: S3Call) throws(StoreError) -> XMLFields {
    let fields: XMLFields
    do {
      fields = try XMLFields(response.body)
    } catch {
      throw notS3(response, reason: error.reason, call)
    }
    guard fields.root == root else { throw violation("a \(fields.root) instead of a \(root)", call) }
    return fields
  }

  /// The bucket that the call was about.
  private func location(of call: S3Call) -> StoreLocation {
    guard let bucket = call.bucket else { return location }
    return StoreLocation(provider: location.provider, endpoint: location.endpoint, bucket: bucket)
  }
}
