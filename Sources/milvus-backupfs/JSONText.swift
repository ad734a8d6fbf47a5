// The JSON that this program's own formats have: keys in snake case as in backup metadata, sorted, indented.

import FoundationEssentials

enum JSONText {
  /// One JSON value, with a line end.
  static func of(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }
}
