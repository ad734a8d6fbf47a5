import CurlHTTP
import Glibc
import ObjectStore
import Synchronization
import Testing

@testable import S3Store

/// A transport whose answers come when the test lets them; cancelling the task that waits has no effect on them.
final class HeldTransport: HTTPTransport {
  private struct State {
    var requests: [HTTPRequest] = []
    var isOpen = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())
  private let answer: @Sendable (HTTPRequest) throws(HTTPError) -> HTTPResponse

  init(_ answer: @escaping @Sendable (HTTPRequest) throws(HTTPError) -> HTTPResponse) { self.answer = answer }

  var requests: [HTTPRequest] { state.withLock { $0.requests } }

  func release() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for one in waiting { one.resume() }
  }

  func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        state.requests.append(request)
        if !state.isOpen { state.waiting.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
    return try answer(request)
  }
}

/// Waits until something is so; a minute is far more than it takes.
func eventually(_ condition: () -> Bool) async throws -> Bool {
  for _ in 0..<6000 {
    if condition() { return true }
    try await Task.sleep(for: .milliseconds(10))
  }
  return false
}

@Suite(.timeLimit(.minutes(5))) struct CancelledUploadTests {
  static let begun = HTTPResponse(
    200, "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>")

  private func store(_ transport: any HTTPTransport) throws -> S3Store {
    try S3Store(
      S3Configuration(
        usesTLS: false, host: "store.example", port: 9000, bucket: "bkt",
        credentials: S3Credentials(accessKeyID: "key", secretAccessKey: "hush")), transport: transport)
  }

  @Test func uploadThatTheServiceMakesForACancelledCallerIsAborted() async throws {
    let transport = HeldTransport { $0.method == .post ? Self.begun : HTTPResponse(204) }
    let store = try store(transport)
    let task = Task { try await store.beginUpload("k") }
    #expect(try await eventually { transport.requests.count == 1 })
    task.cancel()
    // The answer has not come yet: the caller does not wait for it.
    #expect(await storeError { try await task.value }?.code == .cancelled)
    #expect(transport.requests.count == 1)
    transport.release()
    #expect(try await eventually { transport.requests.count == 2 })
    #expect(transport.requests[0].mustNotRepeat)
    #expect(transport.requests[1].method == .delete)
    #expect(transport.requests[1].url.hasSuffix("/bkt/k?uploadId=u1"))
  }

  @Test func abortOfAnUploadThatNobodyKnowsIsRepeatedWhenItFails() async throws {
    let aborts = Mutex(0)
    let transport = HeldTransport { request in
      if request.method == .post { return Self.begun }
      return aborts.withLock { count in
        count += 1
        return count < 3 ? .error(503, "SlowDown") : HTTPResponse(204)
      }
    }
    let store = try store(transport)
    let task = Task { try await store.beginUpload("k") }
    #expect(try await eventually { transport.requests.count == 1 })
    task.cancel()
    _ = await task.result
    transport.release()
    #expect(try await eventually { aborts.withLock { $0 == 3 } })
  }

  @Test func cancelledCallerBeginsNothing() async throws {
    let transport = HeldTransport { _ in Self.begun }
    let store = try store(transport)
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      return await storeError { try await store.beginUpload("k") }
    }
    task.cancel()
    #expect(await task.value?.code == .cancelled)
    #expect(transport.requests.isEmpty)
  }

  @Test func uploadWithAPartThatWasNotAnsweredIsAbortedAgain() async throws {
    let transport = ScriptedTransport([
      .computed { request in request.method == .post ? Self.begun : HTTPResponse(204) }
    ])
    let answered = try store(transport)
    try await answered.abortUpload(try await answered.beginUpload("k"))
    #expect(transport.requests.map(\.method) == [.post, .delete])

    let lossy = HeldTransport { request throws(HTTPError) in
      switch request.method {
      case .post: return Self.begun
      case .delete: return HTTPResponse(204)
      default:
        throw HTTPError(.cancelled, authority: "a", reason: "cancelled", requestMayHaveArrived: true)
      }
    }
    lossy.release()
    let store = try store(lossy)
    let upload = try await store.beginUpload("k")
    #expect(await storeError { try await store.uploadPart(upload, number: 1, [1]) }?.code == .cancelled)
    try await store.abortUpload(upload)
    #expect(try await eventually { lossy.requests.count { $0.method == .delete } >= 3 })
    #expect(lossy.requests.filter { $0.method == .delete }.allSatisfy { $0.url.hasSuffix("/bkt/k?uploadId=u1") })
  }

  @Test func memoryOfPartsEndsWithTheUpload() {
    let traffic = PartTraffic()
    traffic.begin("a")
    #expect(traffic.isOpen("a"))
    traffic.end("a", wasAnswered: true)
    #expect(!traffic.isOpen("a"))
    traffic.begin("a")
    traffic.begin("a")
    traffic.end("a", wasAnswered: false)
    traffic.end("a", wasAnswered: true)
    #expect(traffic.isOpen("a"))
    traffic.forget("a")
    #expect(!traffic.isOpen("a"))
  }

  /// Writers that are cancelled at any moment, against a real service; what is left is counted by another client.
  @Test(.enabled(if: Service.isNamed)) func cancelledWritersLeaveNoUploads() async throws {
    try await Service.use { service in
      let store = service.store
      let part = [UInt8](repeating: 7, count: 256 << 10)
      var ends: [StoreError.Code: Int] = [:]
      for round in 0..<250 {
        let key = service.key("round-\(round)")
        let writer = Task {
          let upload = try await store.beginUpload(key)
          let sending = (1...3).map { number in Task { try await store.uploadPart(upload, number: number, part) } }
          await withTaskCancellationHandler {
            for one in sending { _ = await one.result }
          } onCancel: {
            for one in sending { one.cancel() }
          }
          await store.abandon(upload)
          try Task.checkCancellation()
        }
        try await Task.sleep(for: .microseconds(Int.random(in: 0...20_000)))
        writer.cancel()
        let error = await storeError { try await writer.value }
        if let error { ends[error.code, default: 0] += 1 }
      }
      #expect(ends.keys.allSatisfy { $0 == .cancelled })
      // Some were cancelled before their upload had a name.
      #expect(ends[.cancelled, default: 0] > 0)
      await BackgroundWork.shared.settle(within: 60)
      #expect(try await store.listAllUploads(service.key("")) == [])
      #expect(try Boto.uploads(below: service.prefix) == [])
    }
  }
}

