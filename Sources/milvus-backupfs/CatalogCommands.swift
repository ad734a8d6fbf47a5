// `list` and `get`: what backups there are, and what one holds.

import ArgumentParser
import BackupEngine
import BackupFormat

/// `milvus-backupfs list`.
struct ListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the backups of a store.",
    discussion: """
      Prints the names of all directories with backup metadata, in the words of the official tool. With --long or --json it \
      also reads each backup's metadata and lists its objects, and says which are complete and what they hold; directories \
      without metadata are shown as unfinished.
      """)

  @OptionGroup var store: StoreOptions
  @Flag(name: [.short, .long], help: "Show state, sizes, rows and versions.")
  var long = false
  @Flag(help: "Print the same as JSON: an array of objects.")
  var json = false
  @Option(name: [.short, .customLong("collection")], help: ArgumentHelp("Without effect.", visibility: .hidden))
  var collection: String?

  func run() async throws {
    let context = try StoreOpener(logger: .command).open(try store.load()).context
    let catalog = BackupCatalog(store: context.backups, root: context.backupRoot)
    do {
      if long || json {
        let summaries = try await catalog.summaries()
        print(json ? try JSONText.of(summaries) : CatalogTable.text(summaries), terminator: "")
        return
      }
      let entries = try await catalog.entries()
      print(">> Backups:")
      for entry in entries where entry.hasMetadata { print(entry.name) }
      for entry in entries where !entry.hasMetadata {
        printError(
          "milvus-backupfs: warning: \(entry.name) has no metadata: a backup that is not finished, or no backup.")
      }
    } catch {
      throw CommandFailure(error)
    }
  }
}

/// `milvus-backupfs get`.
struct GetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Show what a backup holds.",
    discussion: """
      Prints the backup's metadata as JSON without partitions and segments, as the official tool does. With --long it prints \
      a summary for people and with --json the same for programs: state, sizes, rows, versions, and for each collection its \
      partitions, segments, rows and bytes; these two list the backup's objects.
      """)

  @OptionGroup var store: StoreOptions
  @Option(name: [.short, .long], help: "Name of the backup.")
  var name: String
  @Flag(name: [.short, .long], help: "Print a summary for people.")
  var long = false
  @Flag(help: "Print the summary as JSON.")
  var json = false
  @Flag(name: [.short, .customLong("detail")], help: ArgumentHelp("Without effect.", visibility: .hidden))
  var detail = false

  func run() async throws {
    let context = try StoreOpener(logger: .command).open(try store.load()).context
    let catalog = BackupCatalog(store: context.backups, root: context.backupRoot)
    do {
      if long || json {
        let view = try await BackupView(name, in: catalog)
        print(json ? try JSONText.of(view) : view.text, terminator: "")
        return
      }
      let description = try await catalog.description(of: name)
      for warning in description.warnings { printError("milvus-backupfs: warning: \(warning)") }
      print(BriefJSON.text(of: description))
    } catch {
      throw CommandFailure(error)
    }
  }
}

/// `milvus-backupfs delete`.
struct DeleteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Remove a backup with all its objects.",
    discussion: """
      Removes everything below the backup's directory, whatever state it is in: also a backup that was never finished or \
      whose metadata cannot be read. Nothing outside the directory is touched. What was removed cannot be brought back.
      """)

  @OptionGroup var store: StoreOptions
  @Option(name: [.short, .long], help: "Name of the backup.")
  var name: String

  func run() async throws {
    let context = try StoreOpener(logger: .command).open(try store.load()).context
    let backup = name
    do {
      let report = try await ProgressDisplay.follow(leaving: "Delete again: it goes on.") { progress in
        try await BackupRemoval.run(backup, in: context, progress)
      }
      for warning in report.warnings { printError("milvus-backupfs: warning: \(warning)") }
      print(report.summary)
      print("delete backup done")
    } catch {
      throw CommandFailure(error)
    }
  }
}
