// What Milvus is asked by HTTP: the files of a segment, to keep its garbage for a while, import jobs (`RESTImporter`).
//
// Facts: the milvus-backup format. Milvus from 2.5.8 on tells the log ids of a segment; the management port, by default
// 9091 and without credentials, pauses garbage collection. Neither is needed for a backup: what cannot be asked is done
// without, and said.

import FoundationEssentials
import MilvusClient

/// Sends HTTP requests; how is the business of whoever makes the context.
public protocol RESTTransport: Sendable {
  /// Sends one request and waits for its whole answer, for a bounded time.
  /// - Throws: `MilvusError`; with `mayHaveHappened` when the request may have reached the server.
  func send(_ request: RESTRequest) async throws(MilvusError) -> RESTAnswer
}

/// A request to Milvus by HTTP.
public struct RESTRequest: Sendable {
  /// Where to.
  public var url: String
  /// Token for the header `Authorization`; nil for none. Must not get into an error.
  public var bearer: String?
  /// JSON to POST; nil for GET.
  public var body: [UInt8]?
  /// Seconds that Milvus may take for the answer.
  public var patience: Double = 60
  /// Whether it must not be sent again by itself when a kept connection turns out to be closed.
  public var mustNotRepeat = false
}

/// An answer to an HTTP request.
public struct RESTAnswer: Sendable, Hashable {
  /// HTTP status.
  public var status: Int
  /// The body.
  public var body: [UInt8]

  /// Makes an answer.
  public init(status: Int, body: [UInt8]) {
    self.status = status
    self.body = body
  }
}

/// Where Milvus answers HTTP, and with which token.
public struct MilvusREST: Sendable {
  let transport: any RESTTransport
  /// URL of the proxy without a slash at its end, such as `http://localhost:19530`; nil if it cannot be asked.
  let server: String?
  /// `user:password`; nil without authentication.
  let bearer: String?
  /// URL of the management port without a slash at its end.
  let management: String
  /// Whether garbage collection may be paused there.
  let pausesGarbage: Bool

  /// Describes both ports; slashes at the end of the URLs are ignored.
  public init(
    transport: any RESTTransport, server: String?, bearer: String?, management: String, pausesGarbage: Bool
  ) {
    self.transport = transport
    self.server = server.map(Self.trimmed)
    self.bearer = bearer
    self.management = Self.trimmed(management)
    self.pausesGarbage = pausesGarbage
  }

  private static func trimmed(_ url: String) -> String {
    var url = url[...]
    while url.last == "/" { url.removeLast() }
    return String(url)
  }
}

/// Why an answer cannot be used; a clause.
struct RESTFailure: Error, CustomStringConvertible {
  var description: String
}

/// The log ids of one segment.
struct DescribedSegment: Sendable, Hashable {
  var segmentID: Int64
  var vChannel: String
  /// Ids of the insert logs by field.
  var inserts: [Int64: Set<Int64>]
  /// Ids of the delta logs.
  var deltas: Set<Int64>
}

extension MilvusREST {
  private struct Answer: Decodable {
    struct Payload: Decodable { var segmentInfos: [Segment]? }
    struct Segment: Decodable {
      var segmentID: Number
      var vChannel: String?
      var insertLogs: [Logs]?
      var deltaLogs: [Logs]?
    }
    struct Logs: Decodable {
      var fieldID: Number?
      var logIDs: [Number]?
    }
    var code: Int?
    var message: String?
    var data: Payload?
  }

  /// A 64-bit number, which some releases put into quotes because JavaScript cannot read it otherwise.
  private struct Number: Decodable {
    var value: Int64
    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let value = try? container.decode(Int64.self) {
        self.value = value
      } else if let value = Int64(try container.decode(String.self)) {
        self.value = value
      } else {
        throw RESTFailure(description: "a number is none")
      }
    }
  }

  private struct Question: Encodable {
    var dbName: String
    var collectionId: Int64
    var segmentIds: [Int64]
  }

  /// The wrapped key of an encrypted database, which a restore hands back to Milvus.
  /// - Throws: `RESTFailure`, or what the transport throws.
  func encryptionKey(ofDatabase name: String) async throws -> String {
    struct Answer: Decodable { var ezk: String? }
    let answer = try await transport.send(
      RESTRequest(url: "\(management)/management/rootcoord/ez/backup?db_name=\(Self.escaped(name))"))
    guard answer.status == 200 else { throw RESTFailure(description: "it answered HTTP status \(answer.status)") }
    guard let key = try? JSONDecoder().decode(Answer.self, from: Data(answer.body)).ezk, !key.isEmpty else {
      throw RESTFailure(description: "its answer has no key")
    }
    return key
  }

  /// A text as it stands in the query of a URL.
  static func escaped(_ text: String) -> String {
    let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~".utf8)
    let digits = Array("0123456789ABCDEF")
    return text.utf8.map { byte in
      plain.contains(byte)
        ? String(UnicodeScalar(byte)) : "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
    }.joined()
  }

  /// The log ids of a segment.
  /// - Throws: `RESTFailure`, or what the transport throws.
  func describeSegment(_ id: Int64, collection: Int64, database: String) async throws -> DescribedSegment {
    guard let server else { throw RESTFailure(description: "it cannot be asked by HTTP") }
    let question = Question(dbName: database, collectionId: collection, segmentIds: [id])
    let answer = try await transport.send(
      RESTRequest(
        url: server + "/v2/vectordb/segments/describe", bearer: bearer,
        body: [UInt8](try JSONEncoder().encode(question))))
    guard answer.status == 200 else { throw RESTFailure(description: "it answered HTTP status \(answer.status)") }
    let decoded: Answer
    do {
      decoded = try JSONDecoder().decode(Answer.self, from: Data(answer.body))
    } catch {
      throw RESTFailure(description: "its answer cannot be read")
    }
    guard (decoded.code ?? 0) == 0 else {
      throw RESTFailure(description: "it answered code \(decoded.code ?? 0): \(decoded.message ?? "")")
    }
    guard let segment = decoded.data?.segmentInfos?.first(where: { $0.segmentID.value == id }) else {
      throw RESTFailure(description: "its answer does not tell of segment \(id)")
    }
    var inserts: [Int64: Set<Int64>] = [:]
    for logs in segment.insertLogs ?? [] {
      guard let field = logs.fieldID?.value else { throw RESTFailure(description: "an insert log has no field") }
      inserts[field, default: []].formUnion((logs.logIDs ?? []).map(\.value))
    }
    return DescribedSegment(
      segmentID: id, vChannel: segment.vChannel ?? "", inserts: inserts,
      deltas: Set((segment.deltaLogs ?? []).flatMap { $0.logIDs ?? [] }.map(\.value)))
  }
}
