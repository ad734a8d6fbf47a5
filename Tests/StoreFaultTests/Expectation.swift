// What each operation must come to under each fault: the table that makes a wrong error code red.

import FaultProxy
import ObjectStore

/// A fault, and what is expected of each operation under it.
struct Row: Sendable, CustomStringConvertible {
  typealias Outcome = Call.Outcome

  let fault: Fault
  /// When the fault happens once.
  let once: Outcome
  /// When it happens to every request.
  let always: Outcome
  /// Operations that differ, under the fault that happens once and under the one that always does. Several outcomes
  /// only where it is the store's choice how it answers nonsense.
  var others: [Call: (once: Set<Outcome>, always: Set<Outcome>)] = [:]
  /// Operations on which the fault is not tried, since no client could tell: a HEAD that lies about the size, a flipped
  /// bit in a range, for which S3 has no checksum.
  var undetectable: Set<Call> = []
  /// Methods that fail so.
  var methods: [String?] = [nil]

  var description: String { "\(fault)" }

  func expected(_ call: Call, always isAlways: Bool) -> Set<Outcome> {
    if let other = others[call] { return isAlways ? other.always : other.once }
    return [isAlways ? always : once]
  }

  /// Once, it happens to the first request: to the one that the operation is.
  func rules(_ call: Call, always isAlways: Bool) -> [FaultRule] {
    if !isAlways { return [FaultRule(fault, on: FaultRule.Match(times: 1))] }
    return methods.map { FaultRule(fault, on: FaultRule.Match(method: $0)) }
  }

  /// Most seconds that any call may take, generously: a noisy machine is no failure, a hang is.
  static let bound: Double = 60
}

extension Row {
  /// Fails once: carried out in the end. Fails always: this error.
  private static func transient(_ fault: Fault, _ code: StoreError.Code) -> Row {
    Row(fault: fault, once: .success, always: .failure(code))
  }

  /// Not worth a second try.
  private static func permanent(_ fault: Fault, _ code: StoreError.Code) -> Row {
    Row(fault: fault, once: .failure(code), always: .failure(code))
  }

  /// Answers without a body: nothing can be missing of one, and nothing be wrong in it.
  private static let bodiless: Set<Call> = [
    .head, .putNew, .putOver, .putAbsent, .part, .streamedPart, .abort, .delete,
  ]
  private static let unaffected: (once: Set<Outcome>, always: Set<Outcome>) = ([.success], [.success])

  private func with(_ calls: Set<Call>, once: Set<Outcome>, always: Set<Outcome>) -> Row {
    var copy = self
    for call in calls { copy.others[call] = (once, always) }
    return copy
  }

  private func withoutEffect(on calls: Set<Call>) -> Row { with(calls, once: [.success], always: [.success]) }

  private func undetectable(_ calls: Set<Call>) -> Row {
    var copy = self
    copy.undetectable = calls
    return copy
  }

  private func exceptHead() -> Row {
    var copy = self
    copy.methods = ["GET", "PUT", "POST", "DELETE"]
    return copy
  }

