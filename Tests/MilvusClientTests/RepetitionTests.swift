// Repeating, giving up, cancelling and closing, against a server that behaves accordingly.

import GRPCCore
import SwiftProtobuf
import Synchronization
import Testing

@testable import MilvusClient

@Suite(.serialized) struct RepetitionTests {
  /// Fails the first `count` attempts with a gRPC status, then answers.
  private func failing<Answer: Message>(
    _ count: Int, _ code: RPCError.Code, _ message: String = "away", then make: Answer
  ) -> FakeMilvus.Handler {
    { _, attempt in
      if attempt <= count { throw RPCError(code: code, message: message) }
      return try make.serializedBytes()
    }
  }

  private func importTask(_ client: MilvusClient) async throws -> Int64 {
    try await client.importFiles(["a/", ""], into: "c", partition: "p", in: "")
  }

  @Test func `read is repeated until the server is back`() async throws {
    let has = ProtoBoolResponse.with { $0.value = true }
    try await withFakeClient(["HasPartition": failing(3, .unavailable, then: has)]) { client, fake in
      let exists = try await client.hasPartition("p", of: "c", in: "")
      #expect(exists)
      #expect(fake.recorded("HasPartition").count == 4)
    }
  }

  @Test func `server that starts is waited for`() async throws {
    let has = answer { attempt in
      ProtoBoolResponse.with {
        $0.value = true
        if attempt == 1 {
          $0.status.errorCode = 1
          $0.status.code = 1
          $0.status.reason = "service not ready"
        }
      }
    }
    try await withFakeClient(["HasPartition": has]) { client, fake in
      let exists = try await client.hasPartition("p", of: "c", in: "")
      #expect(exists)
      #expect(fake.recorded("HasPartition").count == 2)
    }
  }

