// Bounds what is asked of a store at the same time: number of requests, and bytes of bodies held in memory for them.
//
// Invariants: never more than `requests` calls are in the wrapped store, and their bodies, sent or received, never have
// more than `bytes` bytes together, except that a single body larger than that passes alone. Whoever came first is
// served first. Bytes are taken before the request's slot, and whoever has a slot waits for nothing: no deadlock. The one
// exception is a streamed part, which holds a slot and the bytes of one piece while its source is read: that source must
// not need this store, nor another one with the same budget of bytes.

/// Lets only so many requests and so many body bytes of another store be under way.
public struct LimitingStore<Base: ObjectStore>: ObjectStore {
  /// Bytes set aside for reading an object whose size is not known yet. Most objects are smaller; a larger one is read
  /// again with the right amount.
  public static var presumedSize: Int { 8 << 20 }

  private let base: Base
  private let slots: ByteBudget
  private let bytes: ByteBudget

  /// Wraps a store.
  /// - Parameters:
  ///   - requests: calls in flight at once, at least 1.
  ///   - bytes: body bytes in flight at once, at least 1. A budget may be shared by several stores.
  public init(_ base: Base, requests: Int, bytes: ByteBudget) {
    self.base = base
    self.slots = ByteBudget(capacity: requests)
    self.bytes = bytes
  }

  /// Requests in flight at the moment.
  public var requestsInFlight: Int { slots.used }

  public var location: StoreLocation { base.location }
  public var limits: UploadLimits { base.limits }

  public func list(_ request: ListRequest) async throws -> ListPage {
    try await limited("ListObjects", request.prefix) { try await base.list(request) }
  }

  public func head(_ key: ObjectKey) async throws -> ObjectInfo {
    try await limited("HeadObject", key) { try await base.head(key) }
  }

  public func get(_ key: ObjectKey, range: Range<Int64>?, version: ETag?) async throws -> ObjectContent {
    let wanted = range ?? 0..<Int64.max
    let presumed = min(Int64(Self.presumedSize), Int64(bytes.capacity))
    if wanted.count <= presumed || (range != nil && wanted.upperBound < .max) {
      return try await limited("GetObject", key, body: wanted.count) {
        try await base.get(key, range: range, version: version)
      }
    }
    let first = wanted.lowerBound..<(wanted.lowerBound + min(presumed, .max - wanted.lowerBound))
    let begin = try await limited("GetObject", key, body: first.count) {
      try await base.get(key, range: first, version: version)
    }
    guard begin.info.size > first.upperBound else { return begin }
    let whole = wanted.lowerBound..<begin.info.size
    return try await limited("GetObject", key, body: whole.count) {
      try await base.get(key, range: range == nil ? nil : whole, version: begin.info.etag)
    }
  }

  @discardableResult
  public func put(_ key: ObjectKey, _ body: [UInt8], condition: WriteCondition) async throws -> ObjectInfo {
    try await limited("PutObject", key, body: body.count) { try await base.put(key, body, condition: condition) }
  }

  @discardableResult
  public func copy(
    from source: ObjectKey, inBucket bucket: String, version: ETag?, size: Int64?, to key: ObjectKey
  ) async throws -> ObjectInfo {
    try await limited("CopyObject", key) {
      try await base.copy(from: source, inBucket: bucket, version: version, size: size, to: key)
    }
  }

  public func beginUpload(_ key: ObjectKey, streaming: Bool) async throws -> MultipartUpload {
    try await limited("CreateMultipartUpload", key) { try await base.beginUpload(key, streaming: streaming) }
  }

  public func uploadPart(_ upload: MultipartUpload, number: Int, _ body: [UInt8]) async throws -> UploadedPart {
    try await limited("UploadPart", upload.key, body: body.count) {
      try await base.uploadPart(upload, number: number, body)
    }
  }

  public func uploadPart(
    _ upload: MultipartUpload, number: Int, from source: PartSource
  ) async throws -> UploadedPart {
    try await limited("UploadPart", upload.key, body: Int(min(source.size, Int64(PartSource.pieceSize)))) {
      try await base.uploadPart(upload, number: number, from: source)
    }
  }

  @discardableResult
  public func completeUpload(
    _ upload: MultipartUpload, parts: [UploadedPart], condition: WriteCondition
  ) async throws -> ObjectInfo {
    try await limited("CompleteMultipartUpload", upload.key) {
      try await base.completeUpload(upload, parts: parts, condition: condition)
    }
  }

  public func abortUpload(_ upload: MultipartUpload) async throws {
    try await limited("AbortMultipartUpload", upload.key) { try await base.abortUpload(upload) }
  }

  public func listUploads(_ request: UploadListRequest) async throws -> UploadPage {
    try await limited("ListMultipartUploads", request.prefix) { try await base.listUploads(request) }
  }

  public func delete(_ key: ObjectKey) async throws {
    try await limited("DeleteObject", key) { try await base.delete(key) }
  }

  public func delete(_ keys: [ObjectKey]) async throws {
    try await limited("DeleteObjects", keys.first) { try await base.delete(keys) }
  }

  private func limited<Value>(
    _ operation: String, _ key: ObjectKey?, body: Int = 0, _ call: () async throws -> Value
  ) async throws -> Value {
    try await take(body, of: bytes, operation, key)
    defer { bytes.release(body) }
    try await take(1, of: slots, operation, key)
    defer { slots.release(1) }
    return try await call()
  }

  private func take(_ amount: Int, of budget: ByteBudget, _ operation: String, _ key: ObjectKey?) async throws {
    guard amount > 0 else { return }
    do {
      try await budget.acquire(amount)
    } catch {
      throw StoreError(
        .cancelled, operation: operation, key: key, location: location,
        reason: "the request was cancelled while it waited for others to end")
    }
  }
}
