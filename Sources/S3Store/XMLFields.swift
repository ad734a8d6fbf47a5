// Small answers: a root element whose children hold text. Errors and the results of copying and of multipart uploads.

/// The root's name and its children's texts.
struct XMLFields: Sendable {
  /// Local name of the root element.
  let root: String
  private var fields: [String: String] = [:]

  /// Parses a whole document. White space may come before it: services send it to keep a connection alive.
  init(_ bytes: [UInt8]) throws(XMLFault) {
    let document = bytes.span
    var scanner = XMLScanner()
    var root: String?
    var name = ""
    var text: [UInt8] = []
    scan: while true {
      let token = try scanner.next(in: document)
      switch token {
      case .start(let range):
        if root == nil { root = String(decoding: bytes[range], as: UTF8.self) }
        // Deeper elements are not fields of the answer.
        if scanner.depth == 2 {
          text.removeAll(keepingCapacity: true)
          name = String(decoding: bytes[range], as: UTF8.self)
        }
      case .text, .verbatim:
        if scanner.depth == 2 { try XMLScanner.appendText(token, in: document, to: &text) }
      case .end:
        if scanner.depth == 1 { fields[name] = fields[name] ?? String(decoding: text, as: UTF8.self) }
      case .finished:
        break scan
      }
    }
    self.root = root ?? ""
  }

  /// The text of the root's first child of this name; nil when there is none.
  subscript(_ name: String) -> String? { fields[name] }
}
