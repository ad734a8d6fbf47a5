// What can go wrong between a client and a store. A count that is not given is 0. In JSON a fault is an object with one member, named like the case:
// {"refuse": {"code": "SlowDown", "retryAfter": 1}}, {"reset": {}}, {"truncateAnswer": {"bytes": 100}}.

/// One way to fail. Counts of bytes are counts of content, without the framing of chunked bodies.
public enum Fault: Sendable, Hashable, Codable {
  // The store never sees the whole request and does nothing:

  /// An error document instead of the store's answer. See `ErrorAnswer` for what is filled in.
  case refuse(code: String, status: Int? = nil, retryAfter: Int? = nil, region: String? = nil)
  /// The connection is reset.
  case reset
  /// The connection is closed in an orderly way, without an answer.
  case close
  /// Both connections are reset after so many bytes of the request's body went to the store, but never after all of
  /// them: the count is cut to one less than the body has.
  case resetDuringRequest(bytes: Int? = nil)

  // The store gets the request in the end:

  /// Nothing happens for so many seconds (nil: until the client hangs up); then the request goes on.
  case stall(seconds: Double? = nil)
  /// The request goes on after a pause of `seconds` plus at most `jitter`. Pauses of all rules that match add up, and
  /// another fault may follow.
  case latency(seconds: Double, jitter: Double? = nil)
  /// One bit of this byte of the request's body is flipped; the last byte if the body is shorter.
  case corruptRequest(byte: Int? = nil)

  // The store does it, and its answer is lost or changed:

  /// The connection is reset in place of the answer.
  case loseAnswer
  /// An error document in place of the answer; with status 200 a success that holds an error.
  case replaceAnswer(code: String, status: Int? = nil)
  /// The head and so many bytes of the body, then nothing for so many seconds (nil: until the client hangs up); then
  /// the rest. The count is cut to one less than the body has.
  case stallAnswer(bytes: Int? = nil, seconds: Double? = nil)
  /// The head and so many bytes of the body, then an orderly close. The count is cut to one less than the body has; an
  /// answer without body is cut in the middle of its head.
  case truncateAnswer(bytes: Int? = nil)
  /// The same with a reset.
  case resetAnswer(bytes: Int? = nil)
  /// A Content-Length so much too large (then nothing follows the body, and the connection stays open) or too small
  /// (then all bytes are sent nevertheless). Does not apply to chunked answers.
  case misstateLength(by: Int)
  /// One bit of this byte of the answer's body is flipped; the last byte if the body is shorter. Does not apply to an
  /// answer without body.
  case corruptAnswer(byte: Int? = nil)

  /// Whether the store certainly did not carry out the request.
  public var keepsStoreUntouched: Bool {
    switch self {
    case .refuse, .reset, .close, .resetDuringRequest: true
    default: false
    }
  }
}
