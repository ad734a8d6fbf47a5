// Import jobs by Milvus' REST interface of the second version (`/v2/vectordb/jobs/import`, Milvus 2.4 and later).
//
// Wire facts: milvus-backup format, restore. A list of files for each segment, without the directories that are not there:
// newer servers refuse empty ones. An answer's `code` is 0 for success.

import FoundationEssentials
import MilvusClient

/// The REST interface.
struct RESTImporter: JobImporter {
  let transport: any RESTTransport
  /// URL of the proxy without a slash at its end.
  let server: String
  let bearer: String?

  /// Nil where Milvus cannot be asked by REST.
  init?(_ rest: MilvusREST) {
    guard let server = rest.server else { return nil }
    transport = rest.transport
    self.server = server
    bearer = rest.bearer
  }

  private struct Create: Encodable {
    var dbName: String
    var collectionName: String
    var partitionName: String?
    var files: [[String]]
    var options: [String: String]
  }

  private struct Describe: Encodable {
    var dbName: String
    var jobId: String
  }

  private struct Answer: Decodable {
    struct Payload: Decodable {
      var jobId: String?
      var state: String?
      var progress: Int?
      var reason: String?
      var importedRows: Int64?
    }

    var code: Int
    var message: String?
    var data: Payload?
  }

  func start(
    _ groups: [[String]], into collection: String, partition: String, in database: String, options: ImportOptions
  ) async throws(MilvusError) -> Int64 {
    let object = "collection \"\(collection)\" in database \"\(database)\""
    let answer = try await post(
      "create",
      Create(
        dbName: database, collectionName: collection, partitionName: partition.isEmpty ? nil : partition, files: groups,
        options: Dictionary(options.pairs.map { ($0.key, $0.value) }) { first, _ in first }), about: object)
    guard let job = answer.jobId.flatMap(Int64.init) else {
      throw failure(.server, "create", object, "the answer names no job")
    }
    return job
  }

  func state(of job: Int64, in database: String) async throws(MilvusError) -> ImportProgress {
    let object = "import job \(job)"
    let answer = try await post("describe", Describe(dbName: database, jobId: String(job)), about: object)
    guard let word = answer.state, let state = Self.states[word] else {
      throw failure(.server, "describe", object, "the answer has the unknown state \(answer.state ?? "")")
    }
    return ImportProgress(
      taskID: job, state: state, rowCount: answer.importedRows ?? 0, percent: answer.progress,
      failedReason: answer.reason.flatMap { $0.isEmpty ? nil : $0 }, collectionID: 0, segmentIDs: [],
      createTimestamp: 0, infos: [])
  }

  private static let states: [String: ImportState] = [
    "Pending": .pending, "Importing": .started, "Uncommitted": .persisted, "Committing": .persisted,
    "Completed": .completed, "Failed": .failed,
  ]

  private func post(
    _ word: String, _ body: some Encodable, about object: String
  ) async throws(MilvusError) -> Answer.Payload {
    let path = "/v2/vectordb/jobs/import/\(word)"
    let json: [UInt8]
    do {
      json = Array(try JSONEncoder().encode(body))
    } catch {
      throw failure(.invalidArgument, word, object, "the request cannot be written as JSON (\(error))")
    }
    // As long as milvus-backup lets Milvus take. A job must not be started twice.
    let response = try await transport.send(
      RESTRequest(url: server + path, bearer: bearer, body: json, patience: 600, mustNotRepeat: word == "create"))
    if let problem = problem(response, word, object) { throw problem }
    guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(response.body)) else {
      throw failure(.server, word, object, "the answer is not what Milvus answers there")
    }
    guard answer.code == 0, let data = answer.data else {
      let reason = answer.message ?? "code \(answer.code)"
      throw MilvusError(
        code: .server, call: path, object: object, server: server, reason: reason,
        status: MilvusStatusCode(errorCode: 0, code: Int32(clamping: answer.code)))
    }
    return data
  }

  /// What an answer's status says is wrong.
  private func problem(_ response: RESTAnswer, _ word: String, _ object: String) -> MilvusError? {
    let (code, remedy): (MilvusError.Code, String?)
    switch response.status {
    case 200: return nil
    case 401, 403: (code, remedy) = (.authentication, "check milvus.user and milvus.password")
    case 404: (code, remedy) = (.unsupported, "restore without --use_v2_restore")
    case 502, 503, 504: (code, remedy) = (.unreachable, "check that Milvus is running")
    default: (code, remedy) = (.server, nil)
    }
    let text = String(decoding: response.body.prefix(300), as: UTF8.self)
      .split(whereSeparator: \.isNewline).joined(separator: " ")
    return failure(code, word, object, "HTTP status \(response.status) \(text)", remedy)
  }

  private func failure(
    _ code: MilvusError.Code, _ word: String, _ object: String, _ reason: String, _ remedy: String? = nil
  ) -> MilvusError {
    MilvusError(
      code: code, call: "/v2/vectordb/jobs/import/\(word)", object: object, server: server, reason: reason,
      remedy: remedy)
  }
}
