// Integers, read digit by digit so that all 64 bits stay exact.

extension JSONReader {
  /// Reads an integer of the wanted type. Fractions, exponents, quoted numbers and overflow are errors.
  mutating func integer<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) throws(JSONError) -> Number {
    skipWhitespace()
    let start = position
    let isNegative = next == UInt8(ascii: "-")
    if isNegative { advance() }
    guard let first = next, isDigit(first) else {
      throw isNegative ? unexpected("a digit") : unexpected("a number")
    }
    var value: Number = 0
    while let byte = next, isDigit(byte) {
      let digit = Number(truncatingIfNeeded: byte &- UInt8(ascii: "0"))
      let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
      let (sum, alsoOverflowed) =
        isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
      guard !overflowed, !alsoOverflowed else {
        throw JSONError(at: start, "the number does not fit \(Number.bitWidth) bits")
      }
      value = sum
      advance()
    }
    try checkNumberEnd(from: start, firstDigit: first)
    return value
  }

  /// Skips a number of any kind.
  mutating func skipNumber() throws(JSONError) {
    let start = position
    if next == UInt8(ascii: "-") { advance() }
    guard let first = next, isDigit(first) else { throw unexpected("a digit") }
    skipDigits()
    try checkLeadingZero(from: start, firstDigit: first)
    if next == UInt8(ascii: ".") {
      advance()
      try expectDigits()
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      advance()
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { advance() }
      try expectDigits()
    }
  }

  private func checkNumberEnd(from start: Int, firstDigit: UInt8) throws(JSONError) {
    try checkLeadingZero(from: start, firstDigit: firstDigit)
    switch next {
    case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
      throw JSONError(at: start, "a whole number is expected, found one with a fraction or an exponent")
    default: return
    }
  }

  private func checkLeadingZero(from start: Int, firstDigit: UInt8) throws(JSONError) {
    let digits = position - start - (bytes[start] == UInt8(ascii: "-") ? 1 : 0)
    guard firstDigit != UInt8(ascii: "0") || digits == 1 else {
      throw JSONError(at: start, "a number must not begin with zero")
    }
  }

  private mutating func expectDigits() throws(JSONError) {
    guard let byte = next, isDigit(byte) else { throw unexpected("a digit") }
    skipDigits()
  }

  private mutating func skipDigits() {
    while let byte = next, isDigit(byte) { advance() }
  }

  private func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }
}
