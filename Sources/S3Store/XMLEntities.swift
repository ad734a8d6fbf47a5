// The five entities of XML and numeric character references.

/// Resolves and writes entities.
enum XMLEntities {
  /// Appends the character data in `range` with its entities resolved.
  static func append(_ range: Range<Int>, in bytes: Span<UInt8>, to output: inout [UInt8]) throws(XMLFault) {
    var index = range.lowerBound
    while true {
      let start = index
      while index < range.upperBound, bytes[index] != UInt8(ascii: "&") { index += 1 }
      appendVerbatim(start..<index, in: bytes, to: &output)
      guard index < range.upperBound else { return }
      let name = index + 1
      // The longest reference is &#x10FFFF; leading zeros are not expected.
      let limit = min(range.upperBound, name + 10)
      while index < limit, bytes[index] != UInt8(ascii: ";") { index += 1 }
      guard index < limit else { throw XMLFault(reason: "an & without ; at byte \(name - 1)") }
      try appendEntity(name..<index, in: bytes, to: &output)
      index += 1
    }
  }

  /// Appends the bytes in `range` as they are.
  static func appendVerbatim(_ range: Range<Int>, in bytes: Span<UInt8>, to output: inout [UInt8]) {
    bytes.extracting(range).withUnsafeBufferPointer { output.append(contentsOf: $0) }
  }

  /// `text` as character data.
  static func escaped(_ text: String) -> String {
    var output: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "&"): output.append(contentsOf: "&amp;".utf8)
      case UInt8(ascii: "<"): output.append(contentsOf: "&lt;".utf8)
      case UInt8(ascii: ">"): output.append(contentsOf: "&gt;".utf8)
      case UInt8(ascii: "\""): output.append(contentsOf: "&quot;".utf8)
      default: output.append(byte)
      }
    }
    return String(decoding: output, as: UTF8.self)
  }

  private static func appendEntity(
    _ name: Range<Int>, in bytes: Span<UInt8>, to output: inout [UInt8]
  ) throws(XMLFault) {
    if let code = number(name, in: bytes) {
      guard let scalar = Unicode.Scalar(code) else {
        throw XMLFault(reason: "an invalid character reference at byte \(name.lowerBound)")
      }
      output.append(contentsOf: Character(scalar).utf8)
    } else if XMLScanner.matches(name, "amp", in: bytes) {
      output.append(UInt8(ascii: "&"))
    } else if XMLScanner.matches(name, "lt", in: bytes) {
      output.append(UInt8(ascii: "<"))
    } else if XMLScanner.matches(name, "gt", in: bytes) {
      output.append(UInt8(ascii: ">"))
    } else if XMLScanner.matches(name, "quot", in: bytes) {
      output.append(UInt8(ascii: "\""))
    } else if XMLScanner.matches(name, "apos", in: bytes) {
      output.append(UInt8(ascii: "'"))
    } else {
      throw XMLFault(reason: "an unknown entity at byte \(name.lowerBound)")
    }
  }

  /// The code of `#34` or `#x22`; nil when it is neither. So few digits come here that 64 bits hold them.
  private static func number(_ name: Range<Int>, in bytes: Span<UInt8>) -> UInt32? {
    guard name.count > 1, bytes[name.lowerBound] == UInt8(ascii: "#") else { return nil }
    let isHex = bytes[name.lowerBound + 1] == UInt8(ascii: "x")
    let digits = (name.lowerBound + (isHex ? 2 : 1))..<name.upperBound
    guard !digits.isEmpty else { return nil }
    var value: UInt64 = 0
    for index in digits {
      guard let digit = bytes[index].hexDigit, isHex || digit < 10 else { return nil }
      value = value * (isHex ? 16 : 10) + UInt64(digit)
    }
    return UInt32(exactly: value)
  }
}
