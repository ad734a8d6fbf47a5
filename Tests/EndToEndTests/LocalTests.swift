import Foundation
import Testing

extension EndToEnd.Files {
  /// Backups in a directory, of a Milvus that has a bucket.
  @Suite(.serialized) struct Local {
    @Test func aBackupMovesBetweenADirectoryAndABucketAndIsRestoredFromTheDirectory() async throws {
      try await Fixture.ensure()
      let address = try Testbed.instance("A").milvus.address
      try await Oracle.remove("B", "backup/local_fixture/")
      try await Oracle.python("drop.py", "A", "fixture_local")
      let directory = FileManager.default.temporaryDirectory.appending(path: "e2e-local-\(UUID().uuidString)").path
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(atPath: directory) }
      let edits = [
        ("  storageType: minio", "  backupStorageType: local\n  storageType: minio"),
        ("  backupRootPath: backup", "  backupRootPath: \(directory)"),
      ]
      try await Workplace.with(edits: ["A": edits]) { place in
        let (local, bucket) = ("\(place.mount)/milvus_A", "\(place.mount)/milvus_B")
        try await run(
          "\"$BACKUPFS\" create --config '\(place.configs)/milvus_A.yaml' -c fixture -n local_fixture", limit: 300)
        let sums = "find . -type f | LC_ALL=C sort | xargs -d '\\n' sha256sum"
        let made = try await run("cd '\(directory)/local_fixture' && \(sums)")
        #expect(made.contains("./meta/full_meta.json") && made.contains("./binlogs/insert_log/"))

        // Into the bucket, and back under another name.
        try await Task.sleep(for: .seconds(1.2))
        try await run("cp -r '\(local)/local_fixture' '\(bucket)/'", limit: 300)
        let copied = try await Oracle.objects("B", "backup/local_fixture/")
        #expect(copied.count == made.split(separator: "\n").count)
        try await run("cp -r '\(bucket)/local_fixture' '\(local)/back'", limit: 300)
        #expect(try await run("cd '\(directory)/back' && \(sums)") == made, "byte by byte, seen from outside")
        #expect(try await run("find '\(directory)' -name '.milvus-backupfs-*'").isEmpty)

        // Milvus imports from its bucket only: through temporary copies there.
        try await run("echo fixture_local > '\(local)/back/restore'")
        let state = try await EndToEnd.Servers.Story.follow("\(local)/back/restore")
        #expect(state.contains("state: done"), "\(state)")
        try await run(
          "\"$PYTHON\" '\(Fixture.scripts)/verify.py' --source \(address) --source-collection fixture "
            + "--target \(address) --target-collection fixture_local --min-rows 2000", limit: 300)
        #expect(try await Oracle.objects("A", "files/restore-temp-").isEmpty)

        try await run("rm -r '\(local)/back' '\(local)/local_fixture' '\(bucket)/local_fixture'", limit: 300)
        #expect(try await run("ls -A '\(directory)'").isEmpty)
      }
    }
  }
}
