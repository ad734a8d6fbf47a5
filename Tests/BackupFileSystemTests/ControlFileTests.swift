import BackupFileSystem
import ObjectStore
import Synchronization
import SystemPackage
import Testing

/// Remembers the lines it was given; refuses those that begin with "bad".
private final class RecordingControls: ControlFiles {
  private let lines = Mutex<[String]>([])
  var received: [String] { lines.withLock { $0 } }

  func submit(_ line: String, to target: ControlTarget) async throws(FileSystemError) {
    if line.hasPrefix("bad") { throw FileSystemError(.invalidArgument, "not a request") }
    lines.withLock { $0.append("\(target): \(line)") }
  }

  func text(of target: ControlTarget) -> String { target == .stats ? "more 1\n" : "state: \(target)\n" }
  let names = Mutex<[String]>([])
  var jobNames: [String] { names.withLock { $0 } }
}

@Suite struct ControlFileTests {
  private let controls = RecordingControls()

  private func mount() async throws -> TestMount {
    let store = MemoryStore()
    try await store.put("backup/b/meta/x", [1], condition: .none)
    return TestMount([("A", store)], controls: controls)
  }

  @Test func theyAnswerLookupsButAreNeverListed() async throws {
    let mount = try await mount()
    #expect(try await mount.attributes("A/create").kind == .file)
    #expect(try await mount.attributes("A/b/restore").size > 0)
    #expect(try await mount.attributes("A/b/verify").size > 0)
    #expect(try await mount.list("A") == ["b"])
    #expect(try await mount.list("A/b") == ["meta"])
    #expect(await errno { _ = try await mount.inode("A/b/meta/restore") } == .noSuchFileOrDirectory)
    #expect(await errno { _ = try await mount.inode("A/verify") } == .noSuchFileOrDirectory)
    #expect(await errno { _ = try await mount.inode("create") } == .noSuchFileOrDirectory)
    #expect(await errno { try await mount.unlink("A/b/restore") } == .notPermitted)
  }

  @Test func theirSizeIsThatOfTheirText() async throws {
    let mount = try await mount()
    let text = try await mount.read("A/b/restore")
    #expect(String(decoding: text, as: UTF8.self) == controls.text(of: .restore(store: "A", backup: "b")))
    #expect(try await mount.attributes("A/b/restore").size == Int64(text.count))
  }

  @Test func aLineIsARequestHoweverItIsCut() async throws {
    let mount = try await mount()
    let handle = try await mount.open("A/b/restore", [.write, .truncate])
    try await mount.flush(handle)
    try await mount.write(handle, Array("two ".utf8))
    #expect(controls.received.isEmpty)
    try await mount.write(handle, Array("words\nnext\nrest".utf8))
    #expect(controls.received.map { $0.split(separator: ": ").last } == ["two words", "next"])
    try await mount.flush(handle)
    #expect(controls.received.count == 3)
    #expect(controls.received.last?.hasSuffix(": rest") == true)
    await mount.release(handle)
  }

  @Test func aRefusedLineFailsInTheWrite() async throws {
    let mount = try await mount()
    let handle = try await mount.open("A/create", [.write])
    #expect(await errno { try await mount.write(handle, Array("bad\n".utf8)) } == .invalidArgument)
    await mount.release(handle)
  }

  @Test func aWriterThatIsKilledInTheMiddleOfALineRequestsNothing() async throws {
    let mount = try await mount()
    let handle = try await mount.open("A/create", [.write])
    try await mount.write(handle, Array("half".utf8))
    try await mount.flush(handle, killed: true)
    await mount.release(handle)
    #expect(controls.received.isEmpty)
  }
}
