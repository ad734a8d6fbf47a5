// A store that fails when told to, for tests of everything that uses stores.

/// What is being done to a store; the cases are the protocol's calls.
public enum StoreOperation: String, Sendable, Hashable, CaseIterable {
  case list, head, get, put, copy, beginUpload, uploadPart, completeUpload, abortUpload, listUploads, delete,
    deleteMany
}

/// Asks a closure before and after each call of another store.
///
/// A fault before a call means that the store did not do it; a fault after it means that it did, and the answer was lost.
public struct FaultInjectingStore<Base: ObjectStore>: ObjectStore {
  /// Decides: may wait, throw, or let pass.
  public typealias Hook = @Sendable (_ operation: StoreOperation, _ key: ObjectKey) async throws -> Void

  private let base: Base
  private let before: Hook
  private let after: Hook

  /// Wraps a store.
  public init(_ base: Base, before: @escaping Hook = { _, _ in }, after: @escaping Hook = { _, _ in }) {
    self.base = base
    self.before = before
    self.after = after
  }

  public var location: StoreLocation { base.location }
  public var limits: UploadLimits { base.limits }

  public func list(_ request: ListRequest) async throws -> ListPage {
    try await around(.list, request.prefix) { try await base.list(request) }
  }

  public func head(_ key: ObjectKey) async throws -> ObjectInfo {
    try await around(.head, key) { try await base.head(key) }
  }

  public func get(_ key: ObjectKey, range: Range<Int64>?, version: ETag?) async throws -> ObjectContent {
    try await around(.get, key) { try await base.get(key, range: range, version: version) }
  }

  @discardableResult
  public func put(_ key: ObjectKey, _ body: [UInt8], condition: WriteCondition) async throws -> ObjectInfo {
    try await around(.put, key) { try await base.put(key, body, condition: condition) }
  }

  @discardableResult
  public func copy(
    from source: ObjectKey, inBucket bucket: String, version: ETag?, size: Int64?, to key: ObjectKey
  ) async throws -> ObjectInfo {
    try await around(.copy, key) {
      try await base.copy(from: source, inBucket: bucket, version: version, size: size, to: key)
    }
  }

  public func beginUpload(_ key: ObjectKey, streaming: Bool) async throws -> MultipartUpload {
    try await around(.beginUpload, key) { try await base.beginUpload(key, streaming: streaming) }
  }

  public func uploadPart(_ upload: MultipartUpload, number: Int, _ body: [UInt8]) async throws -> UploadedPart {
    try await around(.uploadPart, upload.key) { try await base.uploadPart(upload, number: number, body) }
  }

  public func uploadPart(
    _ upload: MultipartUpload, number: Int, from source: PartSource
  ) async throws -> UploadedPart {
    try await around(.uploadPart, upload.key) { try await base.uploadPart(upload, number: number, from: source) }
  }

  @discardableResult
  public func completeUpload(
    _ upload: MultipartUpload, parts: [UploadedPart], condition: WriteCondition
  ) async throws -> ObjectInfo {
    try await around(.completeUpload, upload.key) {
      try await base.completeUpload(upload, parts: parts, condition: condition)
    }
  }

  public func abortUpload(_ upload: MultipartUpload) async throws {
    try await around(.abortUpload, upload.key) { try await base.abortUpload(upload) }
  }

  public func listUploads(_ request: UploadListRequest) async throws -> UploadPage {
    try await around(.listUploads, request.prefix) { try await base.listUploads(request) }
  }

  public func delete(_ key: ObjectKey) async throws {
    try await around(.delete, key) { try await base.delete(key) }
  }

  public func delete(_ keys: [ObjectKey]) async throws {
    guard let first = keys.first else { return }
    try await around(.deleteMany, first) { try await base.delete(keys) }
  }

  private func around<Value>(
    _ operation: StoreOperation, _ key: ObjectKey, _ call: () async throws -> Value
  ) async throws -> Value {
    try await before(operation, key)
    let value = try await call()
    try await after(operation, key)
    return value
  }
}
