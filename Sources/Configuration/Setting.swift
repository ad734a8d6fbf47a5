// One setting as it came out, for showing to people.

/// Where a setting comes from.
public enum SettingOrigin: Hashable, Sendable {
  /// A `--set` option which named the key in this way.
  case option(String)
  /// An environment variable.
  case environment(String)
  /// A line of the file.
  case file(line: Int)
  /// The value of another key, which stands in when this one is absent.
  case inherited(from: String)
  /// The default of the format.
  case builtIn
}

extension SettingOrigin: CustomStringConvertible {
  /// The origin in a few words.
  public var description: String {
    switch self {
    case .option(let name): "--set \(name)"
    case .environment(let name): "environment \(name)"
    case .file(let line): "line \(line)"
    case .inherited(let key): "as \(key)"
    case .builtIn: "default"
    }
  }
}

/// A key with its value and where that comes from.
public struct Setting: Hashable, Sendable {
  /// The key as the format spells it.
  public let key: String
  /// The value; a mask in place of a secret one.
  public let displayValue: String
  /// Where the value comes from.
  public let origin: SettingOrigin
}

extension StoreConfiguration {
  /// All settings as a table of three columns: key, value (secret ones masked) and origin.
  public func table() -> String {
    let rows = [("KEY", "VALUE", "SOURCE")] + settings.map { ($0.key, $0.displayValue, $0.origin.description) }
    let keyWidth = rows.map(\.0.count).max() ?? 0
    let valueWidth = rows.map(\.1.count).max() ?? 0
    return rows.map { row in
      pad(row.0, to: keyWidth) + "  " + pad(row.1, to: valueWidth) + "  " + row.2 + "\n"
    }.joined()
  }

  private func pad(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
