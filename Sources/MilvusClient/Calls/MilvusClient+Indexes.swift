// Calls about indexes.

internal import SwiftProtobuf

extension MilvusClient {
  /// The indexes of a collection; empty if there are none.
  public func indexes(of collection: String, in database: String) async throws(MilvusError) -> [IndexDescription] {
    do {
      let response: ProtoDescribeIndexResponse = try await call(
        "DescribeIndex", ProtoDescribeIndexRequest.with { $0.collectionName = collection }, in: database,
        about: Self.name(collection: collection, database))
      return response.indexDescriptions.map(IndexDescription.init)
    } catch  where error.isAboutMissingIndex {
      return []
    }
  }

  /// Creates an index; the server builds it in the background. Repeating it with the same parameters is no error.
  ///
  /// - Parameter params: all parameters, as `IndexDescription.params` holds them.
  public func createIndex(
    named name: String, on field: String, of collection: String, in database: String, params: [MilvusKeyValue]
  ) async throws(MilvusError) {
    let request = ProtoCreateIndexRequest.with {
      $0.collectionName = collection
      $0.fieldName = field
      $0.indexName = name
      $0.extraParams = params.map(ProtoKeyValuePair.init)
    }
    let _: ProtoStatus = try await call(
      "CreateIndex", request, in: database,
      about: "index \"\(name)\" on field \"\(field)\" of \(Self.name(collection: collection, database))",
      kind: .change)
  }

  /// Removes an index. The collection must not be loaded if it is on a vector field.
  public func dropIndex(
    named name: String, of collection: String, in database: String
  ) async throws(MilvusError) {
    let request = ProtoDropIndexRequest.with {
      $0.collectionName = collection
      $0.indexName = name
    }
    let _: ProtoStatus = try await call(
      "DropIndex", request, in: database,
      about: "index \"\(name)\" of \(Self.name(collection: collection, database))", kind: .change)
  }
}
