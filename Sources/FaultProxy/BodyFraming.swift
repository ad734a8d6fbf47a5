// Where the body of an HTTP/1.1 message ends: a state machine over bytes as they come, which holds none of them.

/// The course of one body.
struct BodyFraming: Sendable {
  /// How a body is delimited.
  enum Kind: Sendable, Hashable {
    case length(Int)
    case chunked
    case untilClose
  }

  /// What of some bytes belongs to the body.
  struct Piece: Hashable {
    /// So many of the first bytes, framing included.
    var count = 0
    /// Where among them the content is.
    var content: [Range<Int>] = []
  }

  private enum State {
    case content(left: Int)
    /// In the line with a chunk's size; digits end at anything else.
    case size(value: Int, inDigits: Bool)
    case chunk(left: Int)
    /// In the line break behind a chunk.
    case chunkEnd
    /// In the lines behind the last chunk.
    case trailer(lineIsEmpty: Bool)
    case untilClose
    case ended
  }

  let kind: Kind
  private var state: State

  init(_ kind: Kind) {
    self.kind = kind
    switch kind {
    case .length(let count): state = count > 0 ? .content(left: count) : .ended
    case .chunked: state = .size(value: 0, inDigits: true)
    case .untilClose: state = .untilClose
    }
  }

  /// Whether nothing more belongs to the body.
  var isEnded: Bool {
    if case .ended = state { true } else { false }
  }

  /// Takes note that the sender has closed: the end of a body without another one, and no end of the others.
  mutating func close() {
    if case .untilClose = state { state = .ended }
  }

  /// Advances over bytes; what is not counted belongs to the next message.
  mutating func consume(_ bytes: UnsafeRawBufferPointer) -> Piece {
    var piece = Piece()
    while piece.count < bytes.count, !isEnded {
      let available = bytes.count - piece.count
      switch state {
      case .content(let left):
        let count = min(left, available)
        piece.add(content: count)
        state = count == left ? .ended : .content(left: left - count)
      case .chunk(let left):
        let count = min(left, available)
        piece.add(content: count)
        state = count == left ? .chunkEnd : .chunk(left: left - count)
      case .untilClose:
        piece.add(content: available)
      case .size, .chunkEnd, .trailer:
        advance(over: bytes[piece.count])
        piece.count += 1
      case .ended:
        break
      }
    }
    return piece
  }

  /// One byte of a chunked body's framing (RFC 9112, section 7.1).
  private mutating func advance(over byte: UInt8) {
    let isLineEnd = byte == UInt8(ascii: "\n")
    switch state {
    case .size(let value, let inDigits):
      if isLineEnd {
        state = value > 0 ? .chunk(left: value) : .trailer(lineIsEmpty: true)
      } else if inDigits, let digit = Self.hexDigit(byte), value < 1 << 48 {
        state = .size(value: value << 4 | digit, inDigits: true)
      } else {
        state = .size(value: value, inDigits: false)
      }
    case .chunkEnd:
      if isLineEnd { state = .size(value: 0, inDigits: true) }
    case .trailer(let lineIsEmpty):
      if isLineEnd {
        state = lineIsEmpty ? .ended : .trailer(lineIsEmpty: true)
      } else if byte != UInt8(ascii: "\r") {
        state = .trailer(lineIsEmpty: false)
      }
    case .content, .chunk, .untilClose, .ended:
      break
    }
  }

  private static func hexDigit(_ byte: UInt8) -> Int? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte) - 0x30
    case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte) - 0x61 + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte) - 0x41 + 10
    default: nil
    }
  }
}

extension BodyFraming.Piece {
  fileprivate mutating func add(content count: Int) {
    content.append(self.count..<self.count + count)
    self.count += count
  }

  /// The place of the content's byte number `offset`; nil when the content is shorter.
  func place(ofContent offset: Int) -> Int? {
    var left = offset
    for range in content {
      if left < range.count { return range.lowerBound + left }
      left -= range.count
    }
    return nil
  }

  /// Bytes of content.
  var contentCount: Int { content.reduce(0) { $0 + $1.count } }
}
