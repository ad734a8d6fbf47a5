// Calls about flushing and loading.

internal import SwiftProtobuf

extension MilvusClient {
  /// Seals a collection's growing segments and starts writing them out. Wait with `isFlushed`.
  ///
  /// Milvus allows few flushes (2.3: one per collection in ten seconds); a refusal for that reason is repeated within
  /// `MilvusClientOptions.rateLimitBudget`.
  public func flush(_ collection: String, in database: String) async throws(MilvusError) -> FlushResult {
    let response: ProtoFlushResponse = try await call(
      "Flush", ProtoFlushRequest.with { $0.collectionNames = [collection] }, in: database,
      about: Self.name(collection: collection, database), kind: .long)
    return try FlushResult(response, of: collection)
  }

  /// Whether the segments of a flush are written out, and everything before its timestamp with them.
  public func isFlushed(
    _ flush: FlushResult, of collection: String, in database: String
  ) async throws(MilvusError) -> Bool {
    let request = ProtoGetFlushStateRequest.with {
      $0.segmentIds = flush.segmentIDs ?? []
      $0.flushTs = flush.flushTimestamp
      $0.collectionName = collection
    }
    let response: ProtoGetFlushStateResponse = try await call(
      "GetFlushState", request, in: database, about: Self.name(collection: collection, database))
    return response.flushed
  }

  /// Whether a collection, or the named partitions of it, is in memory.
  public func loadState(
    of collection: String, partitions: [String] = [], in database: String
  ) async throws(MilvusError) -> LoadState {
    let request = ProtoGetLoadStateRequest.with {
      $0.collectionName = collection
      $0.partitionNames = partitions
    }
    let response: ProtoGetLoadStateResponse = try await call(
      "GetLoadState", request, in: database, about: Self.name(collection: collection, database))
    return LoadState(rawValue: response.state)
  }

  /// How much of a collection, or of the named partitions of it, is in memory: 0 to 100 percent.
  public func loadingProgress(
    of collection: String, partitions: [String] = [], in database: String
  ) async throws(MilvusError) -> Int64 {
    let request = ProtoGetLoadingProgressRequest.with {
      $0.collectionName = collection
      $0.partitionNames = partitions
    }
    let response: ProtoGetLoadingProgressResponse = try await call(
      "GetLoadingProgress", request, in: database, about: Self.name(collection: collection, database))
    return response.progress
  }

  /// Starts loading a collection into memory; needs an index on each vector field. Watch with `loadState`.
  public func loadCollection(
    _ name: String, in database: String, replicas: Int32 = 1
  ) async throws(MilvusError) {
    let request = ProtoLoadCollectionRequest.with {
      $0.collectionName = name
      $0.replicaNumber = replicas
    }
    let _: ProtoStatus = try await call(
      "LoadCollection", request, in: database, about: Self.name(collection: name, database), kind: .long)
  }

  /// Removes a collection from memory.
  public func releaseCollection(_ name: String, in database: String) async throws(MilvusError) {
    let _: ProtoStatus = try await call(
      "ReleaseCollection", ProtoReleaseCollectionRequest.with { $0.collectionName = name }, in: database,
      about: Self.name(collection: name, database), kind: .change)
  }
}