/// AWS's client for Python as a second opinion.
enum Boto {
  struct Failed: Error { var output: String }

  /// The unfinished uploads below a prefix, as `key id`.
  static func uploads(below prefix: String) throws -> [String] {
    try run(
      """
      for page in client.get_paginator('list_multipart_uploads').paginate(Bucket=bucket):
          for upload in page.get('Uploads', []):
              if upload['Key'].startswith(sys.argv[1]): print(upload['Key'], upload['UploadId'])
      """, prefix)
  }

  /// Runs a script that has `client` and `bucket`, and answers the lines that it prints.
  static func run(_ script: String, _ argument: String) throws -> [String] {
    let preamble = """
      import boto3, os, sys
      from botocore.config import Config
      client = boto3.client('s3', endpoint_url=os.environ['S3_TEST_ENDPOINT'], region_name='us-east-1',
          aws_access_key_id=os.environ['S3_TEST_ACCESS_KEY'], aws_secret_access_key=os.environ['S3_TEST_SECRET_KEY'],
          config=Config(s3={'addressing_style': 'path'}))
      bucket = os.environ['S3_TEST_BUCKET']

      """
    let python = Service.variable("MILVUS_BACKUPFS_PYTHON") ?? "python3"
    let command = [python, "-c", preamble + script, argument].map(quoted).joined(separator: " ")
    guard let pipe = popen("\(command) 2>&1", "r") else { throw Failed(output: "popen") }
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = fread(&buffer, 1, buffer.count, pipe)
      guard count > 0 else { break }
      output += buffer[..<count]
    }
    let text = String(decoding: output, as: UTF8.self)
    guard pclose(pipe) == 0 else { throw Failed(output: text) }
    return text.split(separator: "\n").map(String.init)
  }

  private static func quoted(_ word: String) -> String {
    "'" + word.replacing("'", with: "'\\''") + "'"
  }
}