  /// Before the store.
  static let before: [Row] = [
    transient(.refuse(code: "InternalError"), .serverError),
    transient(.refuse(code: "SlowDown"), .throttled),
    transient(.refuse(code: "SlowDown", retryAfter: 1), .throttled),
    transient(.refuse(code: "TooManyRequests"), .throttled),
    // A refused HEAD has no document; the GET that asks for the reason meets no fault any more.
    permanent(.refuse(code: "ExpiredToken", status: 403), .credentialsExpired)
      .with([.head], once: [.success], always: [.failure(.credentialsExpired)]),
    permanent(.refuse(code: "AccessDenied"), .accessDenied)
      .with([.head], once: [.success], always: [.failure(.accessDenied)]),
    // Signed again with the clock that the answer told.
    transient(.refuse(code: "RequestTimeTooSkewed"), .accessDenied),
    permanent(.refuse(code: "NoSuchUpload"), .uploadNotFound)
      .with([.head], once: [.failure(.notFound)], always: [.failure(.notFound)]).undetectable([.abort]),
    permanent(.refuse(code: "PreconditionFailed"), .changed)
      .with(
        [.putNew, .putOver, .putAbsent, .complete], once: [.failure(.preconditionFailed)],
        always: [.failure(.preconditionFailed)]),
    // Signed again for the region that the answer told.
    transient(.refuse(code: "PermanentRedirect", region: "eu-test-1"), .bucketNotFound),
    transient(.refuse(code: "InternalError", status: 200), .serverError)
      // The answer to a HEAD has no document; what it lacks is the ETag.
      .with([.head], once: [.failure(.protocolViolation)], always: [.failure(.protocolViolation)]),
    transient(.reset, .connectionLost),
    transient(.close, .connectionLost),
    transient(.resetDuringRequest(bytes: 100), .connectionLost),
    transient(.stall(), .timedOut),
    Row(fault: .latency(seconds: 0.2, jitter: 0.1), once: .success, always: .success),
    // Only bodies that carry a checksum can be told from others.
    Row(fault: .corruptRequest(byte: 0), once: .success, always: .success)
      .with([.putNew, .putOver, .putAbsent, .part, .streamedPart], once: [.success], always: [.failure(.corrupted)])
      .with(
        [.complete], once: [.failure(.unsupported), .failure(.uploadNotFound), .success],
        always: [.failure(.unsupported), .failure(.uploadNotFound)]
      )
      .with(
        // Either the store objects, or what it passed over in silence is removed one by one.
        [.deleteMany], once: [.success, .failure(.unsupported)],
        always: [.success, .failure(.corrupted), .failure(.unsupported)]),
  ]

  /// Behind the store.
  static let behind: [Row] = [
    transient(.loseAnswer, .connectionLost),
    transient(.replaceAnswer(code: "InternalError"), .serverError),
    transient(.replaceAnswer(code: "InternalError", status: 200), .serverError)
      .with([.head], once: [.failure(.protocolViolation)], always: [.failure(.protocolViolation)]),
    transient(.stallAnswer(), .timedOut).withoutEffect(on: bodiless.union([.complete])),
    transient(.stallAnswer(bytes: 10), .timedOut).withoutEffect(on: bodiless.union([.complete])),
    transient(.truncateAnswer(bytes: 10), .connectionLost),
    transient(.resetAnswer(bytes: 10), .connectionLost),
    // More announced than a range can have is refused at once.
    transient(.misstateLength(by: 7), .timedOut).exceptHead().withoutEffect(on: [.abort, .delete]).undetectable([.head])
      // The object itself tells.
      .with([.complete], once: [.success], always: [.success])
      .with([.getRange], once: [.failure(.protocolViolation)], always: [.failure(.protocolViolation)]),
    Row(
      fault: .misstateLength(by: -1), once: .failure(.protocolViolation), always: .failure(.protocolViolation)
    ).exceptHead().withoutEffect(on: bodiless).undetectable([.head])
      // The byte that is left over can also be met first, in front of the next answer.
      .with([.getWhole], once: [.success], always: [.failure(.corrupted), .failure(.connectionLost)])
      .with([.getRange], once: [.success], always: [.failure(.connectionLost)])
      // The object itself tells.
      .with([.complete], once: [.success], always: [.success, .failure(.connectionLost)]),
    // Documents have no checksum: a flipped bit is found only where it breaks the document.
    Row(fault: .corruptAnswer(byte: 0), once: .failure(.protocolViolation), always: .failure(.protocolViolation))
      .withoutEffect(on: bodiless)
      .with([.getWhole], once: [.success], always: [.failure(.corrupted)])
      .with([.complete], once: [.success], always: [.success]).undetectable([.getRange]),
  ]
}
