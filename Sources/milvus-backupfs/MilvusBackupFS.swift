// The program: commands and exit codes. How anything works is in the modules below.

import ArgumentParser
import Glibc
import ObjectStore

/// `milvus-backupfs`.
@main
struct MilvusBackupFS: AsyncParsableCommand {
  /// Release, as `--version` and the mount tell it.
  static let release = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "milvus-backupfs",
    abstract:
      "Milvus backups of several object stores as one file system: cp is the transfer, a control file the restore.",
    discussion: """
      milvus-backupfs mount configs/ /mnt/milvus
      milvus-backupfs create --config configs/milvus_A.yaml -c coll -n my_backup
      cp -r /mnt/milvus/milvus_A/my_backup /mnt/milvus/milvus_B/
      echo coll_bak > /mnt/milvus/milvus_B/my_backup/restore
      cat /mnt/milvus/milvus_B/my_backup/restore

      Configuration files are the official backup.yaml of milvus-backup, unchanged: one file is one store.
      """,
    version: release,
    subcommands: [
      MountCommand.self, UmountCommand.self, CreateCommand.self, ListCommand.self, GetCommand.self, VerifyCommand.self,
      DeleteCommand.self, RestoreCommand.self, CopyCommand.self, WaitCommand.self, CancelCommand.self, JobsCommand.self,
      CheckCommand.self,
    ])

  static func main() async {
    ProcessHardening.apply()
    do {
      // Run by mount(8), the program has another name and its arguments another form.
      var command = try parseAsRoot(MountHelper.arguments(CommandLine.arguments))
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
      await finishBackgroundWork()
    } catch let error as CommandFailure {
      printError("milvus-backupfs: \(error.message)")
      await finishBackgroundWork()
      Glibc.exit(error.exitCode)
    } catch {
      await finishBackgroundWork()
      exit(withError: error)
    }
  }

  /// Uploads of cancelled writers are being removed; what takes longer is in the journal of uploads.
  private static func finishBackgroundWork() async {
    await BackgroundWork.shared.settle(within: 5)
  }
}

/// A failure that has been understood: a sentence and an exit code.
struct CommandFailure: Error {
  var message: String
  /// 1 for all failures but where a command says otherwise, as the official tool has it.
  var exitCode: Int32 = 1

  init(_ message: String, exitCode: Int32 = 1) {
    self.message = message
    self.exitCode = exitCode
  }

  /// The sentence of any error of the modules below.
  init(_ error: any Error) { message = "\(error)" }
}

/// Writes a line to standard error.
func printError(_ line: String) {
  writeError(line + "\n")
}

/// Writes text to standard error as it is, past C's buffers: several tasks write.
func writeError(_ text: String) {
  let bytes = Array(text.utf8)
  _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
