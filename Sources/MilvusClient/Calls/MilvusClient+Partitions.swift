// Calls about partitions and segments.

internal import SwiftProtobuf

extension MilvusClient {
  /// The partitions of a collection.
  public func partitions(of collection: String, in database: String) async throws(MilvusError) -> [PartitionInfo] {
    let response: ProtoShowPartitionsResponse = try await call(
      "ShowPartitions", ProtoShowPartitionsRequest.with { $0.collectionName = collection }, in: database,
      about: Self.name(collection: collection, database))
    return zip(response.partitionIds, response.partitionNames).enumerated().map { index, partition in
      PartitionInfo(
        partitionID: partition.0, partitionName: partition.1,
        createdTimestamp: response.createdTimestamps.element(at: index) ?? 0)
    }
  }

  /// Whether a collection has a partition of this name.
  public func hasPartition(
    _ name: String, of collection: String, in database: String
  ) async throws(MilvusError) -> Bool {
    let request = ProtoHasPartitionRequest.with {
      $0.collectionName = collection
      $0.partitionName = name
    }
    let response: ProtoBoolResponse = try await call(
      "HasPartition", request, in: database, about: Self.name(partition: name, collection, database))
    return response.value
  }

  /// Creates a partition. Refused by collections with a partition key.
  public func createPartition(_ name: String, of collection: String, in database: String) async throws(MilvusError) {
    let request = ProtoCreatePartitionRequest.with {
      $0.collectionName = collection
      $0.partitionName = name
    }
    let _: ProtoStatus = try await call(
      "CreatePartition", request, in: database, about: Self.name(partition: name, collection, database),
      kind: .change)
  }

  /// The segments of a collection that Milvus' data coordinator knows, except growing ones.
  public func segments(of collection: String, in database: String) async throws(MilvusError) -> [SegmentInfo] {
    let response: ProtoGetPersistentSegmentInfoResponse = try await call(
      "GetPersistentSegmentInfo", ProtoGetPersistentSegmentInfoRequest.with { $0.collectionName = collection },
      in: database, about: Self.name(collection: collection, database), kind: .long)
    return response.infos.map(SegmentInfo.init)
  }
}
