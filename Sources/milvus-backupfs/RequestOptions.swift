// The words of `create` and `restore`, on the command line and in control files alike.

import ArgumentParser
import BackupEngine
import BackupFormat
import FoundationEssentials

/// What a backup is to be made of.
struct CreateOptions: ParsableArguments {
  @Option(name: [.short, .long], help: "Name of the backup; made of date and time when left out.")
  var name: String?

  @Option(
    name: [.short, .customLong("colls")],
    help: "Collections, separated by commas: coll or db.coll. Everything when left out.")
  var colls: String?

  @Option(
    name: [.short, .customLong("databases")],
    help: "Databases with all their collections, separated by commas.")
  var databases: String?

  @Option(
    name: [.customShort("a"), .customLong("database_collections")],
    help: ArgumentHelp(
      "Databases and collections as JSON, an empty list for all of a database: '{\"db1\":[\"c1\"],\"db2\":[]}'.",
      valueName: "json"))
  var databaseCollections: String?

  @Option(help: "Collections and databases: db.*, db.coll, coll, separated by commas.")
  var filter: String?

  @Option(
    help: ArgumentHelp(
      """
      meta_only: no rows; skip_flush: only what is stored by now; serial_flush: each collection is flushed before it is \
      saved; bulk_flush: the whole server is flushed once (Milvus 2.6.11 and later).
      """, valueName: "strategy"),
    transform: CreateOptions.parseStrategy)
  var strategy: CreateStrategy?

  @Flag(help: "Save users, roles and grants too (Milvus 2.4 and later).")
  var rbac = false

  @Flag(
    help: """
      Go on with a backup of this name that did not finish: what was copied is not copied again. If this one fails too, \
      what it copied stays.
      """)
  var resume = false

  @Flag(name: [.short, .long], help: ArgumentHelp("Deprecated: --strategy skip_flush.", visibility: .hidden))
  var force = false

  @Flag(name: .customLong("meta_only"), help: ArgumentHelp("Deprecated: --strategy meta_only.", visibility: .hidden))
  var metaOnly = false

  @Option(help: ArgumentHelp("auto or binlog; snapshots are not made.", visibility: .hidden))
  var format: String = "auto"

  @Flag(name: .customLong("backup_index_extra"), help: ArgumentHelp("Not supported.", visibility: .hidden))
  var backupIndexExtra = false

  /// The request that the words make.
  func request() throws -> CreateRequest {
    guard ["auto", "binlog"].contains(format) else {
      throw ValidationError("--format \(format) is not supported: only backups of log objects (binlog) are made.")
    }
    guard !backupIndexExtra else {
      throw ValidationError(
        "--backup_index_extra is not supported: etcd is not read. Indexes are saved as Milvus describes them.")
    }
    return CreateRequest(
      name: name, filter: try chosen(), strategy: try chosenStrategy(), rbac: rbac, resume: resume)
  }

  static func parseStrategy(_ word: String) throws -> CreateStrategy {
    guard let strategy = CreateStrategy(rawValue: word) else {
      let words = CreateStrategy.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--strategy takes one of: \(words).")
    }
    return strategy
  }

  private func chosenStrategy() throws -> CreateStrategy {
    let words = [strategy, force ? .skipFlush : nil, metaOnly ? .metaOnly : nil].compactMap { $0 }
    guard Set(words).count <= 1 else {
      throw ValidationError("--strategy, --force and --meta_only exclude each other.")
    }
    return words.first ?? .serialFlush
  }

  private func chosen() throws -> CollectionFilter {
    guard [colls, databases, databaseCollections, filter].compactMap({ $0 }).count <= 1 else {
      throw ValidationError("--colls, --databases, --database_collections and --filter exclude each other.")
    }
    if let databases { return try Self.filter(databases: databases) }
    if let databaseCollections { return try Self.filter(json: databaseCollections) }
    return try selection(colls, filter)
  }

  /// `db1,db2`
  private static func filter(databases: String) throws -> CollectionFilter {
    let names = databases.split(separator: ",", omittingEmptySubsequences: false).map {
      $0.filter { !$0.isWhitespace }
    }
    return try selection(names.map { "\($0).*" }.joined(separator: ","), nil)
  }

