// `verify`: is a backup what its metadata says?

import ArgumentParser
import BackupEngine

/// How much is to be verified; also what can be written to the control file `verify`.
struct VerifyOptions: ParsableArguments {
  @Flag(help: "Read every byte of every log and count the rows.")
  var deep = false
}

/// `milvus-backupfs verify`.
struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Compare a backup with what its metadata promises.",
    discussion: """
      Checks that every object is there with its size and nothing else lies among them, that the metadata files agree, that \
      each segment has as many logs of one field as of another, that each log names the collection, partition, segment and \
      field in whose directory it lies, and that delta logs are whole. It reads the first KiB of each insert log.

      With --deep it reads everything, follows the events of each log to its end and adds up the rows that their Parquet \
      footers tell: each field of a segment must have num_of_rows. Values are not decompressed.

      Nothing is written. Each problem is one line: a word for its kind, the object's key, what is wrong. Exit status 1 when \
      something is wrong, or when it could not be found out.
      """)

  @OptionGroup var store: StoreOptions
  @Option(name: [.short, .long], help: "Name of the backup.")
  var name: String
  @OptionGroup var options: VerifyOptions
  @Flag(help: "Print the result as JSON.")
  var json = false

  func run() async throws {
    let context = try StoreOpener(logger: .command).open(try store.load()).context
    let request = VerifyRequest(backup: name, deep: options.deep)
    let report: VerifyReport
    do {
      report = try await ProgressDisplay.follow(leaving: "Nothing was changed.") { progress in
        try await VerifyJob.run(try await VerifyJob.prepare(context, request), progress)
      }
    } catch {
      throw CommandFailure(error)
    }
    for warning in report.warnings { printError("milvus-backupfs: warning: \(warning)") }
    if json {
      print(try JSONText.of(report), terminator: "")
    } else {
      for problem in report.problems { print(problem.line) }
      print(report.summary)
      if !report.sound { print(report.remedy) }
    }
    guard report.sound else { throw ExitCode(1) }
  }
}
