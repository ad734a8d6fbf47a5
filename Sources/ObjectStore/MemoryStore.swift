// A store in memory: the plainest thing that keeps the contracts, for tests and as the reference of the others.

import Synchronization

/// An object store that lives and dies with the process. Stores made with the same `MemoryService` share buckets, as two
/// clients of one real service would.
public final class MemoryStore: ObjectStore {
  public let location: StoreLocation
  public let limits: UploadLimits
  private let service: MemoryService

  /// Opens a bucket of a service; the bucket comes into being with its first object.
  public init(service: MemoryService, bucket: String, limits: UploadLimits = UploadLimits()) {
    self.service = service
    self.limits = limits
    location = StoreLocation(provider: "memory", endpoint: service.name, bucket: bucket)
  }

  /// Opens the only bucket of a service of its own.
  public convenience init(name: String = "memory") {
    self.init(service: MemoryService(name: name), bucket: name)
  }

  public func list(_ request: ListRequest) async throws -> ListPage {
    try checkCancellation("ListObjects", request.prefix)
    return service.state.withLock { state in
      let bucket = state.buckets[location.bucket, default: [:]]
      var names = Set<ObjectKey>()
      var objects: [ObjectKey: ObjectInfo] = [:]
      for (key, stored) in bucket where key.hasPrefix(request.prefix) {
        let rest = key.string.utf8.dropFirst(request.prefix.byteCount)
        if request.groupedByDirectory, let slash = rest.firstIndex(of: UInt8(ascii: "/")) {
          names.insert(ObjectKey(String(key.string[...slash])))
        } else {
          objects[key] = stored.info
          names.insert(key)
        }
      }
      let after = request.continuation.map { ObjectKey($0) }
      let remaining = names.sorted().filter { name in after.map { $0 < name } ?? true }
      let page = remaining.prefix(max(1, request.limit))
      return ListPage(
        objects: page.compactMap { objects[$0] }, directories: page.filter { objects[$0] == nil },
        continuation: page.count < remaining.count ? page.last?.string : nil)
    }
  }

  public func head(_ key: ObjectKey) async throws -> ObjectInfo {
    try checkCancellation("HeadObject", key)
    return try stored(key, operation: "HeadObject").info
  }

  public func get(_ key: ObjectKey, range: Range<Int64>?, version: ETag?) async throws -> ObjectContent {
    try checkCancellation("GetObject", key)
    let stored = try stored(key, operation: "GetObject")
    if let version, version != stored.info.etag {
      throw failure(.changed, "GetObject", key, "it is another version now")
    }
    guard let range else { return ObjectContent(info: stored.info, bytes: stored.bytes) }
    let wanted = range.clamped(to: 0..<Int64(stored.bytes.count))
    return ObjectContent(info: stored.info, bytes: Array(stored.bytes[Int(wanted.lowerBound)..<Int(wanted.upperBound)]))
  }

  @discardableResult
  public func put(_ key: ObjectKey, _ body: [UInt8], condition: WriteCondition) async throws -> ObjectInfo {
    try checkCancellation("PutObject", key)
    return try write(key, body, condition: condition, operation: "PutObject")
  }

  @discardableResult
  public func copy(
    from source: ObjectKey, inBucket bucket: String, version: ETag?, size: Int64?, to key: ObjectKey
  ) async throws -> ObjectInfo {
    try checkCancellation("CopyObject", key)
    let found = service.state.withLock { $0.buckets[bucket]?[source] }
    guard let found else { throw failure(.notFound, "CopyObject", source, "there is no such object in \(bucket)") }
    if let version, version != found.info.etag {
      throw failure(.changed, "CopyObject", source, "it is another version now")
    }
    return try write(key, found.bytes, condition: .none, operation: "CopyObject")
  }

  public func beginUpload(_ key: ObjectKey, streaming: Bool) async throws -> MultipartUpload {
    try checkCancellation("CreateMultipartUpload", key)
    return service.state.withLock { state in
      state.counter += 1
      let upload = MultipartUpload(key: key, id: "upload-\(state.counter)")
      state.uploads[upload.id] = MemoryService.Upload(
        bucket: location.bucket, handle: PendingUpload(upload: upload, begun: Int64(state.counter)))
      return MultipartUpload(key: key, id: upload.id, isStreaming: streaming)
    }
  }

  public func uploadPart(_ upload: MultipartUpload, number: Int, _ body: [UInt8]) async throws -> UploadedPart {
    try checkCancellation("UploadPart", upload.key)
    guard (1...limits.maximumParts).contains(number) else {
      throw failure(.unsupported, "UploadPart", upload.key, "part number \(number) is out of range")
    }
    let known = service.state.withLock { state in
      guard state.uploads[upload.id] != nil else { return false }
      state.uploads[upload.id]?.parts[number] = body
      return true
    }
    guard known else { throw failure(.uploadNotFound, "UploadPart", upload.key, "there is no upload \(upload.id)") }
    return UploadedPart(number: number, etag: ETag("\"\(upload.id)-\(number)\""), size: Int64(body.count))
  }

