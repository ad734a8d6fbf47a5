// A pull scanner for the XML that S3 services answer with: elements and text, nothing more.
//
// It checks that tags match and that the document is whole, so a truncated answer is an error and not a short listing.
// Attributes, comments, processing instructions and a document type without internal subset are skipped; general
// entities besides the five of XML do not occur in S3 and are errors.

/// A fault in an XML document.
struct XMLFault: Error, Sendable {
  /// What is wrong, and at which byte.
  let reason: String
}

/// Yields a document's elements and texts in order. The document is handed over at each step, always the same one.
struct XMLScanner {
  /// One step. The ranges are byte positions in the document.
  enum Token: Hashable {
    /// Start of an element; the range is its name without a prefix. `<a/>` yields an end as well.
    case start(Range<Int>)
    /// End of the innermost element.
    case end
    /// Character data as it stands, with entities; the concern of `appendText`.
    case text(Range<Int>)
    /// Character data without entities.
    case verbatim(Range<Int>)
    /// The document is complete.
    case finished
  }

  private var position = 0
  /// Full names of the elements that are open.
  private var open: [Range<Int>] = []
  private var owesEnd = false
  private var hasRoot = false
  /// Deeper documents are not S3's.
  private static let maximumDepth = 64

  /// How many elements are open.
  var depth: Int { open.count }

  /// The next step. After `finished` or an error the scanner is used up.
  mutating func next(in bytes: Span<UInt8>) throws(XMLFault) -> Token {
    if owesEnd {
      owesEnd = false
      open.removeLast()
      return .end
    }
    // A byte order mark says nothing in UTF-8.
    if position == 0 { _ = skip("\u{FEFF}", in: bytes) }
    while true {
      let start = position
      while position < bytes.count, bytes[position] != UInt8(ascii: "<") { position += 1 }
      if position > start {
        if !open.isEmpty { return try text(start..<position, in: bytes) }
        try requireSpace(start..<position, in: bytes)
      }
      guard position < bytes.count else {
        guard open.isEmpty, hasRoot else { throw fault("the document ends too early") }
        return .finished
      }
      if let token = try markup(in: bytes) { return token }
    }
  }

  /// Whether the bytes in `range` are `text`.
  static func matches(_ range: Range<Int>, _ text: StaticString, in bytes: Span<UInt8>) -> Bool {
    guard range.count == text.utf8CodeUnitCount else { return false }
    for index in 0..<range.count where bytes[range.lowerBound + index] != text.utf8Start[index] { return false }
    return true
  }

  /// Appends a text token's characters, entities resolved. Other tokens append nothing.
  static func appendText(_ token: Token, in bytes: Span<UInt8>, to output: inout [UInt8]) throws(XMLFault) {
    switch token {
    case .verbatim(let range): XMLEntities.appendVerbatim(range, in: bytes, to: &output)
    case .text(let range): try XMLEntities.append(range, in: bytes, to: &output)
    case .start, .end, .finished: break
    }
  }

  /// A text inside the root that reaches the end of the input is the front half of something.
  private func text(_ range: Range<Int>, in bytes: Span<UInt8>) throws(XMLFault) -> Token {
    guard range.upperBound < bytes.count else { throw fault("the document ends within text") }
    return .text(range)
  }

  private func requireSpace(_ range: Range<Int>, in bytes: Span<UInt8>) throws(XMLFault) {
    for index in range where !bytes[index].isXMLSpace { throw fault("text outside the document") }
  }

  /// Scans what begins with `<`. Nil when it is nothing to report.
  private mutating func markup(in bytes: Span<UInt8>) throws(XMLFault) -> Token? {
    let second = position + 1 < bytes.count ? bytes[position + 1] : 0
    switch second {
    case UInt8(ascii: "/"):
      position += 2
      return try endTag(in: bytes)
    case UInt8(ascii: "?"):
      try skip(behind: "?>", in: bytes)
    case UInt8(ascii: "!"):
      return try declaration(in: bytes)
    default:
      position += 1
      return try startTag(in: bytes)
    }
    return nil
  }

