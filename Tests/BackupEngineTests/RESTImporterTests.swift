// Import by REST: what is sent, and what is made of the answers.

import BackupFormat
import Foundation
import ObjectStore
import Synchronization
import Testing

@testable import BackupEngine
@testable import MilvusClient

private final class ScriptedHTTP: RESTTransport {
  let answers: Mutex<[String]>
  let requests = Mutex<[(path: String, body: String)]>([])

  init(_ answers: [String]) { self.answers = Mutex(answers) }

  func send(_ request: RESTRequest) async throws(MilvusError) -> RESTAnswer {
    let path = String(request.url.dropFirst("http://milvus:19530".count))
    requests.withLock { $0.append((path, String(decoding: request.body ?? [], as: UTF8.self))) }
    #expect(request.mustNotRepeat == path.hasSuffix("/create") && request.bearer == "root:secret")
    let answer = answers.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    guard let answer else { throw MilvusError(code: .unreachable, call: path, reason: "no more answers") }
    guard let status = Int(answer) else { return RESTAnswer(status: 200, body: Array(answer.utf8)) }
    return RESTAnswer(status: status, body: Array("<html>".utf8))
  }
}

@Suite struct RESTImporterTests {
  private func importer(_ answers: String...) throws -> (RESTImporter, ScriptedHTTP) {
    let http = ScriptedHTTP(answers)
    let rest = MilvusREST(
      transport: http, server: "http://milvus:19530/", bearer: "root:secret", management: "", pausesGarbage: false)
    return (try #require(RESTImporter(rest)), http)
  }

  @Test func startsAJobAsMilvusWantsIt() async throws {
    let (rest, http) = try importer(#"{"code":0,"data":{"jobId":"448707763884413158"}}"#)
    let job = try await rest.start(
      [["b/i/1/", "b/d/1/"], ["b/i/2/"]], into: "coll", partition: "p1", in: "db",
      options: ImportOptions(storageVersion: 2))
    #expect(job == 448_707_763_884_413_158)
    let request = try #require(http.requests.withLock { $0.first })
    #expect(request.path == "/v2/vectordb/jobs/import/create")
    let body = try #require(try JSONSerialization.jsonObject(with: Data(request.body.utf8)) as? [String: Any])
    #expect(body["dbName"] as? String == "db" && body["collectionName"] as? String == "coll")
    #expect(body["partitionName"] as? String == "p1")
    #expect(body["files"] as? [[String]] == [["b/i/1/", "b/d/1/"], ["b/i/2/"]])
    #expect(
      body["options"] as? [String: String] == [
        "backup": "true", "skip_disk_quota_check": "true", "storage_version": "2",
      ])
  }

  @Test func leavesThePartitionOutForDeletesOfAll() async throws {
    let (rest, http) = try importer(#"{"code":0,"data":{"jobId":"1"}}"#)
    _ = try await rest.start(
      [["b/d/1/"]], into: "coll", partition: "", in: "default", options: ImportOptions(backup: false, l0Import: true))
    let body = http.requests.withLock { $0[0].body }
    #expect(!body.contains("partitionName") && body.contains(#""l0_import":"true""#) && !body.contains("backup"))
  }

  @Test(arguments: [
    ("Pending", ImportState.pending), ("Importing", .started), ("Completed", .completed), ("Failed", .failed),
    ("Uncommitted", .persisted), ("Committing", .persisted),
  ])
  func understandsStates(word: String, state: ImportState) async throws {
    let (rest, http) = try importer(
      #"{"code":0,"data":{"jobId":"7","state":"\#(word)","progress":30,"reason":"r","importedRows":12,"more":[]}}"#)
    let progress = try await rest.state(of: 7, in: "db")
    #expect(
      progress.state == state && progress.percent == 30 && progress.rowCount == 12 && progress.failedReason == "r")
    #expect(http.requests.withLock { $0[0].path } == "/v2/vectordb/jobs/import/describe")
    #expect(http.requests.withLock { $0[0].body }.contains(#""jobId":"7""#))
  }

  @Test(arguments: [
    #"{"code":2100,"message":"import failed: job does not exist"}"#, #"{"code":0,"data":{"state":"Odd"}}"#, "<html>",
    #"{"code":0}"#,
  ])
  func anAnswerThatIsNoSuccessIsAnError(answer: String) async throws {
    let (rest, _) = try importer(answer, answer)
    await #expect(throws: MilvusError.self) { try await rest.state(of: 7, in: "db") }
    await #expect(throws: MilvusError.self) {
      try await rest.start([["x/"]], into: "c", partition: "p", in: "d", options: ImportOptions())
    }
  }

  @Test(arguments: [
    ("401", MilvusError.Code.authentication, "milvus.password"), ("404", .unsupported, "--use_v2_restore"),
    ("503", .unreachable, "running"), ("500", .server, ""),
  ])
  func eachStatusHasItsMeaning(status: String, code: MilvusError.Code, remedy: String) async throws {
    let (rest, _) = try importer(status)
    let error = await #expect(throws: MilvusError.self) { try await rest.state(of: 7, in: "db") }
    #expect(error?.code == code && error?.reason.contains(status) == true)
    #expect(remedy.isEmpty ? error?.remedy == nil : error?.remedy?.contains(remedy) == true)
  }

  /// A job importer that lets the fake import each segment by itself.
  private struct Jobs: JobImporter {
    let milvus: FakeMilvus
    let groups: Recorder

    final class Recorder: Sendable { let seen = Mutex<[[[String]]]>([]) }

    func start(
      _ groups: [[String]], into collection: String, partition: String, in database: String, options: ImportOptions
    ) async throws(MilvusError) -> Int64 {
      self.groups.seen.withLock { $0.append(groups) }
      var task: Int64 = 0
      for group in groups {
        guard !group.isEmpty, !group.contains("") else {
          throw MilvusError(code: .invalidArgument, reason: "an empty path")
        }
        let files = options.l0Import || group.count == 2 ? group : group + [""]
        task = try await milvus.importFiles(
          files, into: collection, partition: partition, in: database, options: options)
      }
      let rows = milvus.state.withLock { state in
        state.imports.values.reduce(Int64(0)) { sum, task in
          if case .rows(let rows) = task.outcome, task.partition == partition { sum + rows } else { sum }
        }
      }
      milvus.state.withLock { [task] in $0.imports[task]?.outcome = .rows(rows) }
      return task
    }

    func state(of job: Int64, in database: String) async throws(MilvusError) -> ImportProgress {
      try await milvus.importState(of: job)
    }
  }

  @Test func aRestoreGivesManySegmentsToOneJob() async throws {
    var bed = try await Bed.withBackup(shared: true, version: "v2.4.5")
    let recorder = Jobs.Recorder()
    bed.context.jobImporter = Jobs(milvus: bed.milvus, groups: recorder)
    let report = try await bed.restore(RestoreRequest(backup: "bk", newName: "coll_bak", usesREST: true))
    #expect(report.collections.map(\.rowsRestored) == [297] && bed.rows() == 297)
    let jobs = recorder.seen.withLock { $0 }
    #expect(jobs.map(\.count).sorted() == [1, 2], "a job for each partition, a list for each segment")
    #expect(jobs.joined().map(\.count).sorted() == [1, 1, 2], "directories that are not there are left out")
  }

  @Test func serversThatCannotAreNotAsked() async throws {
    var bed = try await Bed.withBackup(shared: true)
    let request = RestoreRequest(backup: "bk", newName: "coll_bak", usesREST: true)
    bed.context.jobImporter = Jobs(milvus: bed.milvus, groups: .init())
    let old = try await #require(throws: EngineError.self) { try await bed.restore(request) }
    #expect(old.code == .unsupported && old.message.contains("2.4 or later"))
    var newer = try await Bed.withBackup(shared: true, version: "v2.5.4")
    newer.context.jobImporter = nil
    let error = try await #require(throws: EngineError.self) { try await newer.restore(request) }
    #expect(error.code == .unsupported && error.message.contains("cannot be asked by HTTP"))
  }
}
