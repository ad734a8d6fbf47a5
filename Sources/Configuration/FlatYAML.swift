// A YAML document as a flat list of dotted keys.
//
// Invariants: keys are in lower case, because the format does not regard case, and each occurs once; a key without a
// value (null) is as good as absent and does not occur. Only this file knows the YAML library. Its error texts quote
// the document, which may hold passwords, so only position and cause are taken from them.

import Yams

/// The settings of a configuration file.
struct FlatYAML {
  /// A value with its place.
  struct Entry: Hashable {
    /// The key as the file spells it.
    let name: String
    /// The scalars: one, unless the value is a list.
    let values: [String]
    let isList: Bool
    let line: Int
  }

  /// A document larger than this after resolving its references is not a configuration.
  private static let maximumEntries = 10_000

  private(set) var entries: [String: Entry] = [:]
  private let file: String

  /// Parses a document. An empty one has no entries.
  init(parsing yaml: String, file: String) throws(ConfigurationError) {
    self.file = file
    let root: Node?
    do {
      root = try Yams.compose(yaml: yaml)
    } catch {
      throw Self.describe(error, file: file)
    }
    guard let root, !Self.isNull(root) else { return }
    guard let mapping = root.mapping else {
      throw ConfigurationError(
        file: file, "the file must consist of keys with values, such as 'milvus:' with 'address: …' below it.")
    }
    try add(mapping, prefix: "")
  }

  private mutating func add(_ mapping: Node.Mapping, prefix: String) throws(ConfigurationError) {
    for (key, value) in Self.resolvingMerges(mapping) {
      guard let scalar = key.scalar else {
        throw ConfigurationError(file: file, "line \(Self.line(key)): a key must be a single word.")
      }
      let name = prefix + scalar.string
      if let nested = value.mapping {
        try add(nested, prefix: name + ".")
      } else if !Self.isNull(value) {
        try add(value, name: name, line: Self.line(key))
      }
    }
  }

  private mutating func add(_ value: Node, name: String, line: Int) throws(ConfigurationError) {
    let elements = value.sequence.map(Array.init) ?? [value]
    let values = elements.compactMap { $0.scalar?.string }
    guard values.count == elements.count else {
      throw ConfigurationError(file: file, key: name, "line \(line): \(name) may only be a list of single values.")
    }
    let entry = Entry(name: name, values: values, isList: value.sequence != nil, line: line)
    if let earlier = entries.updateValue(entry, forKey: name.lowercased()) {
      throw ConfigurationError(
        file: file, key: name,
        "\(name) is set twice, in lines \(earlier.line) and \(line). Keys differing only in case are the same key.")
    }
    guard entries.count <= Self.maximumEntries else {
      throw ConfigurationError(
        file: file, "the file has more than \(Self.maximumEntries) keys; it is no configuration.")
    }
  }

  /// The pairs of a mapping, with those of the mappings under `<<` that it does not set itself.
  private static func resolvingMerges(_ mapping: Node.Mapping) -> [(Node, Node)] {
    var pairs: [(Node, Node)] = []
    var merged: [Node.Mapping] = []
    for (key, value) in mapping {
      if key.scalar?.string == "<<" {
        merged += value.sequence.map { $0.compactMap(\.mapping) } ?? value.mapping.map { [$0] } ?? []
      } else {
        pairs.append((key, value))
      }
    }
    for other in merged {
      for (key, value) in resolvingMerges(other) where !pairs.contains(where: { $0.0 == key }) {
        pairs.append((key, value))
      }
    }
    return pairs
  }

  private static func isNull(_ node: Node) -> Bool {
    guard let scalar = node.scalar else { return false }
    return scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }

  private static func line(_ node: Node) -> Int { node.mark?.line ?? 0 }

  private static func describe(_ error: any Error, file: String) -> ConfigurationError {
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      ConfigurationError(
        file: file,
        "line \(mark.line), column \(mark.column): this is not valid YAML: \(problem). Check indentation and quotes"
          + " there and in the line before.")
    case .duplicatedKeysInMapping(let duplicates, let context):
      ConfigurationError(
        file: file, key: duplicates.first,
        "line \(context.mark.line): a key is set twice in this section: \(duplicates.joined(separator: ", ")).")
    default: ConfigurationError(file: file, "this is not valid YAML: it holds characters which YAML does not allow.")
    }
  }
}
