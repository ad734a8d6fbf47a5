// Calls about import tasks. Method "Import" is called by its name like all others; a generated service could not have
// it, as its Swift name is a keyword.
//
// Invariant: none of them is given up in mid-call. The proxy of Milvus 2.3.5 dereferences the answer that it did not get
// when its caller is gone (seen: GetImportState of a restore that was cancelled, "context canceled", then SIGSEGV of the
// whole server in internal/proxy/impl.go). Their deadlines are the longest for the same reason.

internal import SwiftProtobuf

extension MilvusClient {
  /// Starts importing files that lie in Milvus' own bucket, and returns the task's number. Watch with `importState`.
  ///
  /// Never repeated when it is open whether the server started the task: then the error's `mayHaveHappened` is set,
  /// and `importTasks` tells.
  /// - Parameters:
  ///   - files: keys in Milvus' bucket, with a slash at the end for directories. In a restore exactly two: the
  ///     directory of insert logs and that of delta logs, or "" if there are no deltas.
  ///   - partition: the partition to import to; "" only for delete-only segments of all partitions.
  public func importFiles(
    _ files: [String], into collection: String, partition: String, in database: String,
    options: ImportOptions = ImportOptions()
  ) async throws(MilvusError) -> Int64 {
    let request = ProtoImportRequest.with {
      $0.collectionName = collection
      $0.partitionName = partition
      $0.files = files
      $0.options = options.pairs.map(ProtoKeyValuePair.init)
    }
    let object =
      partition.isEmpty
      ? Self.name(collection: collection, database) : Self.name(partition: partition, collection, database)
    let response: ProtoImportResponse = try await call(
      "Import", request, in: database, about: object, kind: .long, repeatability: .ifNotCarriedOut,
      isFinished: true)
    guard let task = response.tasks.first else {
      throw malformedAnswer("the answer names no task", call: "Import", object: object)
    }
    return task
  }

  /// How far an import task is.
  public func importState(of task: Int64) async throws(MilvusError) -> ImportProgress {
    let response: ProtoGetImportStateResponse = try await call(
      "GetImportState", ProtoGetImportStateRequest.with { $0.task = task }, about: "import task \(task)",
      kind: .long, isFinished: true)
    return ImportProgress(response, task: task)
  }

  /// The import tasks of a collection that the server remembers, at most `limit` (0: all).
  public func importTasks(
    of collection: String, in database: String, limit: Int64 = 0
  ) async throws(MilvusError) -> [ImportProgress] {
    let request = ProtoListImportTasksRequest.with {
      $0.collectionName = collection
      $0.limit = limit
    }
    let response: ProtoListImportTasksResponse = try await call(
      "ListImportTasks", request, in: database, about: Self.name(collection: collection, database),
      kind: .long, isFinished: true)
    return response.tasks.map { ImportProgress($0, task: $0.id) }
  }
}
