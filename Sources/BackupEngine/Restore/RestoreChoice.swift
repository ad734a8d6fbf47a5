// Which collections of a backup are restored, and what they will be called. Logic without I/O.

import BackupFormat

/// What a request selects of a backup.
struct RestoreChoice: Sendable {
  /// The collections with their names in Milvus, in the order of the backup.
  var collections: [(source: CollectionBackupInfo, target: CollectionName)] = []
  /// The databases that shall exist, in order of their names.
  var databases: [String] = []
  /// Which database of the backup a database comes from; only for those that come from one alone.
  var sourceOfDatabase: [String: String] = [:]
  /// Rules that concerned nothing.
  var warnings: [String] = []

  /// Applies a request to a backup.
  /// - Throws: `EngineError` `.invalidRequest` or `.notFound`, `BackupFormatError` for two equal targets.
  init(_ request: RestoreRequest, _ info: BackupInfo) throws {
    guard !(request.dropExistingCollection && request.skipCreateCollection) else {
      throw EngineError(
        .invalidRequest,
        "Dropping a collection that exists and restoring into it exclude each other. Ask for one of the two.")
    }
    guard request.newName == nil || request.renames == .none else {
      throw EngineError(
        .invalidRequest, "A new name excludes a suffix and rename rules. Ask for one of them.")
    }
    let names = info.collectionBackups.map(\.qualifiedName)
    let databases = info.databaseBackups.map { $0.dbName.isEmpty ? CollectionName.defaultDatabase : $0.dbName }
    let unmatched = request.filter.unmatched(among: names, databases: databases)
    guard unmatched.isEmpty else {
      throw EngineError(
        .notFound, "The backup \(request.backup) has no \(unmatched.listed()). \(Self.contents(names))")
    }
    let chosen = info.collectionBackups.filter { request.filter.selects($0.qualifiedName) }
    let renames = try Self.renames(request, chosen.map(\.qualifiedName))
    let targets = try renames.targets(of: chosen.map(\.qualifiedName))
    for target in targets { try Self.validate(target) }
    collections = zip(chosen, targets).map { (source: $0, target: $1) }
    var wanted = Set(targets.map(\.database))
    if request.newName == nil {
      wanted.formUnion(databases.filter(request.filter.selects(database:)).map(renames.target(ofDatabase:)))
    }
    self.databases = wanted.sorted()
    let sources = databases.filter(request.filter.selects(database:)).map { ($0, renames.target(ofDatabase: $0)) }
    for (target, pairs) in Dictionary(grouping: sources, by: \.1) where Set(pairs.map(\.0)).count == 1 {
      sourceOfDatabase[target] = pairs[0].0
    }
    warnings = renames.unmatched(among: names).map { "The rename rule for \($0) concerns nothing in the backup." }
  }

  private static func contents(_ names: [CollectionName]) -> String {
    names.isEmpty ? "It holds no collections." : "It holds \(names.sorted().listed(10))."
  }

  /// The rules of a request; the single new name becomes one.
  private static func renames(_ request: RestoreRequest, _ chosen: [CollectionName]) throws -> RenameRules {
    guard let newName = request.newName else { return request.renames }
    guard let source = chosen.first, chosen.count == 1 else {
      throw EngineError(
        .invalidRequest,
        """
        A single new name, \(newName), fits one collection only, but \(chosen.count.grouped) of the backup \
        \(request.backup) are selected. \(contents(chosen)) Choose one of them, or use a suffix or rename rules.
        """)
    }
    let parts = newName.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let target =
      parts.count == 2
      ? CollectionName(database: parts[0], collection: parts[1])
      : CollectionName(database: source.database, collection: newName)
    return RenameRules(renaming: source, to: target)
  }

  /// Milvus' rule for names: a letter or `_`, then letters, digits and `_`, at most 255 bytes.
  private static func validate(_ name: CollectionName) throws(EngineError) {
    for part in [name.database, name.collection] where !isValid(part) {
      throw EngineError(
        .invalidRequest,
        """
        \(part.debugDescription) cannot name a collection or database of Milvus. Allowed are letters, digits and '_', \
        not beginning with a digit, up to 255 characters.
        """)
    }
  }

  private static func isValid(_ name: String) -> Bool {
    let isLetter = { (byte: UInt8) in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
      default: false
      }
    }
    let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    guard let first = name.utf8.first, isLetter(first), name.utf8.count <= 255 else { return false }
    return name.utf8.allSatisfy { isLetter($0) || isDigit($0) }
  }
}
