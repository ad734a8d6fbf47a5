import BackupFileSystem
import ObjectStore
import Synchronization
import SystemPackage
import Testing

/// Knows two jobs, the second one later.
private final class TwoJobs: ControlFiles {
  let names = Mutex(["create-1"])
  var jobNames: [String] { names.withLock { $0 } }
  func submit(_ line: String, to target: ControlTarget) async throws(FileSystemError) {}
  func text(of target: ControlTarget) -> String { target == .stats ? "more 1\n" : "\(target)\n" }
}

@Suite struct ServiceDirectoryTests {
  private let store = MemoryStore(name: "a")
  private let jobs = TwoJobs()

  private func mount(lifetime: Double = 3600) async throws -> TestMount {
    try await store.put("backup/b/f", pattern(100), condition: .none)
    return TestMount([("A", store)], lifetime: lifetime, controls: jobs)
  }

  private func figure(_ name: String, _ mount: TestMount) async throws -> Int? {
    let text = String(decoding: try await mount.read(".milvus-backupfs/stats"), as: UTF8.self)
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 2, words[0] == name { return Int(words[1]) }
    }
    return nil
  }

  @Test func itAnswersToItsNameButIsNotListed() async throws {
    let mount = try await mount()
    #expect(try await mount.list("") == ["A"])
    #expect(try await mount.list(".milvus-backupfs") == ["jobs", "refresh", "stats", "version"])
    #expect(try await mount.attributes(".milvus-backupfs/stats").permissions == 0o444)
    #expect(await errno { _ = try await mount.inode("A/.milvus-backupfs") } == .noSuchFileOrDirectory)
  }

  @Test func nothingCanBeMadeOrChangedInIt() async throws {
    let mount = try await mount()
    #expect(await errno { try await mount.mkdir(".milvus-backupfs/x") } == .notPermitted)
    #expect(await errno { _ = try await mount.create(".milvus-backupfs/x") } == .notPermitted)
    #expect(await errno { try await mount.unlink(".milvus-backupfs/stats") } == .notPermitted)
    #expect(await errno { try await mount.rename(".milvus-backupfs/stats", "A/b/x") } == .improperLink)
    #expect(await errno { _ = try await mount.open(".milvus-backupfs/stats", [.write]) } == .permissionDenied)
  }

  @Test func jobsAreShownAsTheyComeAndGo() async throws {
    let mount = try await mount()
    #expect(try await mount.list(".milvus-backupfs/jobs") == ["create-1"])
    jobs.names.withLock { $0 = ["create-1", "restore-1"] }
    #expect(try await mount.read(".milvus-backupfs/jobs/restore-1").count > 0)
    #expect(try await mount.list(".milvus-backupfs/jobs") == ["create-1", "restore-1"])
    jobs.names.withLock { $0 = ["restore-1"] }
    #expect(try await mount.list(".milvus-backupfs/jobs") == ["restore-1"])
    #expect(await errno { _ = try await mount.inode(".milvus-backupfs/jobs/create-1") } == .noSuchFileOrDirectory)
  }

  @Test func figuresFollowWhatIsOpenAndAreBackAtZero() async throws {
    let mount = try await mount()
    try await store.put("backup/b//odd", [1], condition: .none)
    let reader = try await mount.open("A/b/f")
    let writer = try await mount.create("A/b/large")
    try await mount.write(writer, pattern(20 << 20))
    #expect(try await figure("open_files_reading", mount) == 1)
    #expect(try await figure("open_files_writing", mount) == 1)
    #expect(try await figure("uploads", mount) == 1)
    #expect(try await figure("hidden_objects", mount) == 1)
    #expect(try await figure("more", mount) == 1)
    #expect(try #require(try await figure("write_memory_bytes", mount)) >= 8 << 20)
    await mount.release(writer)
    await mount.release(reader)
    for name in [
      "open_files_reading", "open_files_writing", "open_directories", "uploads", "requests", "read_buffer_bytes",
      "write_memory_bytes", "transfer_buffer_bytes",
    ] {
      #expect(try await figure(name, mount) == 0, "\(name)")
    }
  }

  @Test(arguments: ["", "A", "A/b", " A/b/ "]) func aListingIsReadAgainOnDemand(path: String) async throws {
    let mount = try await mount()
    #expect(try await mount.list("A/b") == ["f"])
    try await store.put("backup/b/g", [1], condition: .none)
    #expect(try await mount.list("A/b") == ["f"])
    let handle = try await mount.open(".milvus-backupfs/refresh", [.write])
    try await mount.write(handle, Array("\(path)\n".utf8))
    await mount.release(handle)
    #expect(try await mount.list("A/b") == ["f", "g"])
  }

  @Test func refreshingWhatIsNotThereIsAnError() async throws {
    let mount = try await mount()
    let handle = try await mount.open(".milvus-backupfs/refresh", [.write])
    #expect(await errno { try await mount.write(handle, Array("C\n".utf8)) } == .noSuchFileOrDirectory)
  }
}

@Suite struct WriteMemoryTests {
  @Test func writersWaitForMemoryAndFinish() async throws {
    let store = MemoryStore(name: "a")
    let mount = TestMount([("A", store)], writeBytes: 1 << 20)
    try await mount.mkdir("A/x")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<8 {
        group.addTask { try await mount.save("A/x/f\(number)", pattern(700_000 + number)) }
      }
      try await group.waitForAll()
    }
    for number in 0..<8 { #expect(try await mount.read("A/x/f\(number)") == pattern(700_000 + number)) }
  }
}
