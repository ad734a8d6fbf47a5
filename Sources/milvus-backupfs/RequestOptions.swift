// The words of `create` and `restore`, on the command line and in control files alike.

import ArgumentParser
import BackupEngine
import BackupFormat

/// What a backup is to be made of.
struct CreateOptions: ParsableArguments {
  @Option(name: [.short, .long], help: "Name of the backup; made of date and time when left out.")
  var name: String?

  @Option(
    name: [.short, .customLong("colls")],
    help: "Collections, separated by commas: coll or db.coll. Everything when left out.")
  var colls: String?

  @Option(help: "Collections and databases: db.*, db.coll, coll, separated by commas.")
  var filter: String?

  @Option(help: "meta_only: no rows; skip_flush: only what is stored by now; serial_flush (default).")
  var strategy: Strategy = .serialFlush

  /// How rows get into the backup.
  enum Strategy: String, ExpressibleByArgument, CaseIterable {
    case metaOnly = "meta_only"
    case skipFlush = "skip_flush"
    case serialFlush = "serial_flush"
  }

  /// The request that the words make.
  func request() throws -> CreateRequest {
    CreateRequest(
      name: name, filter: try selection(colls, filter), metaOnly: strategy == .metaOnly,
      skipFlush: strategy == .skipFlush)
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
