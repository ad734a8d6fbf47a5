// Finds the value of a key: `--set` before environment before file before inheritance and default.
//
// An environment variable that is set but empty counts as not set, because container platforms pass optional variables
// that way. An empty value in the file or by `--set` is a value.

/// The value of a key and where it comes from.
struct ResolvedValue {
  let key: ConfigurationKey
  let text: String
  let origin: SettingOrigin
}

/// Looks up keys in all their sources.
struct SettingsResolver {
  let file: String
  private let document: FlatYAML
  private let environment: [String: String]
  private let overrides: ConfigurationOverrides

  init(
    yaml: String, file: String, environment: [String: String], overrides: ConfigurationOverrides
  ) throws(ConfigurationError) {
    self.file = file
    self.environment = environment
    self.overrides = overrides
    document = try FlatYAML(parsing: yaml, file: file)
    try checkVersion()
    try checkShapes()
  }

  /// The value of `key`.
  func value(_ key: ConfigurationKey) -> ResolvedValue {
    if let override = overrides[key] {
      return ResolvedValue(key: key, text: override.value.reveal(), origin: .option(override.name))
    }
    if let name = key.environmentName, let text = environment[name], !text.isEmpty {
      return ResolvedValue(key: key, text: text, origin: .environment(name))
    }
    if let entry = entry(key) {
      return ResolvedValue(key: key, text: entry.values.joined(separator: ","), origin: .file(line: entry.line))
    }
    if let inherited = key.inheritedKey {
      return ResolvedValue(key: key, text: value(inherited).text, origin: .inherited(from: inherited.rawValue))
    }
    return ResolvedValue(key: key, text: key.defaultValue, origin: .builtIn)
  }

  /// Keys of the file that mean nothing, and other things an operator may want to know.
  var warnings: [String] {
    if document.entries.isEmpty {
      return ["The file \(file) sets nothing; all settings have their defaults."]
    }
    return document.entries.values.sorted { $0.line < $1.line }.compactMap { entry in
      guard case .unknown = ConfigurationKey.meaning(of: entry.name) else { return nil }
      let hint = ConfigurationKey.suggestion(for: entry.name).map { " Did you mean \($0)?" } ?? ""
      return "\(file), line \(entry.line): the unknown key \(entry.name) is ignored.\(hint)"
    }
  }

  private func entry(_ key: ConfigurationKey) -> FlatYAML.Entry? {
    for name in [key.rawValue] + key.aliases {
      if let entry = document.entries[name.lowercased()] { return entry }
    }
    return nil
  }

  private func checkVersion() throws(ConfigurationError) {
    guard let entry = document.entries["configversion"], entry.values != ["v1"] else { return }
    throw ConfigurationError(
      file: file, key: entry.name,
      "line \(entry.line): configVersion is \(entry.values.joined(separator: ",").debugDescription); this release reads"
        + " the schema v1 only, which is that of every released milvus-backup.")
  }

  /// Refuses sections where values should be, and the reverse: the settings meant would silently have their defaults.
  private func checkShapes() throws(ConfigurationError) {
    let names = ConfigurationKey.allCases.flatMap { [$0.rawValue] + $0.aliases }
    let values = Set(names.map { $0.lowercased() })
    let sections = Set(names.flatMap(Self.sections))
    for (name, entry) in document.entries.sorted(by: { $0.value.line < $1.value.line }) {
      if sections.contains(name) {
        throw ConfigurationError(
          file: file, key: entry.name,
          "line \(entry.line): \(entry.name) is a section; its keys belong below it, indented.")
      }
      if let value = Self.sections(of: name).first(where: values.contains) {
        throw ConfigurationError(
          file: file, key: value, "line \(entry.line): \(value) must be a single value, not a section.")
      }
      if entry.isList, case .key(let key) = ConfigurationKey.meaning(of: name), key != .etcdEndpoints {
        throw ConfigurationError(
          file: file, key: entry.name, "line \(entry.line): \(entry.name) must be a single value, not a list.")
      }
    }
  }

  /// The sections a key lies in, in lower case: `a` and `a.b` for `a.b.c`.
  private static func sections(of name: String) -> [String] {
    let parts = name.lowercased().split(separator: ".", omittingEmptySubsequences: false)
    return (1..<max(parts.count, 1)).map { parts[..<$0].joined(separator: ".") }
  }
}
