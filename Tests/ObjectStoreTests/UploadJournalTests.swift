import Glibc
import ObjectStore
import Synchronization
import Testing

@testable import ObjectStore

/// A folder of its own for each test.
private struct Folder: ~Copyable {
  let path: String

  init() {
    var template = Array("/tmp/journal-test-XXXXXX".utf8CString)
    _ = mkdtemp(&template)
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  func names() -> [String] { ((try? FileBytes.names(in: path)) ?? []).filter { !$0.hasPrefix(".") } }

  deinit {
    for name in names() { unlink("\(path)/\(name)") }
    rmdir(path)
  }
}

@Suite struct UploadJournalTests {
  static let place = StoreLocation(provider: "memory", endpoint: "memory", bucket: "memory")
  static let ended: ProcessMark = {
    var mark = ProcessMark.current
    mark.id = 1 << 30
    return mark
  }()

  private func journal(_ path: String) -> UploadJournal { UploadJournal(directory: path) { _ in } }

  private func write(
    _ path: String, _ name: String, key: String = "k", id: String? = nil, state: UploadRecord.State = .begun,
    process: ProcessMark = ended, time: Int64 = 1000, place: StoreLocation = place
  ) throws {
    let record = UploadRecord(
      provider: place.provider, endpoint: place.endpoint, bucket: place.bucket, key: key, uploadID: id, state: state,
      process: process, time: time)
    try FileBytes.replace("\(path)/\(name).json", with: try journal(path).encode(record))
  }

  @Test func uploadIsWrittenDownFromItsIntentToItsEnd() throws {
    let folder = Folder()
    let journal = journal(folder.path)
    let key = ObjectKey("ä b/\u{1}\"")
    let entry = try #require(journal.intend(Self.place, key))
    var record = try #require(try journal.records().first?.record)
    #expect(ObjectKey(record.key) == key && record.uploadID == nil && record.state == .intended)
    #expect(record.location == Self.place)
    #expect(record.process == .current && record.process.fate == .alive)
    #expect(abs(record.time - Int64(time(nil))) < 60)
    let upload = MultipartUpload(key: key, id: "id")
    journal.begun(entry, upload)
    record = try #require(try journal.records().first?.record)
    #expect(record.upload == upload && record.state == .begun)
    journal.lost(upload, in: Self.place)
    #expect(try journal.records().first?.record?.state == .lost)
    journal.over(upload, in: Self.place)
    #expect(folder.names().isEmpty)
  }

  @Test func anUploadForStreamsIsOverLikeOthers() throws {
    let folder = Folder()
    let journal = journal(folder.path)
    var upload = MultipartUpload(key: "k", id: "id")
    journal.begun(journal.intend(Self.place, "k"), upload)
    upload.isStreaming = true
    journal.over(upload, in: Self.place)
    #expect(folder.names().isEmpty)
  }

  @Test func filesAreForTheirOwnerAlone() throws {
    let folder = Folder()
    let journal = UploadJournal(directory: folder.path + "/a") { _ in }
    let entry = journal.intend(Self.place, "k")
    var status = stat()
    #expect(stat(folder.path + "/a", &status) == 0 && status.st_mode & 0o777 == 0o700)
    let path = try #require(try journal.records().first?.path)
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    journal.over(entry)
    rmdir(folder.path + "/a")
  }

  @Test func journalThatCannotBeWrittenIsToldOnceAndStopsNothing() throws {
    let warnings = Mutex<[String]>([])
    let journal = UploadJournal(directory: "/proc/no/such/place") { text in warnings.withLock { $0.append(text) } }
    for number in 1...3 {
      let entry = journal.intend(Self.place, "k")
      #expect(entry == nil)
      journal.begun(entry, MultipartUpload(key: "k", id: "\(number)"))
      journal.over(MultipartUpload(key: "k", id: "\(number)"), in: Self.place)
    }
    #expect(warnings.withLock { $0.count } == 1)
    #expect(try journal.records().isEmpty)
  }

  @Test(arguments: [
    (["XDG_STATE_HOME": "/s", "HOME": "/h"], "/s/milvus-backupfs/uploads"),
    (["XDG_STATE_HOME": "s", "HOME": "/h"], "/h/.local/state/milvus-backupfs/uploads"),
    ([:], "/tmp/.local/state/milvus-backupfs/uploads"),
  ])
  func directoryIsThatOfTheSpecification(environment: [String: String], expected: String) {
    #expect(UploadJournal.directory(environment: environment) == expected)
  }

  @Test func processesAreToldApart() {
    #expect(ProcessMark.current.fate == .alive)
    #expect(Self.ended.fate == .ended)
    var mark = ProcessMark.current
    mark.start += 1
    #expect(mark.fate == .ended)
    mark = .current
    mark.boot = "another"
    #expect(mark.fate == .ended)
    mark.place = "another"
    #expect(mark.fate == .elsewhere)
  }

  private func sweep(
    _ store: MemoryStore, _ path: String, olderThan age: Int64 = 3600, now: Int64 = 10_000
  ) async throws -> [UploadSweep.Finding] {
    try await UploadSweep(store, journal: journal(path), olderThan: age, now: now).run()
  }

  @Test func uploadOfAnEndedProcessIsAborted() async throws {
    let folder = Folder()
    let store = MemoryStore()
    let upload = try await store.beginUpload("k")
    let other = try await store.beginUpload("k")
    try write(folder.path, "a", id: upload.id)
    let findings = try await sweep(store, folder.path)
    #expect(findings.map(\.outcome) == [.removed])
    #expect(findings.first?.uploadID == upload.id)
    #expect(try await store.listAllUploads("").map(\.upload) == [other])
    #expect(folder.names().isEmpty)
  }

