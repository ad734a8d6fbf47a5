// The escapes of Go's encoder: besides what JSON demands, `<`, `>`, `&` and the line separators U+2028 and U+2029, so
// that the text could stand in an HTML page.

/// Escaping of the contents of JSON strings.
enum JSONEscape {
  /// Appends `text`, which is valid UTF-8, with everything escaped that Go escapes.
  static func append(_ text: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
    var start = 0
    var index = 0
    while index < text.count {
      guard mayNeedEscape(text[index]), let escape = escape(at: index, in: text) else {
        index += 1
        continue
      }
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<index]))
      bytes.append(contentsOf: escape.text.utf8)
      index += escape.length
      start = index
    }
    bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
  }

  /// A quick test that almost every byte fails.
  private static func mayNeedEscape(_ byte: UInt8) -> Bool {
    switch byte {
    case 0..<0x20, UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"),
      0xe2:
      true
    default: false
    }
  }

  /// The escape for the character at `index` and the number of bytes it stands for, nil if the byte needs none.
  private static func escape(at index: Int, in text: UnsafeBufferPointer<UInt8>) -> (text: String, length: Int)? {
    switch text[index] {
    case UInt8(ascii: "\""): ("\\\"", 1)
    case UInt8(ascii: "\\"): ("\\\\", 1)
    case 0x08: ("\\b", 1)
    case 0x09: ("\\t", 1)
    case 0x0a: ("\\n", 1)
    case 0x0c: ("\\f", 1)
    case 0x0d: ("\\r", 1)
    case UInt8(ascii: "<"): ("\\u003c", 1)
    case UInt8(ascii: ">"): ("\\u003e", 1)
    case UInt8(ascii: "&"): ("\\u0026", 1)
    case 0..<0x10: ("\\u000\(String(text[index], radix: 16))", 1)
    case 0x10..<0x20: ("\\u00\(String(text[index], radix: 16))", 1)
    case 0xe2 where index + 2 < text.count && text[index + 1] == 0x80 && text[index + 2] & 0xfe == 0xa8:
      (text[index + 2] == 0xa8 ? "\\u2028" : "\\u2029", 3)
    default: nil
    }
  }
}
