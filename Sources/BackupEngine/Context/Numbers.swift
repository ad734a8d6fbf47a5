// Numbers as people read them in sentences.

extension BinaryInteger {
  /// Decimal digits in groups of three, such as `19,997`.
  var grouped: String {
    let digits = Array(String(magnitude))
    var text = self < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return text
  }

  /// The number with a noun, such as `1 object` or `2,000 objects`.
  func counted(_ noun: String) -> String {
    self == 1 ? "1 \(noun)" : "\(grouped) \(noun)s"
  }
}

extension Sequence where Element: CustomStringConvertible {
  /// The first few elements, then how many more there are: for error messages that must stay short.
  func listed(_ limit: Int = 5) -> String {
    let texts = map { "\($0)" }
    let shown = texts.prefix(limit).joined(separator: ", ")
    return texts.count > limit ? "\(shown) and \((texts.count - limit).grouped) more" : shown
  }
}
