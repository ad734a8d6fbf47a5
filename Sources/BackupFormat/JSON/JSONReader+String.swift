// Strings: the plain ones are taken as one run of bytes, those with escapes or invalid UTF-8 are rebuilt.

extension JSONReader {
  /// Reads a string.
  mutating func string() throws(JSONError) -> String {
    let (range, isPlain) = try stringBody()
    if isPlain { return String(decoding: bytes[range], as: UTF8.self) }
    let unescaped = try unescape(range)
    return String(validating: unescaped, as: UTF8.self) ?? String(decoding: repaired(unescaped), as: UTF8.self)
  }

  /// Takes a string and returns the range between its quotes; plain means ASCII without escapes.
  mutating func stringBody() throws(JSONError) -> (range: Range<Int>, isPlain: Bool) {
    try expect(UInt8(ascii: "\""), "a string")
    let start = position
    var isPlain = true
    while position < bytes.count {
      let byte = bytes[position]
      switch byte {
      case UInt8(ascii: "\""):
        defer { advance() }
        return (start..<position, isPlain)
      case UInt8(ascii: "\\"):
        isPlain = false
        advance(by: 2)
      case 0..<0x20: throw JSONError(at: position, "a string holds the control character \(byte) unescaped")
      default:
        if byte >= 0x80 { isPlain = false }
        advance()
      }
    }
    throw JSONError(at: position, "the text is cut off inside a string")
  }

  /// The bytes of the string in `range` with its escapes resolved.
  func unescape(_ range: Range<Int>) throws(JSONError) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(range.count)
    var index = range.lowerBound
    while index < range.upperBound {
      guard bytes[index] == UInt8(ascii: "\\") else {
        result.append(bytes[index])
        index += 1
        continue
      }
      let escape = index + 1 < range.upperBound ? bytes[index + 1] : 0
      index += 2
      switch escape {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(escape)
      case UInt8(ascii: "b"): result.append(0x08)
      case UInt8(ascii: "f"): result.append(0x0c)
      case UInt8(ascii: "n"): result.append(0x0a)
      case UInt8(ascii: "r"): result.append(0x0d)
      case UInt8(ascii: "t"): result.append(0x09)
      case UInt8(ascii: "u"): result += Array(try codePoint(at: &index, before: range.upperBound).utf8)
      default: throw JSONError(at: index - 2, "a string holds an unknown escape")
      }
    }
    return result
  }

  /// Reads the digits of a `\u` escape, and those of a second one if both form a surrogate pair.
  private func codePoint(at index: inout Int, before end: Int) throws(JSONError) -> Character {
    let first = try hexadecimal(at: index, before: end)
    index += 4
    if let scalar = Unicode.Scalar(first) { return Character(scalar) }
    let isHigh = first < 0xdc00
    guard isHigh, index + 1 < end, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") else {
      return "\u{fffd}"
    }
    let second = try hexadecimal(at: index + 2, before: end)
    guard (0xdc00...0xdfff).contains(second) else { return "\u{fffd}" }
    index += 6
    let combined = 0x10000 + (UInt32(first) - 0xd800) << 10 + (UInt32(second) - 0xdc00)
    return Character(Unicode.Scalar(combined) ?? "\u{fffd}")
  }

  private func hexadecimal(at index: Int, before end: Int) throws(JSONError) -> UInt16 {
    guard index + 4 <= end else { throw JSONError(at: index, "a string holds an incomplete \\u escape") }
    var value: UInt16 = 0
    for byte in bytes[index..<index + 4] {
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
      default: throw JSONError(at: index, "a string holds an incomplete \\u escape")
      }
      value = value << 4 | UInt16(digit)
    }
    return value
  }

  /// Replaces each byte which is not part of valid UTF-8 by U+FFFD. Swift's own repair would merge several into one.
  private func repaired(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var index = 0
    while index < text.count {
      let length = min(expectedLength(leadByte: text[index]), text.count - index)
      let candidate = text[index..<index + length]
      if String(validating: candidate, as: UTF8.self) != nil {
        result += candidate
        index += length
      } else {
        result += [0xef, 0xbf, 0xbd]
        index += 1
      }
    }
    return result
  }

  private func expectedLength(leadByte: UInt8) -> Int {
    switch leadByte {
    case 0xc2...0xdf: 2
    case 0xe0...0xef: 3
    case 0xf0...0xf4: 4
    default: 1
    }
  }
}