  /// `{"db1":["c1","c2"],"db2":[]}`
  private static func filter(json: String) throws -> CollectionFilter {
    let lists: [String: [String]]
    do {
      lists = try JSONDecoder().decode([String: [String]].self, from: Data(json.utf8))
    } catch {
      throw ValidationError(
        "\(json) is not what --database_collections takes: an object with lists of collections by database, such as "
          + "'{\"db1\":[\"c1\"],\"db2\":[]}'.")
    }
    let rules = lists.sorted { $0.key < $1.key }.flatMap { database, collections in
      collections.isEmpty ? ["\(database).*"] : collections.map { "\(database).\($0)" }
    }
    return try selection(rules.joined(separator: ","), nil)
  }
}

/// What of a backup is to be restored, and as what.
struct RestoreOptions: ParsableArguments {
  @Option(
    name: [.short, .customLong("collections")],
    help: "Collections of the backup, separated by commas: coll or db.coll. All when left out.")
  var collections: String?

  @Option(help: "Collections and databases of the backup: db.*, db.coll, coll, separated by commas.")
  var filter: String?

  @Option(name: [.short, .long], help: "Append this to each collection's name.")
  var suffix: String?

  @Option(name: [.short, .long], help: "New names: old:new, db1.old:db2.new, db1.*:db2.*, separated by commas.")
  var rename: String?

  @Flag(
    name: [.customLong("rebuild_index"), .customLong("restore_index")],
    help: "Build the indexes that the collections had.")
  var rebuildIndex = false

  @Flag(name: .customLong("use_auto_index"), help: "Build AUTOINDEX instead of the vector indexes they had.")
  var useAutoIndex = false

  @Flag(help: "Load what was loaded when the backup was made; builds the indexes, too.")
  var load = false

  @Flag(help: "Give the collections their aliases back.")
  var aliases = false

  @Flag(help: "Bring back users, roles and grants that Milvus does not have (2.4 and later).")
  var rbac = false

  @Flag(name: .customLong("meta_only"), help: "Restore collections and partitions without rows.")
  var metaOnly = false

  @Flag(
    name: .customLong("drop_exist_collection"),
    help: "Drop target collections that exist, with their aliases.")
  var dropExistCollection = false

  @Flag(
    name: .customLong("drop_exist_index"), help: "With --skip_create_collection: drop the indexes they have first.")
  var dropExistIndex = false

  @Flag(name: .customLong("skip_create_collection"), help: "Add the rows to collections that exist.")
  var skipCreateCollection = false

  @Flag(name: .customLong("use_v2_restore"), help: "Import by REST, many segments in a task (2.4 and later).")
  var useV2Restore = false

  @Flag(help: "Go on where an earlier restore of the backup stopped, and keep what is done if this one fails.")
  var resume = false

  @Flag(name: .customLong("dry-run"), help: "Check everything and print what would be done, but do nothing.")
  var dryRun = false

  /// The request that the words make.
  /// - Parameter newName: the new name of the backup's only collection, when it was given as a bare word.
  func request(backup: String, newName: String? = nil) throws -> RestoreRequest {
    guard suffix == nil || rename == nil else {
      throw ValidationError("--suffix and --rename exclude each other.")
    }
    guard newName == nil || (suffix == nil && rename == nil) else {
      throw ValidationError("A new name excludes --suffix and --rename.")
    }
    guard !dropExistCollection || !skipCreateCollection else {
      throw ValidationError("--drop_exist_collection and --skip_create_collection exclude each other.")
    }
    do {
      let renames =
        try rename.map { try RenameRules(parsing: $0) } ?? suffix.map { try RenameRules(suffix: $0) } ?? .none
      return RestoreRequest(
        backup: backup, filter: try selection(collections, filter), newName: newName, renames: renames,
        rebuildIndex: rebuildIndex || useAutoIndex || load, useAutoIndex: useAutoIndex, metaOnly: metaOnly,
        dropExistingCollection: dropExistCollection, skipCreateCollection: skipCreateCollection,
        dropExistingIndex: dropExistIndex, restoresLoadState: load, restoresAliases: aliases,
        restoresAccessControl: rbac, resume: resume, dryRun: dryRun, usesREST: useV2Restore)
    } catch let error as BackupFormatError {
      throw ValidationError("\(error)")
    }
  }
}

private func selection(_ names: String?, _ filter: String?) throws -> CollectionFilter {
  guard names == nil || filter == nil else {
    throw ValidationError("--filter and a list of collections exclude each other.")
  }
  guard let text = names ?? filter else { return .all }
  do {
    let selection = try CollectionFilter(parsing: text)
    guard !selection.selectsEverything else { throw ValidationError("The list of collections is empty.") }
    return selection
  } catch let error as BackupFormatError {
    throw ValidationError("\(error)")
  }
}
