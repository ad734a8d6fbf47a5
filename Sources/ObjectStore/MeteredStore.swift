// Counts what passes to another store. Below a RetryingStore each try is one request, above it the tries are one.

/// Counts requests, failures, bytes and time of another store.
public struct MeteredStore<Base: ObjectStore>: ObjectStore {
  private let base: Base
  /// Where the counts are.
  public let metrics: StoreMetrics

  /// Wraps a store.
  /// - Parameter metrics: where to count; may be shared.
  public init(_ base: Base, metrics: StoreMetrics = StoreMetrics()) {
    self.base = base
    self.metrics = metrics
  }

  public var location: StoreLocation { base.location }
  public var limits: UploadLimits { base.limits }

  public func list(_ request: ListRequest) async throws -> ListPage {
    try await counted(.list) { try await base.list(request) }
  }

  public func head(_ key: ObjectKey) async throws -> ObjectInfo {
    try await counted(.head) { try await base.head(key) }
  }

  public func get(_ key: ObjectKey, range: Range<Int64>?, version: ETag?) async throws -> ObjectContent {
    try await counted(.get, received: { $0.bytes.count }) {
      try await base.get(key, range: range, version: version)
    }
  }

  @discardableResult
  public func put(_ key: ObjectKey, _ body: [UInt8], condition: WriteCondition) async throws -> ObjectInfo {
    try await counted(.put, sending: body.count) { try await base.put(key, body, condition: condition) }
  }

  @discardableResult
  public func copy(
    from source: ObjectKey, inBucket bucket: String, version: ETag?, size: Int64?, to key: ObjectKey
  ) async throws -> ObjectInfo {
    try await counted(.copy) {
      try await base.copy(from: source, inBucket: bucket, version: version, size: size, to: key)
    }
  }

  public func beginUpload(_ key: ObjectKey, streaming: Bool) async throws -> MultipartUpload {
    try await counted(.beginUpload) { try await base.beginUpload(key, streaming: streaming) }
  }

  public func uploadPart(_ upload: MultipartUpload, number: Int, _ body: [UInt8]) async throws -> UploadedPart {
    try await counted(.uploadPart, sending: body.count) { try await base.uploadPart(upload, number: number, body) }
  }

  /// Its bytes are counted as they are read; its time includes reading.
  public func uploadPart(
    _ upload: MultipartUpload, number: Int, from source: PartSource
  ) async throws -> UploadedPart {
    let counting = source.wrapped { [metrics] read in
      let bytes = try await read()
      metrics.sent(.uploadPart, bytes: bytes.count)
      return bytes
    }
    return try await counted(.uploadPart) { try await base.uploadPart(upload, number: number, from: counting) }
  }

  @discardableResult
  public func completeUpload(
    _ upload: MultipartUpload, parts: [UploadedPart], condition: WriteCondition
  ) async throws -> ObjectInfo {
    try await counted(.completeUpload) {
      try await base.completeUpload(upload, parts: parts, condition: condition)
    }
  }

  public func abortUpload(_ upload: MultipartUpload) async throws {
    try await counted(.abortUpload) { try await base.abortUpload(upload) }
  }

  public func listUploads(_ request: UploadListRequest) async throws -> UploadPage {
    try await counted(.listUploads) { try await base.listUploads(request) }
  }

  public func delete(_ key: ObjectKey) async throws {
    try await counted(.delete) { try await base.delete(key) }
  }

  public func delete(_ keys: [ObjectKey]) async throws {
    try await counted(.deleteMany) { try await base.delete(keys) }
  }

  private func counted<Value>(
    _ operation: StoreOperation, sending bytes: Int = 0, received: (Value) -> Int = { _ in 0 },
    _ call: () async throws -> Value
  ) async throws -> Value {
    let begin = ContinuousClock.now
    metrics.began(operation, sending: bytes)
    do {
      let value = try await call()
      metrics.ended(
        operation, receiving: received(value), seconds: (ContinuousClock.now - begin) / .seconds(1), failure: nil)
      return value
    } catch {
      metrics.ended(operation, receiving: 0, seconds: (ContinuousClock.now - begin) / .seconds(1), failure: error)
      throw error
    }
  }
}
