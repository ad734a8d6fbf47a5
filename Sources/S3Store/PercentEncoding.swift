// Percent-encoding as Signature Version 4 wants it: every byte but A-Z a-z 0-9 - _ . ~, upper-case hex digits, once.

/// Percent-encoding of keys, query names and query values.
enum PercentEncoding {
  private static let isPlain: [Bool] = (0...255).map { code in
    let byte = UInt8(code)
    return byte.isASCIIAlphanumeric || "-_.~".utf8.contains(byte)
  }

  private static let digits = Array("0123456789ABCDEF".utf8)

  /// Appends the encoded form of `text`; `keepingSlash` for paths.
  static func append(_ text: String, to output: inout [UInt8], keepingSlash: Bool) {
    for byte in text.utf8 {
      if isPlain[Int(byte)] || (keepingSlash && byte == UInt8(ascii: "/")) {
        output.append(byte)
      } else {
        output.append(UInt8(ascii: "%"))
        output.append(digits[Int(byte >> 4)])
        output.append(digits[Int(byte & 15)])
      }
    }
  }

  /// The encoded form of `text`.
  static func encoded(_ text: String, keepingSlash: Bool) -> String {
    var output: [UInt8] = []
    output.reserveCapacity(text.utf8.count + 16)
    append(text, to: &output, keepingSlash: keepingSlash)
    return String(decoding: output, as: UTF8.self)
  }

  /// The canonical query string: encoded, sorted by name and then value, `name=` for an empty value.
  static func query(_ items: [(name: String, value: String)]) -> String {
    if items.isEmpty { return "" }
    let encodedItems = items.map { (encoded($0.name, keepingSlash: false), encoded($0.value, keepingSlash: false)) }
    // ASCII only by now, where the order of characters is that of bytes.
    return encodedItems.sorted { $0 < $1 }.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
  }

  /// Undoes the encoding of listings asked for with `encoding-type=url`, where a space is `+`. Nil when a `%` is not
  /// followed by two hex digits.
  static func decodedForm(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
    var output: [UInt8] = []
    output.reserveCapacity(bytes.count)
    var index = bytes.startIndex
    while index < bytes.endIndex {
      let byte = bytes[index]
      if byte == UInt8(ascii: "%") {
        guard bytes.endIndex - index > 2, let high = bytes[index + 1].hexDigit, let low = bytes[index + 2].hexDigit
        else { return nil }
        output.append(high << 4 | low)
        index += 3
      } else {
        output.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
        index += 1
      }
    }
    return output
  }
}

extension UInt8 {
  var isASCIIDigit: Bool { self >= 0x30 && self <= 0x39 }
  var isASCIIAlphanumeric: Bool {
    isASCIIDigit || (self | 0x20 >= UInt8(ascii: "a") && self | 0x20 <= UInt8(ascii: "z"))
  }
  var isXMLSpace: Bool { self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09 }

  /// The value of a hex digit.
  var hexDigit: UInt8? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
