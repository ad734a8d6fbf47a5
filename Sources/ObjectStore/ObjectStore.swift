// The narrow waist of the program: what a place for objects must be able to do.
//
// Everything above (file system, engine) and every decorator (retry, limits, faults, metrics) knows only this protocol.
// Contracts that hold for each store:
// - A write that returned is durable and visible to every later call (read-after-write, list-after-write).
// - A write that threw left the old object, the new one, or none; never a part of one.
// - Calls are safe to make at once from many tasks and end promptly with `.cancelled` when their task is cancelled.
// - Bodies are whole in memory: callers bound them by working in ranges and parts, so a retry can send them again. Parts
//   that would be too large for that are streamed from a source that can be read again.

/// A flat name space of immutable objects, addressed by key.
public protocol ObjectStore: Sendable {
  /// Which bucket of which service this is.
  var location: StoreLocation { get }

  /// What the store prescribes for uploads.
  var limits: UploadLimits { get }

  /// One page of keys in bytewise order. Idempotent.
  /// - Throws: `StoreError` `.bucketNotFound`, `.accessDenied`, or transport errors.
  func list(_ request: ListRequest) async throws -> ListPage

  /// Size, ETag and time of one object. Idempotent.
  /// - Throws: `.notFound` when there is no such object.
  func head(_ key: ObjectKey) async throws -> ObjectInfo

  /// An object's bytes, or those of `range` cut to the object's end. Idempotent.
  /// - Parameters:
  ///   - range: bytes wanted; nil for all. A range that begins at or behind the end yields no bytes.
  ///   - version: when given, only this version is read.
  /// - Throws: `.notFound`; `.changed` when the object is no longer the version asked for.
  func get(_ key: ObjectKey, range: Range<Int64>?, version: ETag?) async throws -> ObjectContent

  /// Writes an object whole. Idempotent with condition `.none`.
  /// - Throws: `.preconditionFailed` when `condition` does not hold.
  @discardableResult
  func put(_ key: ObjectKey, _ body: [UInt8], condition: WriteCondition) async throws -> ObjectInfo

  /// Copies within the service, no byte passing the client. The source may lie in another bucket of the same endpoint.
  /// - Parameters:
  ///   - source: key in `bucket`.
  ///   - version: the only version that may be copied; nil for whatever is there.
  ///   - size: of that version, in bytes, if it is known: it need not be asked for then where the copy is seen to be equal.
  /// - Throws: `.notFound` for the source, `.changed` when it is not `version`, `.accessDenied` when these credentials
  ///   cannot read it.
  @discardableResult
  func copy(
    from source: ObjectKey, inBucket bucket: String, version: ETag?, size: Int64?, to key: ObjectKey
  ) async throws -> ObjectInfo

  /// Begins a multipart upload. Nothing is visible until `completeUpload`.
  /// - Parameter streaming: whether parts may be streamed. Stores can protect parts better that are not.
  func beginUpload(_ key: ObjectKey, streaming: Bool) async throws -> MultipartUpload

  /// Sends one part; sending the same number again replaces it.
  /// - Throws: `.uploadNotFound` when the upload was completed or aborted.
  func uploadPart(_ upload: MultipartUpload, number: Int, _ body: [UInt8]) async throws -> UploadedPart

  /// Sends one part, reading it meanwhile: at most one piece of it is in memory. Sending the same number again replaces
  /// it. When it ends, well or not, `source` is not being read any more; when the store refuses the part or the task is
  /// cancelled, reading is cancelled at once. A failed part leaves nothing, or what was sent under the number before.
  /// - Parameter source: may be read several times, each time from the beginning. Its errors end the call.
  /// - Throws: `.uploadNotFound` when the upload was completed or aborted; `.unsupported` when it was not begun for
  ///   streaming; what `source` throws, as it is when that is a `StoreError`.
  func uploadPart(_ upload: MultipartUpload, number: Int, from source: PartSource) async throws -> UploadedPart

  /// Makes the parts, in ascending order of their numbers, an object; atomic.
  ///
  /// A lost answer is resolved by looking, so calling it again after an error is safe.
  @discardableResult
  func completeUpload(_ upload: MultipartUpload, parts: [UploadedPart], condition: WriteCondition) async throws
    -> ObjectInfo

  /// Drops an upload and what was sent of it. Idempotent: an unknown upload is no error.
  func abortUpload(_ upload: MultipartUpload) async throws

  /// One page of the uploads below a prefix that are neither completed nor aborted, in no particular order. Idempotent.
  func listUploads(_ request: UploadListRequest) async throws -> UploadPage

  /// Removes an object. Idempotent: an absent object is no error.
  func delete(_ key: ObjectKey) async throws

  /// Removes objects, as many in one request as the store takes. Idempotent: absent objects are no error.
  /// - Throws: the first object's error when some could not be removed; all others were tried nevertheless.
  func delete(_ keys: [ObjectKey]) async throws
}

extension ObjectStore {
  /// Begins a multipart upload whose parts are all sent whole.
  public func beginUpload(_ key: ObjectKey) async throws -> MultipartUpload {
    try await beginUpload(key, streaming: false)
  }

  /// Copies within the service a source whose size is not known.
  @discardableResult
  public func copy(
    from source: ObjectKey, inBucket bucket: String, version: ETag?, to key: ObjectKey
  ) async throws -> ObjectInfo {
    try await copy(from: source, inBucket: bucket, version: version, size: nil, to: key)
  }

  /// Every object below a prefix, page by page. Each page is in bytewise key order; so are all of them together, but for
  /// services that walk a tree of directories, which put `b/1` before `b-1`.
  public func listAll(_ prefix: ObjectKey, each: (ListPage) async throws -> Void) async throws {
    var request = ListRequest(prefix: prefix)
    repeat {
      let page = try await list(request)
      try await each(page)
      request.continuation = page.continuation
    } while request.continuation != nil
  }

  /// Every unfinished upload below a prefix.
  public func listAllUploads(_ prefix: ObjectKey) async throws -> [PendingUpload] {
    var request = UploadListRequest(prefix: prefix)
    var uploads: [PendingUpload] = []
    repeat {
      let page = try await listUploads(request)
      uploads += page.uploads
      request.continuation = page.continuation
    } while request.continuation != nil
    return uploads
  }

  /// Every object below a prefix in one array: about 250 bytes of memory each.
  public func listAll(_ prefix: ObjectKey) async throws -> [ObjectInfo] {
    var objects: [ObjectInfo] = []
    try await listAll(prefix) { objects += $0.objects }
    return objects
  }
}