  @Test func whatIsYoungLivesOrBelongsElsewhereIsLeft() async throws {
    let folder = Folder()
    let store = MemoryStore()
    let upload = try await store.beginUpload("k")
    var foreign = Self.ended
    foreign.place = "another machine"
    let cases: [(ProcessMark, Int64, StoreLocation, words: String?)] = [
      (.current, 0, Self.place, "process \(getpid()) is at work"),
      (Self.ended, 9000, Self.place, "less than 60 min ago"),
      (foreign, 0, Self.place, "another machine"),
      (Self.ended, 0, StoreLocation(provider: "memory", endpoint: "memory", bucket: "other"), nil),
    ]
    for (process, time, place, words) in cases {
      try write(folder.path, "a", id: upload.id, process: process, time: time, place: place)
      let findings = try await sweep(store, folder.path)
      #expect(findings.map(\.outcome) == (words == nil ? [] : [.left]))
      if let words { #expect(findings.first?.text.contains(words) == true, "\(findings)") }
      #expect(try await store.listAllUploads("").count == 1)
      #expect(folder.names().count == 1)
    }
    // In the end a foreign one goes too.
    try write(folder.path, "a", id: upload.id, process: foreign, time: 0)
    #expect(try await sweep(store, folder.path, now: UploadSweep.foreignAge).map(\.outcome) == [.removed])
  }

  @Test func lostUploadOfALivingProcessIsAborted() async throws {
    let folder = Folder()
    let store = MemoryStore()
    let upload = try await store.beginUpload("k")
    try write(folder.path, "a", id: upload.id, state: .lost, process: .current)
    #expect(try await sweep(store, folder.path).map(\.outcome) == [.removed])
    #expect(try await store.listAllUploads("").isEmpty)
  }

  /// MemoryStore's clock counts calls, so an upload's time there is small.
  @Test func namelessUploadIsFoundByItsKeyAndTime() async throws {
    let folder = Folder()
    let store = MemoryStore()
    let mine = try await store.beginUpload("k")
    let known = try await store.beginUpload("k")
    let longer = try await store.beginUpload("kk")
    try write(folder.path, "a", state: .intended, time: 0)
    // Another process works on one of the same key, which the journal knows by name.
    try write(folder.path, "b", id: known.id, process: .current, time: 0)
    let findings = try await sweep(store, folder.path)
    #expect(findings.map(\.outcome) == [.removed, .left])
    #expect(Set(try await store.listAllUploads("").map(\.upload)) == [known, longer])
    _ = mine
    // One that was begun long after the intent is somebody else's.
    try write(folder.path, "c", key: "kk", state: .intended, time: -100_000)
    let late = try await sweep(store, folder.path)
    #expect(late.first { $0.key == "kk" }?.text.contains("nothing left") == true)
    #expect(try await store.listAllUploads("kk").count == 1)
  }

  @Test func namelessUploadIsLeftWhileAnotherOneOfItsKeyIsBegun() async throws {
    let folder = Folder()
    let store = MemoryStore()
    _ = try await store.beginUpload("k")
    try write(folder.path, "a", state: .intended, time: 0)
    try write(folder.path, "b", state: .intended, process: .current, time: 0)
    #expect(try await sweep(store, folder.path).map(\.outcome) == [.left, .left])
    #expect(try await store.listAllUploads("").count == 1)
  }

  @Test func uploadThatCannotBeAbortedStaysWrittenDown() async throws {
    let folder = Folder()
    let memory = MemoryStore()
    let upload = try await memory.beginUpload("k")
    try write(folder.path, "a", id: upload.id)
    let store = FaultInjectingStore(memory) { operation, _ in
      if operation == .abortUpload {
        throw StoreError(.unreachable, operation: "AbortMultipartUpload", location: memory.location, reason: "away")
      }
    }
    let findings = try await UploadSweep(store, journal: journal(folder.path), olderThan: 0, now: 10_000).run()
    #expect(findings.map(\.outcome) == [.failed])
    #expect(findings.first?.text.contains("away") == true)
    #expect(folder.names().count == 1)
  }

  @Test func fileThatIsNoRecordIsLeftAlone() async throws {
    let folder = Folder()
    try FileBytes.replace(folder.path + "/x.json", with: Array("nonsense".utf8))
    try FileBytes.replace(folder.path + "/notes.txt", with: [])
    #expect(try await sweep(MemoryStore(), folder.path).isEmpty)
    #expect(folder.names().count == 2)
  }
}

@Suite(.timeLimit(.minutes(1))) struct BackgroundWorkTests {
  @Test func resultGoesToTheCaller() async throws {
    let work = BackgroundWork()
    let value = try await work.carryOut {
      7
    } orphan: { _ in
      Issue.record("it has an owner")
    }
    #expect(value == 7)
    await #expect(throws: CancellationError.self) {
      _ = try await work.carryOut { () async throws -> Int in
        throw CancellationError()
      } orphan: { _ in
      }
    }
    #expect(await work.settle(within: 10) == 0)
  }

  @Test func resultOfACancelledCallerGoesToTheOrphanage() async throws {
    let work = BackgroundWork()
    let (gate, open) = AsyncStream<Void>.makeStream()
    let (orphans, adopt) = AsyncStream<Int>.makeStream()
    let caller = Task {
      try await work.carryOut {
        for await _ in gate { break }
        return 7
      } orphan: { value in
        adopt.yield(value)
      }
    }
    while work.count == 0 { await Task.yield() }
    caller.cancel()
    await #expect(throws: CancellationError.self) { try await caller.value }
    #expect(work.count == 1)
    open.yield()
    for await value in orphans {
      #expect(value == 7)
      break
    }
    #expect(await work.settle(within: 10) == 0)
  }
}
