// Turns a store's answer into what the script wants the client to see: a value that is shown the head and then each
// piece of the body, and says how much of it goes on, and what comes then. It holds no bytes of the body.

/// The course of one answer under a fault.
struct AnswerEditor {
  /// How an answer breaks off.
  enum Ending: Hashable {
    case reset
    case close
    /// Nothing for so many seconds (nil: until the client hangs up), then the rest.
    case stall(Double?)
  }

  /// What the client gets instead of the whole answer.
  enum Replacement: Hashable {
    case reset
    case error(code: String, status: Int?)
  }

  /// What goes on of a piece of the body.
  struct Verdict: Hashable {
    /// So many of its first bytes.
    var count: Int
    /// And then this.
    var ending: Ending?
  }

  /// What the client sees of the head.
  private(set) var head: [UInt8]
  /// Comes right behind the head.
  private(set) var endingBehindHead: Ending?
  /// The answer is to be read to its end and thrown away.
  private(set) var replacement: Replacement?
  /// The connection stays open behind the body until the client gives up, as the announced length is not reached.
  private(set) var holdsAtEnd = false
  /// Whether the fault has any effect on this answer.
  private(set) var isApplicable = true

  /// Content bytes until the answer breaks off.
  private var bytesUntilEnding: Int?
  private var ending: Ending?
  /// Content bytes until the one that is flipped.
  private var bytesUntilCorruption: Int?

  /// - Parameters:
  ///   - fault: nil, or a fault of requests, for none.
  ///   - method: that of the request.
  init(_ fault: Fault?, head: HTTPHead, method: String) {
    self.head = head.bytes
    let framing = head.answerFraming(to: method)
    let length: Int? = if case .length(let count) = framing.kind { count } else { nil }
    switch fault {
    case .loseAnswer: replacement = .reset
    case .replaceAnswer(let code, let status): replacement = .error(code: code, status: status)
    case .stallAnswer(let bytes, let seconds): breakOff(after: bytes ?? 0, .stall(seconds), length: length)
    case .truncateAnswer(let bytes): breakOff(after: bytes ?? 0, .close, length: length)
    case .resetAnswer(let bytes): breakOff(after: bytes ?? 0, .reset, length: length)
    case .misstateLength(let difference): misstate(head, by: difference, method: method)
    case .corruptAnswer(let byte):
      isApplicable = length != 0
      bytesUntilCorruption = length.map { min(byte ?? 0, $0 - 1) } ?? byte ?? 0
    case .none, .refuse, .reset, .close, .resetDuringRequest, .stall, .latency, .corruptRequest: break
    }
  }

  private mutating func breakOff(after bytes: Int, _ ending: Ending, length: Int?) {
    if length == 0 {
      // Half a head: enough to be an answer that began.
      if case .stall = ending {} else { head = Array(head.prefix(head.count / 2)) }
      endingBehindHead = ending
    } else if min(bytes, (length ?? .max) - 1) == 0 {
      endingBehindHead = ending
    } else {
      bytesUntilEnding = min(bytes, (length ?? .max) - 1)
      self.ending = ending
    }
  }

  private mutating func misstate(_ original: HTTPHead, by difference: Int, method: String) {
    guard let length = original.contentLength, length + difference >= 0, difference != 0,
      let changed = original.announcing(length: length + difference)
    else {
      isApplicable = false
      return
    }
    head = changed
    holdsAtEnd = difference > 0 && method != "HEAD"
  }

  /// Looks at a piece of the body, and flips a bit of it if that is the fault.
  mutating func edit(_ piece: BodyFraming.Piece, in bytes: UnsafeMutableRawBufferPointer) -> Verdict {
    if let offset = bytesUntilCorruption {
      if let place = piece.place(ofContent: offset) {
        bytes[place] ^= 0x10
        bytesUntilCorruption = nil
      } else {
        bytesUntilCorruption = offset - piece.contentCount
      }
    }
    guard let left = bytesUntilEnding, let ending else { return Verdict(count: piece.count) }
    guard let place = piece.place(ofContent: left) else {
      bytesUntilEnding = left - piece.contentCount
      return Verdict(count: piece.count)
    }
    bytesUntilEnding = nil
    self.ending = nil
    return Verdict(count: place, ending: ending)
  }
}

/// The same for a request's body.
struct RequestEditor {
  /// Content bytes until both connections are reset.
  private var bytesUntilReset: Int?
  private var bytesUntilCorruption: Int?
  /// Nothing of the request goes to the store: there is no body of which one byte could be held back.
  let isCutAtOnce: Bool
  /// Whether the fault has any effect on this request.
  let isApplicable: Bool

  init(_ fault: Fault?, framing: BodyFraming) {
    let length: Int? = if case .length(let count) = framing.kind { count } else { nil }
    switch fault {
    case .resetDuringRequest(let bytes):
      isCutAtOnce = length == 0
      bytesUntilReset = min(bytes ?? 0, (length ?? .max) - 1)
      isApplicable = true
    case .corruptRequest(let byte):
      isCutAtOnce = false
      isApplicable = length != 0
      bytesUntilCorruption = length.map { min(byte ?? 0, $0 - 1) } ?? byte ?? 0
    default:
      isCutAtOnce = false
      isApplicable = true
    }
  }

  /// Looks at a piece of the body: how many of its first bytes go on, and whether both connections are reset then.
  mutating func edit(
    _ piece: BodyFraming.Piece, in bytes: UnsafeMutableRawBufferPointer
  ) -> (count: Int, resets: Bool) {
    if let offset = bytesUntilCorruption {
      if let place = piece.place(ofContent: offset) {
        bytes[place] ^= 0x10
        bytesUntilCorruption = nil
      } else {
        bytesUntilCorruption = offset - piece.contentCount
      }
    }
    guard let left = bytesUntilReset else { return (piece.count, false) }
    if let place = piece.place(ofContent: left) { return (place, true) }
    bytesUntilReset = left - piece.contentCount
    return (piece.count, false)
  }
}
