// A store in memory whose listings a test changes or holds up.

import ObjectStore

@testable import BackupFileSystem

/// Lets a closure see, change, hold up or refuse each page of a listing.
struct StoreWithListings: ObjectStore {
  let base: MemoryStore
  /// Told of each object that is read.
  var gets: @Sendable (ObjectKey) -> Void = { _ in }
  let change: @Sendable (ListRequest, inout ListPage) async throws -> Void
  var location: StoreLocation { base.location }
  var limits: UploadLimits { base.limits }

  func list(_ request: ListRequest) async throws -> ListPage {
    var page = try await base.list(request)
    try await change(request, &page)
    page.directories.sort()
    return page
  }
  func head(_ key: ObjectKey) async throws -> ObjectInfo { try await base.head(key) }
  func get(_ key: ObjectKey, range: Range<Int64>?, version: ETag?) async throws -> ObjectContent {
    gets(key)
    return try await base.get(key, range: range, version: version)
  }
  func put(_ key: ObjectKey, _ body: [UInt8], condition: WriteCondition) async throws -> ObjectInfo {
    try await base.put(key, body, condition: condition)
  }
  func copy(
    from source: ObjectKey, inBucket bucket: String, version: ETag?, size: Int64?, to key: ObjectKey
  ) async throws -> ObjectInfo {
    try await base.copy(from: source, inBucket: bucket, version: version, size: size, to: key)
  }
  func beginUpload(_ key: ObjectKey, streaming: Bool) async throws -> MultipartUpload {
    try await base.beginUpload(key, streaming: streaming)
  }
  func uploadPart(_ upload: MultipartUpload, number: Int, _ body: [UInt8]) async throws -> UploadedPart {
    try await base.uploadPart(upload, number: number, body)
  }
  func uploadPart(_ upload: MultipartUpload, number: Int, from source: PartSource) async throws -> UploadedPart {
    try await base.uploadPart(upload, number: number, from: source)
  }
  func completeUpload(
    _ upload: MultipartUpload, parts: [UploadedPart], condition: WriteCondition
  ) async throws -> ObjectInfo { try await base.completeUpload(upload, parts: parts, condition: condition) }
  func abortUpload(_ upload: MultipartUpload) async throws { try await base.abortUpload(upload) }
  func listUploads(_ request: UploadListRequest) async throws -> UploadPage { try await base.listUploads(request) }
  func delete(_ key: ObjectKey) async throws { try await base.delete(key) }
  func delete(_ keys: [ObjectKey]) async throws { try await base.delete(keys) }
}