  public func uploadPart(
    _ upload: MultipartUpload, number: Int, from source: PartSource
  ) async throws -> UploadedPart {
    try checkCancellation("UploadPart", upload.key)
    guard upload.isStreaming else {
      throw failure(.unsupported, "UploadPart", upload.key, "the upload was not begun for parts that are streamed")
    }
    // What this store holds it holds in memory.
    var body: [UInt8] = []
    while body.count < source.size {
      do {
        body += try await source.piece(at: Int64(body.count))
      } catch {
        throw StoreError(reading: error, for: upload.key, in: location)
      }
      try checkCancellation("UploadPart", upload.key)
    }
    return try await uploadPart(upload, number: number, body)
  }

  @discardableResult
  public func completeUpload(
    _ upload: MultipartUpload, parts: [UploadedPart], condition: WriteCondition
  ) async throws -> ObjectInfo {
    try checkCancellation("CompleteMultipartUpload", upload.key)
    let (sent, made) = service.state.withLock { state in
      let present = state.buckets[location.bucket]?[upload.key]?.info
      return (state.uploads[upload.id]?.parts, present.flatMap { $0.etag == state.completed[upload.id] ? $0 : nil })
    }
    guard let sent else {
      if let made { return made }
      throw failure(.uploadNotFound, "CompleteMultipartUpload", upload.key, "there is no upload \(upload.id)")
    }
    var body: [UInt8] = []
    for (position, part) in parts.enumerated() {
      let ordered = position == 0 || parts[position - 1].number < part.number
      guard ordered, let bytes = sent[part.number] else {
        throw failure(
          .unsupported, "CompleteMultipartUpload", upload.key, "part \(part.number) is missing or misplaced")
      }
      guard bytes.count >= limits.minimumPartSize || position == parts.count - 1 else {
        throw failure(.unsupported, "CompleteMultipartUpload", upload.key, "part \(part.number) is too small")
      }
      body += bytes
    }
    let info = try write(upload.key, body, condition: condition, operation: "CompleteMultipartUpload")
    service.state.withLock { state in
      state.uploads[upload.id] = nil
      state.completed[upload.id] = info.etag
    }
    return info
  }

  public func abortUpload(_ upload: MultipartUpload) async throws {
    try checkCancellation("AbortMultipartUpload", upload.key)
    service.state.withLock { $0.uploads[upload.id] = nil }
  }

  public func listUploads(_ request: UploadListRequest) async throws -> UploadPage {
    try checkCancellation("ListMultipartUploads", request.prefix)
    return service.state.withLock { state in
      let mine = state.uploads.values.filter { upload in
        upload.bucket == location.bucket && upload.handle.upload.key.hasPrefix(request.prefix)
      }
      return UploadPage(uploads: mine.map(\.handle))
    }
  }

  public func delete(_ key: ObjectKey) async throws {
    try checkCancellation("DeleteObject", key)
    service.state.withLock { $0.buckets[location.bucket]?[key] = nil }
  }

  public func delete(_ keys: [ObjectKey]) async throws {
    try checkCancellation("DeleteObjects", keys.first)
    service.state.withLock { state in
      for key in keys { state.buckets[location.bucket]?[key] = nil }
    }
  }

  private func stored(_ key: ObjectKey, operation: String) throws -> MemoryService.Stored {
    guard let stored = service.state.withLock({ $0.buckets[location.bucket]?[key] }) else {
      throw failure(.notFound, operation, key, "there is no such object")
    }
    return stored
  }

  private func write(
    _ key: ObjectKey, _ body: [UInt8], condition: WriteCondition, operation: String
  ) throws -> ObjectInfo {
    let written = service.state.withLock { state -> ObjectInfo? in
      if condition == .absent, state.buckets[location.bucket]?[key] != nil { return nil }
      state.counter += 1
      let info = ObjectInfo(
        key: key, size: Int64(body.count), etag: ETag("\"\(state.counter)\""), modified: Int64(state.counter))
      state.buckets[location.bucket, default: [:]][key] = MemoryService.Stored(info: info, bytes: body)
      return info
    }
    guard let written else { throw failure(.preconditionFailed, operation, key, "the object exists already") }
    return written
  }

  private func checkCancellation(_ operation: String, _ key: ObjectKey?) throws {
    guard Task.isCancelled else { return }
    throw StoreError(
      .cancelled, operation: operation, key: key, location: location, reason: "the request was cancelled")
  }

  private func failure(_ code: StoreError.Code, _ operation: String, _ key: ObjectKey, _ reason: String) -> StoreError {
    StoreError(code, operation: operation, key: key, location: location, reason: reason)
  }
}

/// Buckets shared by several `MemoryStore`s.
public final class MemoryService: Sendable {
  struct Stored {
    var info: ObjectInfo
    var bytes: [UInt8]
  }

  struct Upload {
    var bucket: String
    var handle: PendingUpload
    var parts: [Int: [UInt8]] = [:]
  }

  struct State {
    var buckets: [String: [ObjectKey: Stored]] = [:]
    var uploads: [String: Upload] = [:]
    /// What completed uploads made, for a completion that is repeated.
    var completed: [String: ETag] = [:]
    /// Source of ETags, upload ids and times: the store's own clock, so that runs repeat.
    var counter = 0
  }

  /// Stands for the endpoint.
  public let name: String
  let state = Mutex(State())

  /// Makes a service without buckets.
  public init(name: String) { self.name = name }

  /// Multipart uploads neither completed nor aborted.
  public var unfinishedUploads: Int { state.withLock { $0.uploads.count } }
}
