// `check`: tries everything that a job will need, and cleans up after crashed processes.

import ArgumentParser
import Configuration
import Glibc

/// `milvus-backupfs check`.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Try everything that a job needs of the store and its Milvus, and say what is wrong.",
    discussion: """
      Writes and removes a small object below backupRootPath and below rootPath. Exit status 1 when something failed.

      With --sweep it also aborts uploads that crashed processes of this user on this machine have left in the store: those
      that are written down in ~/.local/state/milvus-backupfs/uploads, whose process is gone, and that are old enough.
      """)

  @OptionGroup var store: StoreOptions

  @Flag(help: "Also remove unfinished uploads that crashed processes left.")
  var sweep = false

  @Option(
    name: .customLong("older-than"),
    help: ArgumentHelp(
      "Remove only what was begun so long ago: a number with s, m, h or d, such as 30m.", valueName: "time"))
  var olderThan = Age(seconds: 3600)

  @Flag(help: "Print JSON instead of a table.")
  var json = false

  func run() async throws {
    let configuration = try store.load()
    let opener = try StoreOpener(logger: .command)
    let target = try CheckTarget(configuration, opener: opener)
    let work = Task { () -> CheckReport in
      var report = CheckReport(store: configuration.name)
      report.items = await CheckRun(target).run()
      if sweep { report.sweep = await CheckSweep(target, journal: opener.journal, olderThan: olderThan).run() }
      return report
    }
    // Interrupted, it still removes what it has written.
    let signals = TerminationSignals.cancelling(
      leaving: "An object named .milvus-backupfs.check-… may be left in the store: delete it."
    ) { work.cancel() }
    defer { signals.cancel() }
    let report = await work.value
    print(json ? try report.json() : report.table(), terminator: "")
    guard report.isGood else { throw ExitCode(1) }
  }
}

/// A span of time on the command line.
struct Age: ExpressibleByArgument, CustomStringConvertible {
  var seconds: Int64

  init(seconds: Int64) { self.seconds = seconds }

  init?(argument: String) {
    guard let unit = argument.last, let number = Int64(argument.dropLast()), (0...100_000_000).contains(number) else {
      return nil
    }
    switch unit {
    case "s": seconds = number
    case "m": seconds = number * 60
    case "h": seconds = number * 3600
    case "d": seconds = number * 86_400
    default: return nil
    }
  }

  var description: String {
    switch seconds {
    case let seconds where seconds > 0 && seconds % 86_400 == 0: "\(seconds / 86_400)d"
    case let seconds where seconds > 0 && seconds % 3600 == 0: "\(seconds / 3600)h"
    case let seconds where seconds > 0 && seconds % 60 == 0: "\(seconds / 60)m"
    default: "\(seconds)s"
    }
  }

  var defaultValueDescription: String { description }
}
