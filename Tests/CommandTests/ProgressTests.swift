import BackupEngine
import Testing

@testable import milvus_backupfs

@Suite struct ProgressTests {
  private let line = ProgressLine(
    percent: 50, phase: "importing partition _default of default.coll", bytesDone: 5 << 20, bytesTotal: 10 << 20,
    bytesPerSecond: 1536, secondsLeft: 125)

  @Test func isPlainWordsWithoutATerminal() {
    #expect(
      line.text(columns: nil)
        == "50% importing partition _default of default.coll (5.0 MiB of 10.0 MiB, 1.5 KiB/s, 2 min 5 s left)")
    #expect(ProgressLine(percent: 0, phase: "starting").text(columns: nil) == "0% starting")
  }

  @Test func isABarThatFitsTheTerminal() {
    let text = line.text(columns: 80)
    #expect(text.hasPrefix("[############------------] 50% (5.0 MiB of 10.0 MiB, 1.5 KiB/s, 2 min 5 s left) "))
    #expect(line.text(columns: 100).count < 100)
    #expect(ProgressLine(percent: 100, phase: "").text(columns: 80).hasPrefix("[########################] 100%"))
  }

  @Test(arguments: [(0, "0 s"), (59.2, "1 min 0 s"), (61, "1 min 1 s"), (3660, "1 h 1 min")])
  func tellsTimes(seconds: Double, text: String) {
    #expect(ProgressLine.time(seconds) == text)
  }

  @Test(arguments: [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (3 << 40, "3072.0 GiB")])
  func tellsSizes(bytes: Int64, text: String) {
    #expect(ProgressLine.size(bytes) == text)
  }

  @Test func readsAJobFromItsFile() {
    let report = JobReport(
      """
      job: restore-1
      target: milvus_B/bk
      state: running
      phase: importing: a thing
      progress: 42%
      bytes: 5 of 10
      rate: 2 bytes/s
      left: 3 s
      warning: one
      """)
    #expect(report.state == "running" && report.value("job") == "restore-1")
    #expect(
      report.line
        == ProgressLine(
          percent: 42, phase: "importing: a thing", bytesDone: 5, bytesTotal: 10, bytesPerSecond: 2, secondsLeft: 3))
    #expect(JobReport("state: none\nhint: write\n").state == "none" && JobReport("anything").state == "none")
  }

  @Test func aDirectoryStandsForItsControlFile() {
    #expect(JobFile("/tmp").path == "/tmp/restore" && JobFile("/tmp/").path == "/tmp/restore")
    #expect(JobFile("/tmp/no/such/restore").path == "/tmp/no/such/restore")
    #expect(throws: CommandFailure.self) { try JobFile("/tmp/no/such").report() }
  }
}
