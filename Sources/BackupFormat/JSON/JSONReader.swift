// Reads JSON tokens from bytes.
//
// Why not Foundation's decoder: the metadata of a large backup is hundreds of megabytes with millions of records; it
// holds 64-bit integers up to UInt64.max that must never pass through a floating point number; and the rules are those
// of Go's `encoding/json`, which wrote it (keys match without regard to case, null is zero, each byte of invalid UTF-8
// becomes U+FFFD). Foundation does not have these rules and needs a multiple of the time and memory.
//
// Invariants: `position` never passes the end and only moves forward, so reading takes linear time; every access is
// checked, so no input can make it crash; nesting is bounded by `maximumDepth`.

/// A cursor over a JSON text.
struct JSONReader {
  /// Deepest nesting of values that are skipped because their key is unknown.
  static let maximumDepth = 500

  let bytes: [UInt8]
  private(set) var position = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The byte at the cursor, nil at the end.
  var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  mutating func advance(by count: Int = 1) {
    position = min(position + count, bytes.count)
  }

  mutating func skipWhitespace() {
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): position += 1
      default: return
      }
    }
  }

  /// Takes `byte`, after white space, if it is next.
  mutating func take(_ byte: UInt8) -> Bool {
    skipWhitespace()
    guard next == byte else { return false }
    position += 1
    return true
  }

  /// Takes `byte`, after white space; it must be next.
  mutating func expect(_ byte: UInt8, _ expected: String) throws(JSONError) {
    guard take(byte) else { throw unexpected(expected) }
  }

  /// Takes the list separator and tells whether another element follows; the closing `bracket` ends the list.
  mutating func takeSeparator(orEnd bracket: UInt8) throws(JSONError) -> Bool {
    if take(UInt8(ascii: ",")) { return true }
    if take(bracket) { return false }
    throw unexpected("',' or '\(Character(Unicode.Scalar(bracket)))'")
  }

  /// Takes the whole word `null`, after white space, if it is next.
  mutating func takeNull() throws(JSONError) -> Bool {
    skipWhitespace()
    guard next == UInt8(ascii: "n") else { return false }
    try takeWord("null")
    return true
  }

  mutating func boolean() throws(JSONError) -> Bool {
    skipWhitespace()
    switch next {
    case UInt8(ascii: "t"):
      try takeWord("true")
      return true
    case UInt8(ascii: "f"):
      try takeWord("false")
      return false
    default: throw unexpected("true or false")
    }
  }

  /// Nothing but white space may follow a complete text.
  mutating func expectEnd() throws(JSONError) {
    skipWhitespace()
    guard position == bytes.count else { throw unexpected("the end of the text") }
  }

  private mutating func takeWord(_ word: StaticString) throws(JSONError) {
    let start = position
    for index in 0..<word.utf8CodeUnitCount {
      guard next == word.utf8Start[index] else {
        if position < bytes.count { position = start }
        throw unexpected("'\(word)'")
      }
      position += 1
    }
  }

  /// The error that something other than `expected` is next.
  func unexpected(_ expected: String) -> JSONError {
    guard let next else {
      return JSONError(
        at: position, bytes.isEmpty ? "the text is empty" : "the text is cut off where \(expected) should be")
    }
    let found =
      switch next {
      case UInt8(ascii: "\""): "a string"
      case UInt8(ascii: "{"): "an object"
      case UInt8(ascii: "["): "a list"
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): "a number"
      case UInt8(ascii: "t"), UInt8(ascii: "f"): "a boolean"
      case UInt8(ascii: "n"): "null"
      case 0x21...0x7e: "'\(Character(Unicode.Scalar(next)))'"
      default: "byte \(next)"
      }
    return JSONError(at: position, "\(expected) is expected, found \(found)")
  }
}