  @Test func `outage that lasts is given up`() async throws {
    let away = failing(.max, .unavailable, then: ProtoBoolResponse())
    try await withFakeClient(["HasPartition": away]) { client, fake in
      let error = try await #require(throws: MilvusError.self) {
        try await client.hasPartition("p", of: "c", in: "")
      }
      #expect(error.code == .unreachable)
      #expect(error.reason == "away")
      #expect(fake.recorded("HasPartition").count == RetrySchedule.maxOutageAttempts)
    }
  }

  @Test(arguments: [49, 0] as [Int32]) func `flush that the quota refuses is repeated`(errorCode: Int32) async throws {
    let flush = answer { attempt in
      ProtoFlushResponse.with {
        guard attempt <= 5 else { return }
        $0.status.errorCode = errorCode
        $0.status.code = errorCode == 0 ? 8 : 0
        $0.status.reason = "request is rejected by grpc RateLimiter middleware: rate limit exceeded"
      }
    }
    try await withFakeClient(["Flush": flush]) { client, fake in
      _ = try await client.flush("c", in: "")
      #expect(fake.recorded("Flush").count == 6)
    }
  }

  @Test func `change that the quota refuses as a gRPC status is repeated`() async throws {
    let create = failing(2, .resourceExhausted, "rate limit exceeded", then: ProtoStatus())
    try await withFakeClient(["CreateDatabase": create]) { client, fake in
      try await client.createDatabase("d")
      #expect(fake.recorded("CreateDatabase").count == 3)
    }
  }

  @Test func `quota that stays full is given up`() async throws {
    let full = answer { _ in ProtoStatus.with { $0.code = 8 } }
    try await withFakeClient(["DropCollection": full]) { client, fake in
      let error = try await #require(throws: MilvusError.self) { try await client.dropCollection("c", in: "") }
      #expect(error.code == .rateLimited)
      #expect(fake.recorded("DropCollection").count == RetrySchedule.maxRateLimitAttempts)
    }
  }

  @Test func `import is not repeated when it is open whether it began`() async throws {
    let task = ProtoImportResponse.with { $0.tasks = [1] }
    try await withFakeClient(["Import": failing(1, .unavailable, then: task)]) { client, fake in
      let error = try await #require(throws: MilvusError.self) { try await importTask(client) }
      #expect(error.code == .unreachable)
      #expect(error.mayHaveHappened)
      #expect(fake.recorded("Import").count == 1)
    }
  }

  @Test func `import that the quota refused is repeated`() async throws {
    let task = answer { attempt in
      ProtoImportResponse.with {
        if attempt < 3 { $0.status.code = 8 } else { $0.tasks = [77] }
      }
    }
    try await withFakeClient(["Import": task]) { client, fake in
      let task = try await importTask(client)
      #expect(task == 77)
      #expect(fake.recorded("Import").count == 3)
    }
  }

  @Test func `import that could not be sent surely did not begin`() async throws {
    let client = try await withFakeMilvus { endpoint, _ in
      try await MilvusClient.connect(to: endpoint, options: testOptions)
    }
    let error = try await #require(throws: MilvusError.self) { try await importTask(client) }
    #expect(error.code == .unreachable)
    #expect(!error.mayHaveHappened)
    await client.close()
  }

  @Test(.timeLimit(.minutes(5))) func `client outlives its server`() async throws {
    let has = ["HasPartition": answer { _ in ProtoBoolResponse.with { $0.value = true } }]
    let client = try await withFakeMilvus(has) { endpoint, _ in
      let client = try await MilvusClient.connect(to: endpoint, options: testOptions)
      _ = try await client.hasPartition("p", of: "c", in: "")
      return client
    }
    let error = try await #require(throws: MilvusError.self) {
      try await client.hasPartition("p", of: "c", in: "")
    }
    #expect(error.code == .unreachable)
    try await withFakeMilvus(has, port: client.endpoint.port) { _, fake in
      // How soon the channel tries to connect again is its own affair; calls until then fail as before.
      var exists = false
      while !exists { exists = (try? await client.hasPartition("p", of: "c", in: "")) ?? false }
      #expect(fake.recorded("HasPartition").count == 1)
      #expect(fake.recorded("Connect").isEmpty, "the start-up is not repeated")
    }
    await client.close()
  }

  @Test(arguments: [1, 5, 65535] as [Int32]) func `other refusals are not repeated`(code: Int32) async throws {
    let refused = answer { _ in
      ProtoStatus.with {
        $0.errorCode = 5
        $0.code = code == 1 ? 1100 : code
        $0.reason = "no"
      }
    }
    try await withFakeClient(["CreateAlias": refused]) { client, fake in
      await #expect(throws: MilvusError.self) { try await client.createAlias("a", for: "c", in: "") }
      #expect(fake.recorded("CreateAlias").count == 1)
    }
  }

  @Test(.timeLimit(.minutes(5)), arguments: ["HasPartition", "CreatePartition", "Import"])
  func `call that is never answered ends with its deadline`(method: String) async throws {
    var options = testOptions
    options.readTimeout = .seconds(5)
    options.changeTimeout = .seconds(5)
    options.longTimeout = .seconds(5)
    try await withFakeClient([method: neverAnswers], options: options) { client, fake in
      let error = try await #require(throws: MilvusError.self) {
        switch method {
        case "HasPartition": _ = try await client.hasPartition("p", of: "c", in: "")
        case "CreatePartition": try await client.createPartition("p", of: "c", in: "")
        default: _ = try await importTask(client)
        }
      }
      #expect(error.code == .timedOut)
      #expect(error.mayHaveHappened)
      #expect(fake.recorded(method).count == 1)
    }
  }

  @Test(.timeLimit(.minutes(5))) func `cancelled task ends its call`() async throws {
    try await withFakeClient(["Flush": neverAnswers]) { client, fake in
      let call = Task { try await client.flush("c", in: "") }
      while fake.recorded("Flush").isEmpty { await Task.yield() }
      call.cancel()
      let error = try await #require(throws: MilvusError.self) { try await call.value }
      #expect(error.code == .cancelled)
      #expect(error.call == "Flush")
    }
  }

  /// Giving such a call up in mid-flight brings Milvus 2.3.5 down.
  @Test(.timeLimit(.minutes(5)), arguments: ["GetImportState", "ListImportTasks", "Import"])
  func `call about imports is waited for by a cancelled task`(method: String) async throws {
    let (gate, open) = AsyncStream<Void>.makeStream()
    let wasGivenUp = Mutex(false)
    let slow: FakeMilvus.Handler = { _, _ in
      await withRPCCancellationHandler {
        for await _ in gate { break }
      } onCancelRPC: {
        wasGivenUp.withLock { $0 = true }
        open.finish()
      }
      return switch method {
      case "GetImportState": try ProtoGetImportStateResponse.with { $0.rowCount = 7 }.serializedBytes()
      case "ListImportTasks": try ProtoListImportTasksResponse().serializedBytes()
      default: try ProtoImportResponse.with { $0.tasks = [7] }.serializedBytes()
      }
    }
    try await withFakeClient([method: slow]) { client, fake in
      let call = Task { () async throws -> Int64 in
        switch method {
        case "GetImportState": try await client.importState(of: 1).rowCount
        case "ListImportTasks": Int64(7 + (try await client.importTasks(of: "c", in: "").count))
        default: try await importTask(client)
        }
      }
      while fake.recorded(method).isEmpty { await Task.yield() }
      call.cancel()
      try await Task.sleep(for: .milliseconds(200))
      // Who ends the process sees that it is under way.
      #expect(!CallsToFinish.ofProcess.isIdle)
      open.yield()
      let result = try await call.value
      #expect(result == 7)
      #expect(!wasGivenUp.withLock { $0 })
      // One that was not sent yet is not sent any more.
      let later = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await client.importState(of: 1)
      }
      let error = try await #require(throws: MilvusError.self) { _ = try await later.value }
      #expect(error.code == .cancelled)
    }
  }

  @Test(.timeLimit(.minutes(5))) func `cancelled task does not wait for the next attempt`() async throws {
    var options = testOptions
    options.rateLimitDelay = .seconds(100)
    options.rateLimitBudget = .seconds(1000)
    let full = answer { _ in ProtoFlushResponse.with { $0.status.code = 8 } }
    try await withFakeClient(["Flush": full], options: options) { client, fake in
      let call = Task { try await client.flush("c", in: "") }
      while fake.recorded("Flush").isEmpty { await Task.yield() }
      call.cancel()
      let error = try await #require(throws: MilvusError.self) { try await call.value }
      #expect(error.code == .cancelled)
    }
  }

  @Test(.timeLimit(.minutes(5))) func `closing ends calls under way, and later ones`() async throws {
    try await withFakeMilvus(["Flush": neverAnswers]) { endpoint, fake in
      let client = try await MilvusClient.connect(to: endpoint, options: testOptions)
      let call = Task { try await client.flush("c", in: "") }
      while fake.recorded("Flush").isEmpty { await Task.yield() }
      await client.close()
      let underWay = try await #require(throws: MilvusError.self) { try await call.value }
      #expect(underWay.code == .cancelled)
      let later = try await #require(throws: MilvusError.self) { try await client.databases() }
      #expect(later.code == .cancelled)
      await client.close()
    }
  }

  @Test(.timeLimit(.minutes(5))) func `client that is dropped without closing ends its connection`() async throws {
    try await withFakeMilvus { endpoint, fake in
      let server = try await MilvusClient.connect(to: endpoint, options: testOptions).server
      #expect(server.version == ServerVersion(2, 3, 5))
    }
  }

  @Test func `calls run side by side on one client`() async throws {
    let has = answer { _ in ProtoBoolResponse.with { $0.value = true } }
    try await withFakeClient(["HasPartition": has]) { client, fake in
      let count = try await withThrowingTaskGroup(of: Bool.self) { group in
        for index in 0..<200 { group.addTask { try await client.hasPartition("p\(index)", of: "c", in: "") } }
        return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      #expect(count == 200)
      #expect(Set(fake.recorded("HasPartition").map(\.message)).count == 200)
    }
  }
}
