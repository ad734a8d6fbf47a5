// What restored collections are called, in the grammar of milvus-backup's `--rename` and `--suffix`.
//
// Invariants: a rule's two sides have the same shape; a rule for a collection wins over one for its database; names
// without a rule stay as they are.

/// The names of collections in the target of a restore.
public struct RenameRules: Hashable, Sendable, Codable {
  /// The rules that leave every name as it is.
  public static let none = RenameRules()

  private var suffix = ""
  private var collections: [CollectionName: CollectionName] = [:]
  private var databases: [String: String] = [:]

  private init() {}

  /// Appends `suffix` to the name of every collection.
  ///
  /// - Throws: a ``BackupFormatError`` with code `invalidRule` if the suffix has other characters than letters, digits
  ///   and `_`.
  public init(suffix: String) throws(BackupFormatError) {
    guard suffix.utf8.allSatisfy(BackupName.isNameByte) else {
      throw BackupFormatError(
        .invalidRule,
        "The suffix \(suffix.debugDescription) cannot be part of a collection name. Allowed are letters, digits and"
          + " '_'.")
    }
    self.suffix = suffix
  }

  /// Parses rules separated by commas: `old:new`, `db1.old:db2.new`, `db1.*:db2.*`; `db1.:db2.` is accepted and does
  /// nothing, as in milvus-backup.
  ///
  /// - Throws: a ``BackupFormatError`` with code `invalidRule` naming the rule.
  public init(parsing text: String) throws(BackupFormatError) {
    guard !text.allSatisfy(\.isWhitespace) else { return }
    for rule in text.split(separator: ",", omittingEmptySubsequences: false) {
      let sides = rule.split(separator: ":", omittingEmptySubsequences: false).map { $0.trimmingWhitespace() }
      guard sides.count == 2 else { throw Self.malformed(rule.trimmingWhitespace()) }
      try add(source: sides[0], target: sides[1])
    }
  }

  /// Makes rules of pairs of a source and a target in the forms that ``init(parsing:)`` knows.
  ///
  /// - Throws: a ``BackupFormatError`` with code `invalidRule` naming the rule.
  public init(_ rules: some Sequence<(source: String, target: String)>) throws(BackupFormatError) {
    for rule in rules { try add(source: rule.source, target: rule.target) }
  }

  /// Renames one collection.
  public init(renaming source: CollectionName, to target: CollectionName) {
    collections = [source: target]
  }

  /// The name in the target.
  public func target(of name: CollectionName) -> CollectionName {
    if let target = collections[name] { return target }
    let database = databases[name.database] ?? name.database
    return CollectionName(database: database, collection: name.collection + suffix)
  }

  /// The name of a database in the target.
  public func target(ofDatabase database: String) -> String {
    databases[database] ?? database
  }

  /// The names in the target, in the order of `names`.
  ///
  /// - Throws: a ``BackupFormatError`` with code `invalidRule` if two collections would get the same name.
  public func targets(of names: [CollectionName]) throws(BackupFormatError) -> [CollectionName] {
    var sourceOfTarget: [CollectionName: CollectionName] = [:]
    var targets: [CollectionName] = []
    for name in names {
      let target = target(of: name)
      if let other = sourceOfTarget.updateValue(name, forKey: target), other != name {
        throw BackupFormatError(
          .invalidRule, "\(other) and \(name) would both be restored as \(target). Give one of them another name.")
      }
      targets.append(target)
    }
    return targets
  }

  /// The sources of rules which rename nothing of what exists, sorted.
  public func unmatched(among names: some Sequence<CollectionName>) -> [String] {
    let existing = Set(names)
    let existingDatabases = Set(existing.map(\.database))
    let unusedCollections = collections.keys.filter { !existing.contains($0) }.map(\.description)
    let unusedDatabases = databases.keys.filter { !existingDatabases.contains($0) }.map { "\($0).*" }
    return (unusedCollections + unusedDatabases).sorted()
  }

  private mutating func add(source: String, target: String) throws(BackupFormatError) {
    guard let from = Side(source), let to = Side(target) else { throw Self.malformed("\(source):\(target)") }
    let previous: Bool
    switch (from, to) {
    case (.collection(let from), .collection(let to)), (.qualified(let from), .qualified(let to)):
      previous = collections.updateValue(to, forKey: from) != nil
    case (.database(let from), .database(let to)): previous = databases.updateValue(to, forKey: from) != nil
    case (.databaseOnly, .databaseOnly): previous = false
    default: throw Self.malformed("\(source):\(target)")
    }
    guard !previous else {
      throw BackupFormatError(
        .invalidRule, "There are two rename rules for \(source.debugDescription). Leave one of them out.")
    }
  }

  private static func malformed(_ rule: String) -> BackupFormatError {
    BackupFormatError(
      .invalidRule,
      "The rename rule \(rule.debugDescription) cannot be understood. Both sides must have the same form: old:new,"
        + " db1.old:db2.new or db1.*:db2.*, with names of letters, digits and '_'; rules are separated by commas.")
  }
}

/// One side of a rename rule.
private enum Side {
  case collection(CollectionName)
  case qualified(CollectionName)
  case database(String)
  case databaseOnly

  init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard let first = parts.first, Self.isName(first) else { return nil }
    switch parts.count {
    case 1: self = .collection(CollectionName(collection: first))
    case 2 where parts[1] == "*": self = .database(first)
    case 2 where parts[1].isEmpty: self = .databaseOnly
    case 2 where Self.isName(parts[1]):
      self = .qualified(CollectionName(database: first, collection: parts[1]))
    default: return nil
    }
  }

  private static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy(BackupName.isNameByte)
  }
}
