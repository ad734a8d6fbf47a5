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

/// Yields a document's elements and texts in order.
struct XMLScanner {
  /// One step. The ranges are byte positions in `bytes`.
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

  /// The document.
  let bytes: [UInt8]
  private var position = 0
  /// Full names of the elements that are open.
  private var open: [Range<Int>] = []
  private var owesEnd = false
  private var hasRoot = false
  /// Deeper documents are not S3's.
  private static let maximumDepth = 64

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  /// How many elements are open.
  var depth: Int { open.count }

  /// The next step. After `finished` or an error the scanner is used up.
  mutating func next() throws(XMLFault) -> Token {
    if owesEnd {
      owesEnd = false
      open.removeLast()
      return .end
    }
    while true {
      let start = position
      while position < bytes.count, bytes[position] != UInt8(ascii: "<") { position += 1 }
      if position > start {
        if !open.isEmpty { return try text(start..<position) }
        guard bytes[start..<position].allSatisfy(\.isXMLSpace) else { throw fault("text outside the document") }
      }
      guard position < bytes.count else {
        guard open.isEmpty, hasRoot else { throw fault("the document ends too early") }
        return .finished
      }
      if let token = try markup() { return token }
    }
  }

  /// Whether the bytes in `range` are `text`.
  func matches(_ range: Range<Int>, _ text: StaticString) -> Bool {
    guard range.count == text.utf8CodeUnitCount else { return false }
    return text.withUTF8Buffer { text in
      for index in 0..<text.count where bytes[range.lowerBound + index] != text[index] { return false }
      return true
    }
  }

  /// Appends a text token's characters, entities resolved. Other tokens append nothing.
  func appendText(_ token: Token, to output: inout [UInt8]) throws(XMLFault) {
    switch token {
    case .verbatim(let range): output.append(contentsOf: bytes[range])
    case .text(let range): try XMLEntities.append(bytes[range], to: &output)
    case .start, .end, .finished: break
    }
  }

  /// A text inside the root that reaches the end of the input is the front half of something.
  private func text(_ range: Range<Int>) throws(XMLFault) -> Token {
    guard range.upperBound < bytes.count else { throw fault("the document ends within text") }
    return .text(range)
  }

  /// Scans what begins with `<`. Nil when it is nothing to report.
  private mutating func markup() throws(XMLFault) -> Token? {
    if skip("<!--") {
      try skip(behind: "-->")
    } else if skip("<![CDATA[") {
      let start = position
      try skip(behind: "]]>")
      guard !open.isEmpty else { throw fault("text outside the document") }
      return .verbatim(start..<position - 3)
    } else if skip("<?") {
      try skip(behind: "?>")
    } else if skip("<!DOCTYPE") {
      try skipDocumentType()
    } else if skip("</") {
      return try endTag()
    } else {
      position += 1
      return try startTag()
    }
    return nil
  }

  private mutating func startTag() throws(XMLFault) -> Token {
    let name = try scanName()
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
    let prefixEnd = bytes[name].firstIndex(of: UInt8(ascii: ":")).map { $0 + 1 } ?? name.lowerBound
    return .start(prefixEnd..<name.upperBound)
  }

  private mutating func endTag() throws(XMLFault) -> Token {
    let name = try scanName()
    while position < bytes.count, bytes[position].isXMLSpace { position += 1 }
    guard position < bytes.count, bytes[position] == UInt8(ascii: ">") else { throw fault("an end tag without end") }
    position += 1
    guard let expected = open.popLast(), bytes[expected].elementsEqual(bytes[name]) else {
      throw fault("an end tag that matches no start tag")
    }
    return .end
  }

  private mutating func scanName() throws(XMLFault) -> Range<Int> {
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
  private mutating func skip(_ text: StaticString) -> Bool {
    let end = position + text.utf8CodeUnitCount
    guard end <= bytes.count, matches(position..<end, text) else { return false }
    position = end
    return true
  }

  private mutating func skip(behind text: StaticString) throws(XMLFault) {
    while position < bytes.count {
      if skip(text) { return }
      position += 1
    }
    throw fault("the document ends within markup")
  }

  private mutating func skipDocumentType() throws(XMLFault) {
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
