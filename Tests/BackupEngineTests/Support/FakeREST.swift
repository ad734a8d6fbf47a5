// Milvus' HTTP interfaces: the log ids of segments as its data coordinator knows them, and the pause of garbage collection.

import FoundationEssentials
import ObjectStore
import Synchronization

@testable import BackupEngine
@testable import BackupFormat
@testable import MilvusClient

final class FakeREST: RESTTransport {
  struct State {
    var requests: [String] = []
    /// What every management call answers.
    var managementStatus = 200
    var ticket: String?
    /// What segments/describe answers instead of the truth.
    var describe: (@Sendable () throws -> RESTAnswer)?
    /// Logs that lie in the bucket and belong to no segment.
    var orphans: Set<Int64> = []
    var isPaused = false
    /// The wrapped key of the database `default`.
    var encryptionKey: String?
  }

  let milvus: FakeMilvus
  let state = Mutex(State())

  init(_ milvus: FakeMilvus) { self.milvus = milvus }

  /// The context's way to it.
  var rest: MilvusREST {
    MilvusREST(
      transport: self, server: "http://milvus:19530/", bearer: "root:secret", management: "http://milvus:9091/",
      pausesGarbage: true)
  }

  func send(_ request: RESTRequest) async throws(MilvusError) -> RESTAnswer {
    do {
      return try await answer(request.url, bearer: request.bearer, body: request.body)
    } catch is CancellationError {
      throw MilvusError(code: .cancelled, call: "HTTP", reason: "cancelled")
    } catch {
      throw MilvusError(code: .unreachable, call: "HTTP", reason: "\(error)")
    }
  }

  private func answer(_ url: String, bearer: String?, body: [UInt8]?) async throws -> RESTAnswer {
    try Task.checkCancellation()
    let path = String(url.dropFirst("http://milvus:".count))
    state.withLock { $0.requests.append(path) }
    if path.hasPrefix("9091/management/datacoord/garbage_collection/") {
      guard bearer == nil, body == nil else { return RESTAnswer(status: 400, body: []) }
      return manage(String(path.dropFirst("9091/management/datacoord/garbage_collection/".count)))
    }
    if path == "9091/management/rootcoord/ez/backup?db_name=default" {
      guard let key = state.withLock({ $0.encryptionKey }) else { return RESTAnswer(status: 404, body: []) }
      return RESTAnswer(status: 200, body: Array("{\"msg\":\"OK\",\"ezk\":\"\(key)\"}".utf8))
    }
    guard path == "19530/v2/vectordb/segments/describe", bearer == "root:secret", let body else {
      return RESTAnswer(status: 404, body: [])
    }
    if let describe = state.withLock({ $0.describe }) { return try describe() }
    return try await describe(body)
  }

  private func manage(_ call: String) -> RESTAnswer {
    state.withLock { state in
      guard state.managementStatus == 200 else { return RESTAnswer(status: state.managementStatus, body: []) }
      let spelled = state.ticket?.replacing(" ", with: "%20").replacing("/", with: "%2F")
      let expected = "resume" + (spelled.map { "?ticket=\($0)" } ?? "")
      switch call {
      case "pause?pause_seconds=3600&collection_id=0": state.isPaused = true
      case expected where state.isPaused: state.isPaused = false
      default: return RESTAnswer(status: 400, body: [])
      }
      let ticket = state.ticket.map { ",\"ticket\":\"\($0)\"" } ?? ""
      return RESTAnswer(status: 200, body: Array("{\"msg\":\"OK\"\(ticket)}".utf8))
    }
  }

  private struct Question: Decodable {
    var dbName: String
    var collectionId: Int64
    var segmentIds: [Int64]
  }

  private func describe(_ body: [UInt8]) async throws -> RESTAnswer {
    let question = try JSONDecoder().decode(Question.self, from: Data(body))
    var segments: [String] = []
    for id in question.segmentIds {
      var logs: [String: [Int64: [Int64]]] = ["insert_log": [:], "delta_log": [:]]
      for kind in logs.keys {
        for object in try await milvus.store.listAll(ObjectKey("files/\(kind)/\(question.collectionId)/")) {
          let log = try LogKey(milvusKey: object.key.string, rootPath: "files")
          guard log.segmentID == id, !state.withLock({ $0.orphans.contains(log.logID) }) else { continue }
          logs[kind]?[log.fieldID, default: []].append(log.logID)
        }
      }
      func text(_ kind: String) -> String {
        (logs[kind] ?? [:]).map {
          "{\"fieldID\":\($0.key),\"logIDs\":[\($0.value.map(String.init).joined(separator: ","))]}"
        }
        .joined(separator: ",")
      }
      segments.append(
        """
        {"segmentID":\(id),"vChannel":"dml_0_\(question.collectionId)v0","insertLogs":[\(text("insert_log"))],\
        "deltaLogs":[\(text("delta_log"))],"statsLogs":[]}
        """)
    }
    let answer = "{\"code\":0,\"data\":{\"segmentInfos\":[\(segments.joined(separator: ","))]}}"
    return RESTAnswer(status: 200, body: Array(answer.utf8))
  }
}
