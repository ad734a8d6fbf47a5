// Queries: only the counting of rows.

internal import SwiftProtobuf

extension MilvusClient {
  /// How many rows queries find in a collection that is loaded, or in the named partitions of it; all that was written
  /// before the call included (consistency level Strong).
  /// - Throws: `MilvusError`.
  public func queryableRows(
    of collection: String, partitions: [String] = [], in database: String
  ) async throws(MilvusError) -> Int64 {
    let request = ProtoQueryRequest.with {
      $0.collectionName = collection
      $0.outputFields = ["count(*)"]
      $0.partitionNames = partitions
    }
    let name = Self.name(collection: collection, database)
    let response: ProtoQueryResults = try await call("Query", request, in: database, about: name, kind: .long)
    guard let count = response.fieldsData.first?.scalars.longData.data.first else {
      throw malformedAnswer("the answer holds no count of rows", call: "Query", object: name)
    }
    return count
  }
}
