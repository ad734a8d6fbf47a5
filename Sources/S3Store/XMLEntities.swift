// The five entities of XML and numeric character references.

/// Resolves and writes entities.
enum XMLEntities {
  /// Appends character data with its entities resolved.
  static func append(_ text: ArraySlice<UInt8>, to output: inout [UInt8]) throws(XMLFault) {
    var rest = text
    while let ampersand = rest.firstIndex(of: UInt8(ascii: "&")) {
      output.append(contentsOf: rest[..<ampersand])
      // The longest reference is &#x10FFFF; leading zeros are not expected.
      guard let end = rest[ampersand...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else {
        throw XMLFault(reason: "an & without ; at byte \(ampersand)")
      }
      try appendEntity(rest[(ampersand + 1)..<end], to: &output)
      rest = rest[(end + 1)...]
    }
    output.append(contentsOf: rest)
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

  private static func appendEntity(_ name: ArraySlice<UInt8>, to output: inout [UInt8]) throws(XMLFault) {
    let text = String(decoding: name, as: UTF8.self)
    switch text {
    case "amp": output.append(UInt8(ascii: "&"))
    case "lt": output.append(UInt8(ascii: "<"))
    case "gt": output.append(UInt8(ascii: ">"))
    case "quot": output.append(UInt8(ascii: "\""))
    case "apos": output.append(UInt8(ascii: "'"))
    default:
      let code =
        text.hasPrefix("#x")
        ? UInt32(text.dropFirst(2), radix: 16) : text.hasPrefix("#") ? UInt32(text.dropFirst()) : nil
      guard let code, let scalar = Unicode.Scalar(code) else {
        throw XMLFault(reason: "an unknown entity at byte \(name.startIndex)")
      }
      output.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }
  }
}
