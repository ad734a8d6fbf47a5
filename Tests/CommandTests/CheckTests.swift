import MilvusClient
import ObjectStore
import Testing

@testable import milvus_backupfs

/// The trials of `check` on stores in memory, without Milvus.
@Suite(.timeLimit(.minutes(1))) struct CheckTests {
  /// A port where nothing listens.
  private static let away = MilvusEndpoint(host: "127.0.0.1", port: 1)

  private func run(
    backups: some ObjectStore, objects: some ObjectStore, crossStorage: Bool = false
  ) async -> [CheckItem] {
    await CheckRun(
      CheckTarget(
        backups: backups, backupRoot: "backup", milvusObjects: objects, milvusRoot: "", crossStorage: crossStorage,
        milvus: Self.away)
    ).run()
  }

  private func results(_ items: [CheckItem], _ side: CheckItem.Side) -> [CheckItem.Result] {
    items.filter { $0.side == side }.map(\.result)
  }

  @Test func allIsTriedAndRemovedAgain() async throws {
    let service = MemoryService(name: "one")
    let (backups, objects) = (MemoryStore(service: service, bucket: "b"), MemoryStore(service: service, bucket: "m"))
    let items = await run(backups: backups, objects: objects)
    #expect(results(items, .backups) == Array(repeating: .ok, count: 7))
    #expect(results(items, .milvusObjects) == Array(repeating: .ok, count: 7))
    #expect(results(items, .both) == [.ok, .ok])
    #expect(results(items, .milvus) == [.failed, .skipped])
    #expect(items.first { $0.side == .milvus }?.detail.contains("milvus.port") == true)
    for store in [backups, objects] {
      #expect(try await store.listAll("").isEmpty)
      #expect(try await store.listAllUploads("").isEmpty)
    }
  }

  @Test func copiesAreSkippedWithTheReason() async {
    let apart = await run(backups: MemoryStore(name: "a"), objects: MemoryStore(name: "b"))
    #expect(
      apart.filter { $0.side == .both }.allSatisfy { $0.result == .skipped && $0.detail.contains("two services") })
    let service = MemoryService(name: "one")
    let forbidden = await run(
      backups: MemoryStore(service: service, bucket: "b"), objects: MemoryStore(service: service, bucket: "m"),
      crossStorage: true)
    #expect(forbidden.filter { $0.side == .both }.allSatisfy { $0.detail.contains("crossStorage") })
  }

  private func failing(
    _ base: MemoryStore, _ operations: [StoreOperation], _ code: StoreError.Code = .accessDenied
  ) -> FaultInjectingStore<MemoryStore> {
    FaultInjectingStore(base) { operation, key in
      if operations.contains(operation) {
        throw StoreError(code, operation: "\(operation)", key: key, location: base.location, reason: "no")
      }
    }
  }

  @Test func oneFaultIsOneFailure() async {
    let store = failing(MemoryStore(), [.list], .bucketNotFound)
    let items = await run(backups: store, objects: MemoryStore())
    #expect(results(items, .backups) == [.failed] + Array(repeating: .skipped, count: 6))
    #expect(items.filter { $0.side == .backups }.dropFirst().allSatisfy { $0.detail == "list failed" })
    let readOnly = await run(backups: failing(MemoryStore(), [.put]), objects: MemoryStore())
    #expect(
      results(readOnly, .backups) == [.ok, .failed] + Array(repeating: .skipped, count: 5))
  }

  @Test func nothingIsLeftWhateverFails() async throws {
    for operation in [StoreOperation.list, .get, .copy, .uploadPart, .listUploads] {
      let memory = MemoryStore()
      let items = await run(backups: failing(memory, [operation]), objects: MemoryStore())
      #expect(try await memory.listAll("").isEmpty, "\(operation)")
      #expect(try await memory.listAllUploads("").isEmpty, "\(operation)")
      #expect(results(items, .backups).last == .ok)
    }
  }

  @Test func reportIsATableAndJSON() throws {
    var report = CheckReport(store: "s")
    report.items = [
      CheckItem(side: .backups, what: "list", result: .ok),
      CheckItem(side: .milvus, what: "connect", result: .failed, detail: "away. Check milvus.port."),
    ]
    #expect(!report.isGood)
    #expect(
      report.table() == """
        WHERE    WHAT     RESULT  DETAIL
        backups  list     ok
        milvus   connect  failed  away. Check milvus.port.

        """)
    #expect(try report.json().contains("\"ok\" : false"))
    report.items.removeLast()
    #expect(report.isGood)
    report.sweep = [SweepItem(what: "upload", result: .failed, detail: "no")]
    #expect(!report.isGood)
  }

  @Test(arguments: [("90s", 90), ("30m", 1800), ("1h", 3600), ("2d", 172_800), ("0s", 0)])
  func agesHaveUnits(text: String, seconds: Int64) {
    #expect(Age(argument: text)?.seconds == seconds)
  }

  @Test(arguments: ["", "1", "h", "-1h", "1w", "1.5h", "99999999999999999999d", "200000000d"])
  func otherAgesAreRefused(text: String) {
    #expect(Age(argument: text) == nil)
  }
}
