// A streamed body on its way out: what libcurl's callbacks ask of it.
//
// libcurl would take waiting for our own bytes for a stall of the server, so progress is watched here.

import CCurl

struct UploadStream {
  private let pipe: BodyPipe
  /// Most time without a byte sent or received, not counting that in which our own bytes were awaited.
  private let stallLimit: Duration
  private var moved: Int64 = 0
  /// When a byte moved last; nil until the request begins to go out.
  private var lastMove: ContinuousClock.Instant?

  /// - Parameter stall: seconds.
  init(_ pipe: BodyPipe, stall: Int) {
    self.pipe = pipe
    stallLimit = .seconds(stall)
  }

  /// Copies the next bytes, or answers CURL_READFUNC_PAUSE.
  func read(into space: UnsafeMutableRawBufferPointer) -> Int { pipe.read(into: space) ?? Int(CURL_READFUNC_PAUSE) }

  /// What was taken from the pipe cannot be had again.
  func seek(to place: Int) -> Bool { place == 0 && pipe.isUntouched }

  /// Whether the transfer is paused for want of bytes.
  var isStarving: Bool { pipe.isStarving }

  /// Whether all of it was handed to libcurl.
  var isUsedUp: Bool { pipe.isUsedUp }

  /// The request begins to go out, perhaps not for the first time. Answers why it must not.
  mutating func begin() -> AnswerCollector.Refusal? {
    lastMove = .now
    if pipe.isUntouched { return nil }
    return AnswerCollector.Refusal(
      code: .connectionLost, reason: "a kept connection was closed while the body was on its way")
  }

  /// So many bytes were moved so far; to be told about once a second. Answers why the transfer has to end.
  mutating func progressed(to bytes: Int64) -> AnswerCollector.Refusal? {
    guard let lastMove else { return nil }
    let now = ContinuousClock.now
    if bytes != moved || pipe.isStarving {
      moved = bytes
      self.lastMove = now
    } else if now - lastMove >= stallLimit {
      return AnswerCollector.Refusal(code: .stalled, reason: "no byte was sent or received for \(stallLimit)")
    }
    return nil
  }
}
