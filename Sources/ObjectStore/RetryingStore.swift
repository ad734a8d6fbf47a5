// Asks again what may be asked again. Wraps any store; itself a store.
//
// A write under a condition needs care: when the answer to the first try was lost, the second one meets the object that
// the first one made and reports a failed precondition. `put` and `completeUpload` then look whether the object is ours.

import Synchronization

/// Retries transient failures of another store under a `RetryPolicy`.
public struct RetryingStore<Base: ObjectStore>: ObjectStore {
  private let base: Base
  private let policy: RetryPolicy

  /// Wraps a store.
  public init(_ base: Base, policy: RetryPolicy = RetryPolicy()) {
    self.base = base
    self.policy = policy
  }

  public var location: StoreLocation { base.location }
  public var limits: UploadLimits { base.limits }

  public func list(_ request: ListRequest) async throws -> ListPage {
    try await retrying { _ in try await base.list(request) }
  }

  public func head(_ key: ObjectKey) async throws -> ObjectInfo {
    try await retrying { _ in try await base.head(key) }
  }

  public func get(_ key: ObjectKey, range: Range<Int64>?, version: ETag?) async throws -> ObjectContent {
    try await retrying { _ in try await base.get(key, range: range, version: version) }
  }

  @discardableResult
  public func put(_ key: ObjectKey, _ body: [UInt8], condition: WriteCondition) async throws -> ObjectInfo {
    try await retrying { failures in
      do {
        return try await base.put(key, body, condition: condition)
      } catch let error as StoreError where error.code == .preconditionFailed && failures > 0 {
        do {
          let present = try await base.get(key, range: 0..<Int64(body.count) + 1, version: nil)
          guard present.bytes == body else { throw error }
          return present.info
        } catch let absence as StoreError where absence.code == .notFound {
          throw error
        }
      }
    }
  }

  @discardableResult
  public func copy(
    from source: ObjectKey, inBucket bucket: String, version: ETag?, size: Int64?, to key: ObjectKey
  ) async throws -> ObjectInfo {
    try await retrying { _ in try await base.copy(from: source, inBucket: bucket, version: version, size: size, to: key)
    }
  }

  public func beginUpload(_ key: ObjectKey, streaming: Bool) async throws -> MultipartUpload {
    try await retrying { _ in try await base.beginUpload(key, streaming: streaming) }
  }

  public func uploadPart(_ upload: MultipartUpload, number: Int, _ body: [UInt8]) async throws -> UploadedPart {
    try await retrying { _ in try await base.uploadPart(upload, number: number, body) }
  }

  /// Begins the part anew after a failure. A large part takes long: patience is counted from its last piece.
  public func uploadPart(
    _ upload: MultipartUpload, number: Int, from source: PartSource
  ) async throws -> UploadedPart {
    let lastProgress = Mutex(ContinuousClock.now)
    return try await retrying(since: { lastProgress.withLock { $0 } }) { _ in
      let noting = source.wrapped { read in
        let bytes = try await read()
        lastProgress.withLock { $0 = .now }
        return bytes
      }
      return try await base.uploadPart(upload, number: number, from: noting)
    }
  }

  @discardableResult
  public func completeUpload(
    _ upload: MultipartUpload, parts: [UploadedPart], condition: WriteCondition
  ) async throws -> ObjectInfo {
    try await retrying { failures in
      do {
        return try await base.completeUpload(upload, parts: parts, condition: condition)
      } catch let error as StoreError
        where failures > 0 && (error.code == .preconditionFailed || error.code == .uploadNotFound)
      {
        do {
          let present = try await base.head(upload.key)
          guard present.size == parts.reduce(0, { $0 + $1.size }) else { throw error }
          return present
        } catch let absence as StoreError where absence.code == .notFound {
          throw error
        }
      }
    }
  }

  public func abortUpload(_ upload: MultipartUpload) async throws {
    try await retrying { _ in try await base.abortUpload(upload) }
  }

  public func listUploads(_ request: UploadListRequest) async throws -> UploadPage {
    try await retrying { _ in try await base.listUploads(request) }
  }

  public func delete(_ key: ObjectKey) async throws {
    try await retrying { _ in try await base.delete(key) }
  }

  public func delete(_ keys: [ObjectKey]) async throws {
    try await retrying { _ in try await base.delete(keys) }
  }

  /// Runs `operation`, giving it the number of failures so far, until it succeeds or the policy says stop.
  /// - Parameter progress: since when patience counts; from now on unless given.
  private func retrying<Value>(
    since progress: (() -> ContinuousClock.Instant)? = nil, _ operation: (_ failures: Int) async throws -> Value
  ) async throws -> Value {
    var state = RetryState(policy)
    let clock = ContinuousClock()
    let begin = clock.now
    while true {
      do {
        return try await operation(state.failures)
      } catch let error as StoreError {
        let elapsed = (clock.now - (progress?() ?? begin)) / .seconds(1)
        switch state.failed(error, elapsed: elapsed, jitter: Double.random(in: 0...1)) {
        case .giveUp:
          throw state.failures > 1 ? error.afterAttempts(state.failures) : error
        case .retry(let delay):
          do {
            try await Task.sleep(for: .seconds(delay))
          } catch {
            throw StoreError(
              .cancelled, operation: "waiting to try again", location: location, reason: "the request was cancelled")
          }
        }
      }
    }
  }
}

extension StoreError {
  /// The same error, telling how often it was tried.
  func afterAttempts(_ count: Int) -> StoreError {
    var copy = self
    copy.reason += " (tried \(count) times)"
    return copy
  }
}
