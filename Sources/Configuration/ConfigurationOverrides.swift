// The `--set` options of a command line.
//
// Invariants: every override names a known key; the last one for a key wins; values are kept as secrets because some
// of them are.

/// Settings from the command line, which win over all others.
public struct ConfigurationOverrides: Hashable, Sendable {
  struct Override: Hashable, Sendable {
    /// The key as the user wrote it.
    let name: String
    let value: Secret
  }

  /// No overrides.
  public static let none = ConfigurationOverrides()

  private var values: [ConfigurationKey: Override] = [:]

  private init() {}

  /// Parses the arguments of all `--set` options.
  ///
  /// Each argument is `KEY=VALUE` or a list of these separated by commas; KEY is a key of the configuration without
  /// regard to case, or the name of its environment variable. A comma followed by something without `=` belongs to the
  /// value before it.
  ///
  /// - Throws: a ``ConfigurationError`` if an argument has no `=` or names an unknown key.
  public init(_ arguments: [String]) throws(ConfigurationError) {
    for argument in arguments {
      for (name, value) in try Self.assignments(in: argument) {
        try add(name: name, value: value)
      }
    }
  }

  subscript(key: ConfigurationKey) -> Override? { values[key] }

  private mutating func add(name: String, value: String) throws(ConfigurationError) {
    let key: ConfigurationKey
    if let named = ConfigurationKey.key(ofEnvironmentName: name) {
      key = named
    } else {
      switch ConfigurationKey.meaning(of: name) {
      case .key(let named): key = named
      case .withoutEffect: return
      case .unknown:
        let hint = ConfigurationKey.suggestion(for: name).map { " Did you mean \($0)?" } ?? ""
        throw ConfigurationError(
          key: name, "--set \(name): there is no such key.\(hint) Keys are those of backup.yaml, such as milvus.port.")
      }
    }
    values[key] = Override(name: name, value: Secret(value))
  }

  private static func assignments(in argument: String) throws(ConfigurationError) -> [(name: String, value: String)] {
    var result: [(name: String, value: String)] = []
    for piece in argument.split(separator: ",", omittingEmptySubsequences: false) {
      let name = piece.prefix(while: isKeyCharacter)
      if !name.isEmpty, piece.dropFirst(name.count).first == "=" {
        result.append((String(name), String(piece.dropFirst(name.count + 1))))
      } else if !result.isEmpty {
        result[result.count - 1].value += "," + piece
      } else {
        // Only the part that could be a key is shown: the rest may be a secret.
        throw ConfigurationError("--set \(name)…: an argument must have the form KEY=VALUE, such as milvus.port=19530.")
      }
    }
    return result
  }

  private static func isKeyCharacter(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || character == "." || character == "_")
  }
}
