// The name of a store, which is the name of its file and of its directory in a mount.

/// Derives names of stores.
enum StoreName {
  private static let maximumLength = 255

  /// The last element of `path` without `.yaml` or `.yml`.
  ///
  /// - Throws: a ``ConfigurationError`` if a directory cannot be named so, or if the name begins with a dot, which marks
  ///   the entries of a mount that are no stores.
  static func name(ofFile path: String) throws(ConfigurationError) -> String {
    let fileName = path.split(separator: "/", omittingEmptySubsequences: false).last.map(String.init) ?? ""
    let name = withoutExtension(fileName) ?? fileName
    if let problem = problem(of: name) {
      throw ConfigurationError(
        file: path,
        "the file gives its store the name \(name.debugDescription), which \(problem) and so cannot name a directory of"
          + " a mount. Rename the file.")
    }
    return name
  }

  /// `fileName` without the extension of configuration files, nil if it has none.
  static func withoutExtension(_ fileName: String) -> String? {
    for suffix in [".yaml", ".yml"] where fileName.hasSuffix(suffix) {
      return String(fileName.dropLast(suffix.count))
    }
    return nil
  }

  private static func problem(of name: String) -> String? {
    if name.isEmpty { return "is empty" }
    if name.hasPrefix(".") { return "begins with a dot" }
    if name.utf8.count > maximumLength { return "is longer than \(maximumLength) bytes" }
    if name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) { return "contains a control character" }
    return nil
  }
}
