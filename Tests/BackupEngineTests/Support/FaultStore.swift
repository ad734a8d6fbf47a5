// A store that does what another one does, unless a rule says otherwise; it writes down what it was asked to do.

import ObjectStore
import Synchronization

final class FaultStore: ObjectStore {
  enum Operation: String, Sendable { case list, head, get, put, copy, delete }

  typealias Rule = @Sendable (Operation, ObjectKey) async throws -> Void

  private struct State {
    var rules: [Rule] = []
    var rejectsConditions = false
    var log: [(operation: Operation, key: String)] = []
  }

  private let base: any ObjectStore
  private let state = Mutex(State())
  let location: StoreLocation
  var limits: UploadLimits { base.limits }

  init(_ base: any ObjectStore) {
    self.base = base
    location = base.location
  }

  /// Adds a rule: it throws what the store shall throw, or waits, or does nothing.
  func add(_ rule: @escaping Rule) { state.withLock { $0.rules.append(rule) } }

  func removeRules() { state.withLock { $0.rules = [] } }

  /// Writes under a condition fail as on stores that do not know them.
  func rejectConditions() { state.withLock { $0.rejectsConditions = true } }

  /// Keys of the objects written, in order.
  var written: [String] {
    state.withLock { $0.log.filter { $0.operation == .put || $0.operation == .copy }.map(\.key) }
  }

  func error(_ code: StoreError.Code, _ operation: String, _ key: ObjectKey) -> StoreError {
    StoreError(code, operation: operation, key: key, location: location, reason: "as the test wants it")
  }

  private func begin(_ operation: Operation, _ key: ObjectKey) async throws {
    let rules = state.withLock { state in
      state.log.append((operation, key.string))
      return state.rules
    }
    try Task.checkCancellation()
    for rule in rules { try await rule(operation, key) }
  }

  func list(_ request: ListRequest) async throws -> ListPage {
    try await begin(.list, request.prefix)
    return try await base.list(request)
  }

  func head(_ key: ObjectKey) async throws -> ObjectInfo {
    try await begin(.head, key)
    return try await base.head(key)
  }

  func get(_ key: ObjectKey, range: Range<Int64>?, version: ETag?) async throws -> ObjectContent {
    try await begin(.get, key)
    return try await base.get(key, range: range, version: version)
  }

  func put(_ key: ObjectKey, _ body: [UInt8], condition: WriteCondition) async throws -> ObjectInfo {
    try await begin(.put, key)
    if condition != .none, state.withLock({ $0.rejectsConditions }) { throw error(.unsupported, "PutObject", key) }
    return try await base.put(key, body, condition: condition)
  }

  func copy(
    from source: ObjectKey, inBucket bucket: String, version: ETag?, size: Int64?, to key: ObjectKey
  ) async throws -> ObjectInfo {
    try await begin(.copy, key)
    return try await base.copy(from: source, inBucket: bucket, version: version, size: size, to: key)
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
  ) async throws -> ObjectInfo {
    try await base.completeUpload(upload, parts: parts, condition: condition)
  }

  func abortUpload(_ upload: MultipartUpload) async throws { try await base.abortUpload(upload) }

  func listUploads(_ request: UploadListRequest) async throws -> UploadPage { try await base.listUploads(request) }

  func delete(_ key: ObjectKey) async throws {
    try await begin(.delete, key)
    try await base.delete(key)
  }

  func delete(_ keys: [ObjectKey]) async throws {
    for key in keys { try await delete(key) }
  }
}
