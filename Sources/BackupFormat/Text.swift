// Small operations on texts. Object stores and the format compare texts by their bytes, not by their meaning.

extension String {
  /// Whether both texts have the same bytes; `==` would also accept canonical equivalents.
  func hasSameBytes(as other: String) -> Bool {
    utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
  }

  /// Whether this text comes before `other` in the order of their bytes.
  func precedesBytewise(_ other: String) -> Bool {
    utf8.lexicographicallyPrecedes(other.utf8)
  }
}

extension Substring {
  /// The text without white space at its ends.
  func trimmingWhitespace() -> String {
    let start = drop(while: \.isWhitespace)
    guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return String(start[...end])
  }
}
