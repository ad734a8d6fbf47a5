// Which collections a command concerns, in the grammar of milvus-backup's `--filter`.
//
// Invariants: an empty filter selects everything; a filter with rules selects what any of them names.

/// A choice of databases and collections.
public struct CollectionFilter: Hashable, Sendable, Codable {
  /// One element of a filter.
  public enum Rule: Hashable, Sendable, Codable {
    /// `db.*`: a database with all its collections.
    case everything(in: String)
    /// `db.`: a database without its collections.
    case databaseOnly(String)
    /// `db.coll` or, in the default database, `coll`.
    case collection(CollectionName)

    /// Name of the database.
    public var database: String {
      switch self {
      case .everything(in: let database), .databaseOnly(let database): database
      case .collection(let name): name.database
      }
    }
  }

  /// The filter which selects everything.
  public static let all = CollectionFilter(rules: [])

  /// The elements; none means everything.
  public let rules: [Rule]
  private let wholeDatabases: Set<String>
  private let databases: Set<String>
  private let collections: Set<CollectionName>

  /// Makes a filter of its elements; without any it selects everything.
  public init(rules: [Rule]) {
    self.rules = rules
    databases = Set(rules.map(\.database))
    wholeDatabases = Set(rules.compactMap { if case .everything(in: let database) = $0 { database } else { nil } })
    collections = Set(rules.compactMap { if case .collection(let name) = $0 { name } else { nil } })
  }

  /// Parses elements separated by commas: `db.*`, `db.coll`, `coll` and `db.`; an empty text selects everything.
  ///
  /// - Throws: a ``BackupFormatError`` with code `invalidRule` naming the element.
  public init(parsing text: String) throws(BackupFormatError) {
    guard !text.allSatisfy(\.isWhitespace) else {
      self = .all
      return
    }
    var rules: [Rule] = []
    for element in text.split(separator: ",", omittingEmptySubsequences: false) {
      rules.append(try Self.rule(element))
    }
    self.init(rules: rules)
  }

  /// Whether the filter selects everything.
  public var selectsEverything: Bool { rules.isEmpty }

  /// Whether the database itself, or any collection of it, is selected.
  public func selects(database: String) -> Bool {
    selectsEverything || databases.contains(database)
  }

  /// Whether the collection is selected.
  public func selects(_ name: CollectionName) -> Bool {
    selectsEverything || wholeDatabases.contains(name.database) || collections.contains(name)
  }

  /// The elements that select nothing of what exists, in the form in which they are written.
  ///
  /// - Parameters:
  ///   - names: the collections that exist.
  ///   - databases: the databases that exist, as far as they have no collections.
  public func unmatched(among names: some Sequence<CollectionName>, databases: some Sequence<String>) -> [String] {
    let collections = Set(names)
    let databases = Set(databases).union(collections.map(\.database))
    return rules.filter { rule in
      switch rule {
      case .everything(in: let database), .databaseOnly(let database): !databases.contains(database)
      case .collection(let name): !collections.contains(name)
      }
    }.map(\.description)
  }

  private static func rule(_ element: Substring) throws(BackupFormatError) -> Rule {
    let text = element.trimmingWhitespace()
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    switch parts.count {
    case 1 where isName(parts[0]): return .collection(CollectionName(collection: String(parts[0])))
    case 2 where isName(parts[0]) && parts[1] == "*": return .everything(in: String(parts[0]))
    case 2 where isName(parts[0]) && parts[1].isEmpty: return .databaseOnly(String(parts[0]))
    case 2 where isName(parts[0]) && isName(parts[1]):
      return .collection(CollectionName(database: String(parts[0]), collection: String(parts[1])))
    default:
      throw BackupFormatError(
        .invalidRule,
        "The filter element \(text.debugDescription) cannot be understood. Allowed are db.* (all collections of a"
          + " database), db.coll, coll (in the database default) and db. (a database without its collections),"
          + " separated by commas.")
    }
  }

  private static func isName(_ text: Substring) -> Bool {
    !text.isEmpty && text.allSatisfy { $0 != "*" && !$0.isWhitespace }
  }
}

extension CollectionFilter.Rule: CustomStringConvertible {
  /// The element as it is written in a filter.
  public var description: String {
    switch self {
    case .everything(in: let database): "\(database).*"
    case .databaseOnly(let database): "\(database)."
    case .collection(let name): name.description
    }
  }
}

extension CollectionFilter: CustomStringConvertible {
  /// The filter as it is written on a command line.
  public var description: String { rules.map(\.description).joined(separator: ",") }
}
