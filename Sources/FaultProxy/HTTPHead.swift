// The head of an HTTP/1.1 message: its bytes exactly as they came, and what can be read off them.
//
// Invariant: `bytes` is what goes on; nothing here is ever written anew from the parsed form, since a signature covers
// the spelling of the target and of the headers.

/// Start line and headers of a request or an answer.
struct HTTPHead: Sendable {
  /// A head of more bytes is refused: nobody sends one.
  static let limit = 64 << 10

  /// Everything up to and with the empty line.
  let bytes: [UInt8]
  /// The three words of the start line: method, target, version; or version, status, reason.
  let startLine: [String]
  /// Names in lower case, values without surrounding white space, in order.
  let headers: [(name: String, value: String)]

  /// Parses a head. Nil when the start line has fewer than two words.
  init?(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    // By scalar: "\r\n" is one Character.
    var lines = text.unicodeScalars.split(separator: "\n").map { Self.trimmed(String($0)) }
    guard let first = lines.first else { return nil }
    startLine = first.split(separator: " ", maxSplits: 2).map { String($0) }
    guard startLine.count >= 2 else { return nil }
    lines.removeFirst()
    headers = lines.compactMap { line in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      return (line[..<colon].lowercased(), Self.trimmed(String(line[line.index(after: colon)...])))
    }
    self.bytes = bytes
  }

  /// The first value of a header.
  subscript(_ name: String) -> String? {
    let name = name.lowercased()
    return headers.first { $0.name == name }?.value
  }

  /// Method of a request.
  var method: String { startLine[0] }
  /// Path and query of a request, as sent.
  var target: String { startLine[1] }
  /// Status of an answer; 0 when it is no number.
  var status: Int { Int(startLine[1]) ?? 0 }
  /// An answer before the real one, such as 100 Continue.
  var isInterim: Bool { (100..<200).contains(status) && status != 101 }
  /// Whether the sender waits for 100 Continue before it sends the body.
  var waitsForContinue: Bool { self["Expect"]?.lowercased() == "100-continue" }
  /// Whether the sender closes the connection behind this message.
  var closesConnection: Bool {
    self["Connection"]?.lowercased().contains("close") == true
      || (startLine[0] == "HTTP/1.0" && self["Connection"]?.lowercased().contains("keep-alive") != true)
  }

  /// How the body of a request is delimited (RFC 9112, section 6.3).
  var requestFraming: BodyFraming {
    if isChunked { return BodyFraming(.chunked) }
    return BodyFraming(.length(contentLength ?? 0))
  }

  /// How the body of the answer to a request of this method is delimited (RFC 9112, section 6.3).
  func answerFraming(to method: String) -> BodyFraming {
    if method == "HEAD" || status == 204 || status == 304 || (100..<200).contains(status) {
      return BodyFraming(.length(0))
    }
    if isChunked { return BodyFraming(.chunked) }
    return BodyFraming(contentLength.map { .length($0) } ?? .untilClose)
  }

  /// The announced length of the body.
  var contentLength: Int? { self["Content-Length"].flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil } }

  /// The same head with another Content-Length; all else stays byte for byte. Nil when it has none.
  func announcing(length: Int) -> [UInt8]? {
    var output: [UInt8] = []
    var found = false
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast() {
      let name = "content-length:"
      if String(decoding: line.prefix(name.utf8.count), as: UTF8.self).lowercased() == name {
        output += "Content-Length: \(length)\r\n".utf8
        found = true
      } else {
        output += line
        output.append(UInt8(ascii: "\n"))
      }
    }
    return found ? output : nil
  }

  private var isChunked: Bool { self["Transfer-Encoding"]?.lowercased().hasSuffix("chunked") == true }

  private static func trimmed(_ text: String) -> String {
    let isSpace: (Unicode.Scalar) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
    var scalars = text.unicodeScalars[...]
    while let first = scalars.first, isSpace(first) { scalars.removeFirst() }
    while let last = scalars.last, isSpace(last) { scalars.removeLast() }
    return String(scalars)
  }
}
