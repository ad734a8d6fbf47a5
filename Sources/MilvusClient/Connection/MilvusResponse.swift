// Every answer of Milvus carries a status, under one name: calls check it in one place.

/// A response message with a status.
protocol MilvusResponse: Sendable {
  var status: ProtoStatus { get }
}

extension ProtoStatus: MilvusResponse {
  var status: ProtoStatus { self }

  /// Success in the sense of both generations: servers up to 2.2 set only `error_code`, newer ones both, and some
  /// only `code`.
  var isSuccess: Bool { errorCode == 0 && code == 0 }
}

extension ProtoBoolResponse: MilvusResponse {}
extension ProtoCheckHealthResponse: MilvusResponse {}
extension ProtoConnectResponse: MilvusResponse {}
extension ProtoDescribeCollectionResponse: MilvusResponse {}
extension ProtoDescribeDatabaseResponse: MilvusResponse {}
extension ProtoDescribeIndexResponse: MilvusResponse {}
extension ProtoFlushResponse: MilvusResponse {}
extension ProtoGetCollectionStatisticsResponse: MilvusResponse {}
extension ProtoGetFlushStateResponse: MilvusResponse {}
extension ProtoGetImportStateResponse: MilvusResponse {}
extension ProtoGetLoadStateResponse: MilvusResponse {}
extension ProtoGetLoadingProgressResponse: MilvusResponse {}
extension ProtoGetPartitionStatisticsResponse: MilvusResponse {}
extension ProtoGetPersistentSegmentInfoResponse: MilvusResponse {}
extension ProtoGetVersionResponse: MilvusResponse {}
extension ProtoImportResponse: MilvusResponse {}
extension ProtoListAliasesResponse: MilvusResponse {}
extension ProtoListDatabasesResponse: MilvusResponse {}
extension ProtoListImportTasksResponse: MilvusResponse {}
extension ProtoQueryResults: MilvusResponse {}
extension ProtoShowCollectionsResponse: MilvusResponse {}
extension ProtoShowPartitionsResponse: MilvusResponse {}
