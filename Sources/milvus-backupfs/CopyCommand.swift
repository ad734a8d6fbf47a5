// `copy`: the transfer without a mount.

import ArgumentParser
import BackupEngine
import Configuration
import Glibc
import Logging
import ObjectStore

/// `milvus-backupfs copy`.
struct CopyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "copy",
    abstract: "Copy a backup from one store to another, without a mount.",
    discussion: """
      milvus-backupfs copy my_backup --from configs/milvus_A.yaml --to configs/milvus_B.yaml

      Run again after an interruption it goes on: objects that are known to be equal at both ends are kept. The metadata is
      written last, so a copy that is not complete is taken for a backup by nobody.

      With --shard i/n it moves one of n parts of the objects; run with 1/n to n/n on as many machines, in any order and at
      any time, whichever ends last writes the metadata.

      Exit status 0 when everything that this run had to do is done, 1 when something failed.
      """)

  @Argument(help: "Name of the backup.")
  var name: String

  @Option(help: ArgumentHelp("The configuration file of the store with the backup.", valueName: "file"))
  var from: String

  @Option(help: ArgumentHelp("The configuration file of the store to copy to.", valueName: "file"))
  var to: String

  @Option(name: .customLong("as"), help: ArgumentHelp("Another name for the copy.", valueName: "name"))
  var newName: String?

  @Option(help: ArgumentHelp("Move only this part of the objects, such as 1/4.", valueName: "i/n"))
  var shard: CopyShard = .whole

  @Flag(help: "Replace another backup of that name.")
  var overwrite = false

  @Flag(help: "Read both ends afterwards and compare every byte.")
  var verify = false

  func run() async throws {
    let opener = try StoreOpener(logger: .command)
    let source = try open(from, opener)
    let target = try open(to, opener)
    let progress = JobProgress()
    let job: CopyJob
    do {
      job = try CopyJob(
        CopyRequest(backup: name, newName: newName, shard: shard, overwrites: overwrite, verifies: verify),
        from: source.context, to: target.context, journalDirectory: StateDirectory.path().map { "\($0)/copies" },
        throttles: { source.metrics.throttles + target.metrics.throttles }, progress: progress)
    } catch {
      throw CommandFailure(error)
    }
    let begin = ContinuousClock.now
    let report: CopyReport
    do {
      // Interrupted, it still aborts the uploads that are under way.
      report = try await ProgressDisplay.follow(
        progress, leaving: "Copy again: what is complete at the target is kept."
      ) { _ in try await job.run() }
    } catch {
      throw CommandFailure(error)
    }
    for warning in progress.snapshot.warnings { printError("milvus-backupfs: warning: \(warning)") }
    let seconds = (ContinuousClock.now - begin) / .seconds(1)
    print(summary(report, seconds, from: source.configuration.name, to: target.configuration.name))
  }

  private static func time(_ seconds: Double) -> String {
    seconds < 10 ? "\((seconds * 10).rounded() / 10) s" : ProgressLine.time(seconds)
  }

  private func open(_ path: String, _ opener: StoreOpener) throws -> OpenStore {
    do {
      let configuration = try OverrideOptions.parse([]).loader().store(at: path)
      for warning in configuration.warnings { printError("milvus-backupfs: warning: \(warning)") }
      return try opener.open(configuration)
    } catch let error as CommandFailure {
      throw error
    } catch {
      throw CommandFailure(error)
    }
  }

  private func summary(_ report: CopyReport, _ seconds: Double, from source: String, to target: String) -> String {
    let part = shard == .whole ? "" : "Shard \(shard) of "
    let rate = ProgressLine.size(Int64(Double(report.bytes) / max(seconds, 0.001)))
    var text =
      "\(part)\(name): \(report.moved) objects, \(ProgressLine.size(report.bytes)) copied from \(source) to \(target) in "
      + "\(Self.time(seconds)) (\(rate)/s)"
    if report.kept > 0 { text += ", \(report.kept) kept" }
    if report.verified > 0 { text += ", \(report.verified) compared byte by byte" }
    if report.waiting > 0 {
      text +=
        "; \(report.waiting) objects of other shards are not there yet, so the metadata is left to the last of them"
    }
    return text
  }
}

extension CopyShard: ExpressibleByArgument {
  /// Reads `i/n`.
  public init?(argument: String) { self.init(argument) }
}