  /// Scans what begins with `<!`.
  private mutating func declaration(in bytes: Span<UInt8>) throws(XMLFault) -> Token? {
    if skip("<!--", in: bytes) {
      try skip(behind: "-->", in: bytes)
    } else if skip("<![CDATA[", in: bytes) {
      let start = position
      try skip(behind: "]]>", in: bytes)
      guard !open.isEmpty else { throw fault("text outside the document") }
      return .verbatim(start..<position - 3)
    } else if skip("<!DOCTYPE", in: bytes) {
      try skipDocumentType(in: bytes)
    } else {
      throw fault("unknown markup")
    }
    return nil
  }

  private mutating func startTag(in bytes: Span<UInt8>) throws(XMLFault) -> Token {
    let name = try scanName(in: bytes)
    guard !(open.isEmpty && hasRoot) else { throw fault("a second root element") }
    guard open.count < Self.maximumDepth else { throw fault("elements too deep") }
    while true {
      guard position < bytes.count else { throw fault("the document ends within a tag") }
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: ">") { break }
      if byte == UInt8(ascii: "/"), position < bytes.count, bytes[position] == UInt8(ascii: ">") {
        position += 1
        owesEnd = true
        break
      }
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        while position < bytes.count, bytes[position] != byte { position += 1 }
        position += 1
      } else if byte == UInt8(ascii: "<") {
        throw fault("a tag within a tag")
      }
    }
    hasRoot = true
    open.append(name)
    var start = name.lowerBound
    for index in name where bytes[index] == UInt8(ascii: ":") { start = index + 1 }
    return .start(start..<name.upperBound)
  }

  private mutating func endTag(in bytes: Span<UInt8>) throws(XMLFault) -> Token {
    let name = try scanName(in: bytes)
    while position < bytes.count, bytes[position].isXMLSpace { position += 1 }
    guard position < bytes.count, bytes[position] == UInt8(ascii: ">") else { throw fault("an end tag without end") }
    position += 1
    guard let expected = open.popLast(), Self.areEqual(expected, name, in: bytes) else {
      throw fault("an end tag that matches no start tag")
    }
    return .end
  }

  private static func areEqual(_ first: Range<Int>, _ second: Range<Int>, in bytes: Span<UInt8>) -> Bool {
    guard first.count == second.count else { return false }
    let distance = second.lowerBound - first.lowerBound
    for index in first where bytes[index] != bytes[index + distance] { return false }
    return true
  }

  private mutating func scanName(in bytes: Span<UInt8>) throws(XMLFault) -> Range<Int> {
    let start = position
    while position < bytes.count, Self.isNameByte(bytes[position]) { position += 1 }
    guard position > start else { throw fault("a tag without name") }
    return start..<position
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    byte.isASCIIAlphanumeric || byte >= 0x80 || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "_")
      || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
  }

  /// Moves behind `text` if it is next.
  private mutating func skip(_ text: StaticString, in bytes: Span<UInt8>) -> Bool {
    let end = position + text.utf8CodeUnitCount
    guard end <= bytes.count, Self.matches(position..<end, text, in: bytes) else { return false }
    position = end
    return true
  }

  private mutating func skip(behind text: StaticString, in bytes: Span<UInt8>) throws(XMLFault) {
    while position < bytes.count {
      if skip(text, in: bytes) { return }
      position += 1
    }
    throw fault("the document ends within markup")
  }

  private mutating func skipDocumentType(in bytes: Span<UInt8>) throws(XMLFault) {
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: ">") { return }
      if byte == UInt8(ascii: "[") { throw fault("a document type with declarations") }
    }
    throw fault("the document ends within markup")
  }

  private func fault(_ reason: String) -> XMLFault { XMLFault(reason: "\(reason) at byte \(position)") }
}
