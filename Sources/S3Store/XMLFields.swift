// Small answers: a root element whose children hold text or, in lists, fields of their own. Errors, the results of
// copying and of multipart uploads, of removing many objects, and lists of uploads.

/// The root's name, its children's texts, and the fields of those children that have children.
struct XMLFields: Sendable {
  /// A child of the root that has children of its own.
  struct Record: Sendable {
    /// Local name.
    let name: String
    private var fields: [String: String] = [:]

    fileprivate init(name: String) { self.name = name }

    fileprivate mutating func setIfAbsent(_ name: String, _ text: String) {
      if fields[name] == nil { fields[name] = text }
    }

    /// The text of the first child of this name; nil when there is none.
    subscript(_ name: String) -> String? { fields[name] }
  }

  /// Local name of the root element.
  let root: String
  /// The root's children that have children, in their order.
  private(set) var records: [Record] = []
  private var fields: [String: String] = [:]

  /// Parses a whole document. White space may come before it: services send it to keep a connection alive.
  init(_ bytes: [UInt8]) throws(XMLFault) {
    let document = bytes.span
    var scanner = XMLScanner()
    var root: String?
    var name = ""
    var inner = ""
    var record: Record?
    var text: [UInt8] = []
    scan: while true {
      let token = try scanner.next(in: document)
      switch token {
      case .start(let range):
        if root == nil { root = String(decoding: bytes[range], as: UTF8.self) }
        // Deeper elements are neither fields of the answer nor of a record.
        if scanner.depth == 2 {
          text.removeAll(keepingCapacity: true)
          name = String(decoding: bytes[range], as: UTF8.self)
          record = nil
        } else if scanner.depth == 3 {
          text.removeAll(keepingCapacity: true)
          inner = String(decoding: bytes[range], as: UTF8.self)
          if record == nil { record = Record(name: name) }
        }
      case .text, .verbatim:
        if scanner.depth == 3 || (scanner.depth == 2 && record == nil) {
          try XMLScanner.appendText(token, in: document, to: &text)
        }
      case .end:
        if scanner.depth == 2 {
          record?.setIfAbsent(inner, String(decoding: text, as: UTF8.self))
        } else if scanner.depth == 1 {
          if let record { records.append(record) }
          fields[name] = fields[name] ?? (record == nil ? String(decoding: text, as: UTF8.self) : "")
        }
      case .finished:
        break scan
      }
    }
    self.root = root ?? ""
  }

  /// The text of the root's first child of this name; nil when there is none.
  subscript(_ name: String) -> String? { fields[name] }
}
