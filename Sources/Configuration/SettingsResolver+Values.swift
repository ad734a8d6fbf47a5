// Values with types. Every refusal says which key of which file, what the value is (unless secret), where it comes from
// and what is allowed.

extension SettingsResolver {
  /// The text of `key`.
  func text(_ key: ConfigurationKey) -> String { value(key).text }

  /// The text of `key`, hidden.
  func secret(_ key: ConfigurationKey) -> Secret { Secret(value(key).text) }

  /// The text of `key`, which must not be empty.
  func nonEmptyText(_ key: ConfigurationKey, _ meaning: String) throws(ConfigurationError) -> String {
    let value = value(key)
    guard !value.text.isEmpty else { throw refusal(of: value, "a \(meaning) must not be empty") }
    return value.text
  }

  func boolean(_ key: ConfigurationKey) throws(ConfigurationError) -> Bool {
    let value = value(key)
    switch value.text {
    case "1", "t", "T", "TRUE", "true", "True": return true
    case "0", "f", "F", "FALSE", "false", "False": return false
    default: throw refusal(of: value, "allowed are true and false")
    }
  }

  /// The whole number of `key`, at least 1.
  func count(_ key: ConfigurationKey) throws(ConfigurationError) -> Int {
    let value = value(key)
    guard let number = Int(value.text), number >= 1 else {
      throw refusal(of: value, "allowed are whole numbers from 1")
    }
    return number
  }

  func port(_ key: ConfigurationKey) throws(ConfigurationError) -> Int {
    let value = value(key)
    if let number = Int(value.text), (1...65535).contains(number) { return number }
    var hint = ""
    if case .environment(let name) = value.origin, value.text.contains("://") {
      hint =
        ". Kubernetes sets \(name) by itself when there is a service of that name: unset it for this program, or set"
        + " enableServiceLinks: false in the pod"
    }
    throw refusal(of: value, "a port is a whole number from 1 to 65535" + hint)
  }

  /// A host name or address, which must come without scheme and port.
  func host(_ key: ConfigurationKey) throws(ConfigurationError) -> String {
    let value = value(key)
    let colons = value.text.utf8.count { $0 == UInt8(ascii: ":") }
    let isPlain = !value.text.contains { $0 == "/" || $0.isWhitespace }
    // Two colons or more are an IPv6 address, one separates a port.
    guard !value.text.isEmpty, isPlain, colons != 1 else {
      throw refusal(
        of: value, "allowed is a host name or an address, without 'http://' and without port, which has its own key")
    }
    return value.text
  }

  /// The element of `choices` which `key` names.
  func choice<Choice>(
    _ key: ConfigurationKey, of choices: [Choice], name: (Choice) -> String
  ) throws(ConfigurationError) -> Choice {
    let value = value(key)
    guard let choice = choices.first(where: { name($0) == value.text.lowercased() }) else {
      throw refusal(of: value, "allowed are \(choices.map(name).joined(separator: ", "))")
    }
    return choice
  }

  /// A prefix of keys without slashes at its ends and without doubled ones.
  func objectPath(_ key: ConfigurationKey) throws(ConfigurationError) -> String {
    let value = value(key)
    let elements = value.text.split(separator: "/").filter { $0 != "." }
    guard !elements.contains("..") else { throw refusal(of: value, "a path in a bucket must not contain '..'") }
    return elements.joined(separator: "/")
  }

  /// The absolute path of a directory, without a slash at its end and without doubled ones.
  func directoryPath(_ key: ConfigurationKey) throws(ConfigurationError) -> String {
    let value = value(key)
    let elements = value.text.split(separator: "/").filter { $0 != "." }
    guard value.text.hasPrefix("/"), !elements.isEmpty, !elements.contains("..") else {
      throw refusal(
        of: value,
        "for storage type local it is the absolute path of a directory, such as /var/lib/milvus, without '..' and not"
          + " that of the whole file system")
    }
    return "/" + elements.joined(separator: "/")
  }

  /// The error that a value is not allowed; `reason` says what is.
  func refusal(of value: ResolvedValue, _ reason: String) -> ConfigurationError {
    let key = value.key.rawValue
    let shown = value.key.isSecret ? "not acceptable" : value.text.debugDescription
    return ConfigurationError(file: file, key: key, "\(key) is \(shown) (\(value.origin)); \(reason).")
  }

  /// All keys with their values and origins, secret ones masked.
  var settings: [Setting] {
    ConfigurationKey.allCases.map { key in
      let value = value(key)
      let shown = key.isSecret ? Secret(value.text).description : value.text
      return Setting(key: key.rawValue, displayValue: shown, origin: value.origin)
    }
  }
}
