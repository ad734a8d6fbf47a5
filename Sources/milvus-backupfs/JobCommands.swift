// `create` and `restore` without a mount: the same jobs, followed to their end.

import ArgumentParser
import BackupEngine
import Logging

/// `milvus-backupfs create`.
struct CreateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Make a backup of collections of the store's Milvus.",
    discussion: """
      A collection that cannot be saved is left out and named, and the others go on. A backup that fails removes what it has \
      written, unless --resume is given.

      Exit status: 0 when all is saved, 1 when there is no backup, 3 when collections are missing from it.
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var options: CreateOptions

  func run() async throws {
    let request = try options.request()
    let context = try StoreOpener(logger: .command).open(try store.load()).context
    let jobs = await JobCenter.forCommand(in: context)
    do {
      let job = try await jobs.startCreate(request, in: context)
      print(try await JobFollower.follow(job.id, in: jobs))
    } catch let error as EngineError {
      throw CommandFailure(error)
    }
  }
}

/// `milvus-backupfs restore`.
struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Restore collections of a backup into the store's Milvus.",
    discussion: """
      Returns when all rows are in Milvus and were counted. Interrupted, it drops what it has created and not finished. What
      a killed restore has left in Milvus is gone on with by --resume.

      milvus-backupfs restore --config configs/milvus_B.yaml -n my_backup -s _bak --rebuild_index
      milvus-backupfs restore --config configs/milvus_B.yaml -n my_backup -r coll:coll2,db1.*:db2.* --dry-run
      """)

  @OptionGroup var store: StoreOptions
  @Option(name: [.short, .long], help: "Name of the backup.")
  var name: String
  @OptionGroup var options: RestoreOptions

  func run() async throws {
    let request = try options.request(backup: name)
    let context = try StoreOpener(logger: .command).open(try store.load()).context
    let jobs = await JobCenter.forCommand(in: context)
    do {
      let job = try await jobs.startRestore(request, in: context)
      let result = try await JobFollower.follow(job.id, in: jobs)
      for line in jobs.snapshot(id: job.id)?.progress.lines ?? [] { print(line) }
      print(result)
    } catch let error as EngineError {
      throw CommandFailure(error)
    }
  }
}

extension JobCenter {
  /// For a command that runs one job: written down like a daemon's, after what dead commands have left was removed.
  static func forCommand(in context: EngineContext) async -> JobCenter {
    let journal = JobJournal(directory: StateDirectory.jobs, isService: false) { warning in
      printError("milvus-backupfs: warning: \(warning)")
    }
    let jobs = JobCenter(journal: journal)
    for sentence in await jobs.recover(in: [context]) { printError("milvus-backupfs: \(sentence)") }
    return jobs
  }
}

extension Logger {
  /// For commands: warnings and worse, on standard error.
  static var command: Logger {
    var logger = Logger(label: "milvus-backupfs", factory: { StreamLogHandler.standardError(label: $0) })
    logger.logLevel = .warning
    return logger
  }
}
