// `list` and `get`: what backups there are, and what one holds.

import ArgumentParser
import BackupEngine
import BackupFormat

/// `milvus-backupfs list`.
struct ListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List the backups of a store.")

  @OptionGroup var store: StoreOptions

  func run() async throws {
    let context = try StoreOpener(logger: .command).open(try store.load()).context
    do {
      let entries = try await BackupCatalog(store: context.backups, root: context.backupRoot).entries()
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
    commandName: "get", abstract: "Show a backup's metadata as JSON, without its partitions and segments.")

  @OptionGroup var store: StoreOptions
  @Option(name: [.short, .long], help: "Name of the backup.")
  var name: String

  func run() async throws {
    let context = try StoreOpener(logger: .command).open(try store.load()).context
    do {
      let description = try await BackupCatalog(store: context.backups, root: context.backupRoot).description(of: name)
      for warning in description.warnings { printError("milvus-backupfs: warning: \(warning)") }
      print(BriefJSON.text(of: description))
    } catch {
      throw CommandFailure(error)
    }
  }
}
