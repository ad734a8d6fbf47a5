// Calls about the server and its databases, and what all calls share.

internal import SwiftProtobuf

extension MilvusClient {
  /// How the server is.
  public func checkHealth() async throws(MilvusError) -> MilvusHealth {
    let response: ProtoCheckHealthResponse = try await call("CheckHealth", ProtoCheckHealthRequest())
    return MilvusHealth(isHealthy: response.isHealthy, reasons: response.reasons)
  }

  /// The databases. Only the names are known on servers before 2.4. A server without databases has one, `default`.
  public func databases() async throws(MilvusError) -> [DatabaseDescription] {
    guard server.features.multiDatabase else {
      return [DatabaseDescription(name: "default", id: 0, createdTimestamp: 0, properties: [])]
    }
    let response: ProtoListDatabasesResponse = try await call("ListDatabases", ProtoListDatabasesRequest())
    return response.dbNames.enumerated().map { index, name in
      DatabaseDescription(
        name: name, id: response.dbIds.element(at: index) ?? 0,
        createdTimestamp: response.createdTimestamp.element(at: index) ?? 0, properties: [])
    }
  }

  /// Describes a database (`features.describeDatabase`).
  public func describeDatabase(_ name: String) async throws(MilvusError) -> DatabaseDescription {
    let response: ProtoDescribeDatabaseResponse = try await call(
      "DescribeDatabase", ProtoDescribeDatabaseRequest.with { $0.dbName = name }, about: Self.name(database: name))
    return DatabaseDescription(
      name: response.dbName, id: response.dbID, createdTimestamp: response.createdTimestamp,
      properties: response.properties.map(MilvusKeyValue.init))
  }

  /// Creates a database.
  /// - Throws: `alreadyExists`, `invalidArgument` (its name), `unsupported` (a server without databases).
  public func createDatabase(_ name: String, properties: [MilvusKeyValue] = []) async throws(MilvusError) {
    let request = ProtoCreateDatabaseRequest.with {
      $0.dbName = name
      $0.properties = properties.map(ProtoKeyValuePair.init)
    }
    let _: ProtoStatus = try await call(
      "CreateDatabase", request, about: Self.name(database: name), kind: .change, repeatability: .ifNotCarriedOut)
  }

  static func name(database: String) -> String {
    database.isEmpty ? "the default database" : "database \"\(database)\""
  }

  static func name(collection: String, _ database: String) -> String {
    "collection \"\(collection)\" in \(name(database: database))"
  }

  static func name(partition: String, _ collection: String, _ database: String) -> String {
    "partition \"\(partition)\" of \(name(collection: collection, database))"
  }

  /// An answer that says success and lacks what it must have.
  func malformedAnswer(_ reason: String, call: String, object: String?) -> MilvusError {
    MilvusError(
      code: .server, call: call, object: object, server: endpoint.address, reason: reason,
      remedy: "check that the address is a Milvus server's")
  }
}

extension Array {
  /// The element at `index`, `nil` past the end: lists that run beside another may be shorter or empty.
  func element(at index: Int) -> Element? {
    indices.contains(index) ? self[index] : nil
  }
}
