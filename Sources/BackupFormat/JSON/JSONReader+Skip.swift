// Values under unknown keys: checked and left behind.

extension JSONReader {
  /// Skips one value of any kind.
  mutating func skipValue(depth: Int = 0) throws(JSONError) {
    guard depth < Self.maximumDepth else {
      throw JSONError(at: position, "values are nested more than \(Self.maximumDepth) deep")
    }
    skipWhitespace()
    guard let next else { throw unexpected("a value") }
    switch next {
    case UInt8(ascii: "{"): try skipObject(depth: depth)
    case UInt8(ascii: "["): try skipList(depth: depth)
    case UInt8(ascii: "\""): try skipString()
    case UInt8(ascii: "t"), UInt8(ascii: "f"): _ = try boolean()
    case UInt8(ascii: "n"): _ = try takeNull()
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try skipNumber()
    default: throw unexpected("a value")
    }
  }

  private mutating func skipObject(depth: Int) throws(JSONError) {
    advance()
    if take(UInt8(ascii: "}")) { return }
    repeat {
      try skipString()
      try expect(UInt8(ascii: ":"), "':'")
      try skipValue(depth: depth + 1)
    } while try takeSeparator(orEnd: UInt8(ascii: "}"))
  }

  private mutating func skipList(depth: Int) throws(JSONError) {
    advance()
    if take(UInt8(ascii: "]")) { return }
    repeat {
      try skipValue(depth: depth + 1)
    } while try takeSeparator(orEnd: UInt8(ascii: "]"))
  }

  private mutating func skipString() throws(JSONError) {
    let (range, isPlain) = try stringBody()
    if !isPlain { _ = try unescape(range) }
  }
}
