// One object from one store to another: on the server's side where both ends are one service, else through memory in
// bounded ranges and parts. Success means: the target holds exactly the version that was asked for, sizes equal.
//
// Memory: each part under way holds the bytes of one piece from before its first byte is read until it has ended, whatever
// its size, and waits for nothing else of the budget meanwhile; so parts cannot wait for each other.

/// Moves whole objects between stores within a byte budget.
public struct ObjectCopier: Sendable {
  /// Largest object moved in one piece, and the size of the parts of larger ones, in bytes.
  public static let partSize = PartSource.pieceSize

  private let budget: ByteBudget
  private let partsInFlight: Int

  /// Makes a copier.
  /// - Parameters:
  ///   - budget: bytes that all copies sharing it may hold at once.
  ///   - partsInFlight: parts of one object moved at the same time.
  public init(budget: ByteBudget, partsInFlight: Int = 4) {
    self.budget = budget
    self.partsInFlight = max(1, partsInFlight)
  }

  /// Copies one object.
  /// - Parameters:
  ///   - object: as listed in `source`; this version is copied or none.
  ///   - condition: holds for what passes through this program; a copy on the server's side overwrites in any case.
  ///   - moved: told of bytes as they arrive; sums up to the object's size.
  /// - Throws: `StoreError`: `.changed` when the source is another version now, `.corrupted` when the target does not
  ///   have the size; nothing is published then and no upload is left behind.
  @discardableResult
  public func copy(
    _ object: ObjectInfo, from source: any ObjectStore, to target: any ObjectStore, as key: ObjectKey,
    condition: WriteCondition = .none, moved: @Sendable (Int64) -> Void = { _ in }
  ) async throws -> ObjectInfo {
    let written: ObjectInfo
    if let copied = try await copyInside(object, from: source, to: target, as: key) {
      moved(object.size)
      written = copied
    } else if object.size <= Int64(Self.partSize) {
      written = try await budget.withBytes(Int(object.size)) {
        let content = try await source.get(object.key, range: nil, version: object.etag)
        return try await target.put(key, content.bytes, condition: condition)
      }
      moved(object.size)
    } else {
      written = try await copyInParts(object, from: source, to: target, as: key, condition: condition, moved: moved)
    }
    guard written.size == object.size else {
      throw StoreError(
        .corrupted, operation: "copying \(object.key)", key: key, location: target.location,
        reason: "it has \(written.size) bytes instead of \(object.size)", remedy: "Copy it again.")
    }
    return written
  }

  /// Copies on the server's side; nil when the two stores are not one service or its rules forbid it.
  private func copyInside(
    _ object: ObjectInfo, from source: any ObjectStore, to target: any ObjectStore, as key: ObjectKey
  ) async throws -> ObjectInfo? {
    guard source.location.isSameService(as: target.location) else { return nil }
    do {
      return try await target.copy(
        from: object.key, inBucket: source.location.bucket, version: object.etag, size: object.size, to: key)
    } catch let error as StoreError where error.code == .accessDenied || error.code == .unsupported {
      // The target's credentials may lack the right to read the source: the slower way has both sets of credentials.
      return nil
    }
  }

  private func copyInParts(
    _ object: ObjectInfo, from source: any ObjectStore, to target: any ObjectStore, as key: ObjectKey,
    condition: WriteCondition, moved: @Sendable (Int64) -> Void
  ) async throws -> ObjectInfo {
    let upload = try await target.beginUpload(key, streaming: Self.streamsParts(of: object.size, limits: target.limits))
    do {
      let parts = try await moveParts(
        object, from: source, to: target, upload: upload, range: 0..<object.size, firstNumber: 1, moved: moved)
      return try await target.completeUpload(upload, parts: parts, condition: condition)
    } catch {
      await target.abandon(upload)
      throw error
    }
  }

  /// Moves a range of an object as consecutive parts of an upload, several at a time; the parts come back in order.
  /// - Parameter upload: begun for streaming if `streamsParts` says so of the object's size.
  public func moveParts(
    _ object: ObjectInfo, from source: any ObjectStore, to target: any ObjectStore, upload: MultipartUpload,
    range: Range<Int64>, firstNumber: Int, moved: @Sendable (Int64) -> Void = { _ in }
  ) async throws -> [UploadedPart] {
    let size = Self.partSize(for: object.size, limits: target.limits)
    let count = Int((range.upperBound - range.lowerBound + size - 1) / size)
    return try await withThrowingTaskGroup(of: UploadedPart.self) { group in
      var parts: [UploadedPart] = []
      var next = 0
      while parts.count < count {
        while next < count, next - parts.count < partsInFlight {
          let begin = range.lowerBound + Int64(next) * size
          let part = begin..<min(begin + size, range.upperBound)
          let number = firstNumber + next
          group.addTask {
            try await budget.withBytes(min(part.count, Self.partSize)) {
              guard part.count > Self.partSize else {
                let bytes = try await Self.fetch(part, of: object, from: source)
                return try await target.uploadPart(upload, number: number, bytes)
              }
              let content = PartSource(size: Int64(part.count)) { piece in
                let range = part.lowerBound + piece.lowerBound..<part.lowerBound + piece.upperBound
                return try await Self.fetch(range, of: object, from: source)
              }
              return try await target.uploadPart(upload, number: number, from: content)
            }
          }
          next += 1
        }
        guard let done = try await group.next() else { break }
        moved(done.size)
        parts.append(done)
      }
      return parts.sorted { $0.number < $1.number }
    }
  }

  private static func fetch(
    _ range: Range<Int64>, of object: ObjectInfo, from source: any ObjectStore
  ) async throws -> [UInt8] {
    let content = try await source.get(object.key, range: range, version: object.etag)
    guard content.bytes.count == range.count else {
      throw StoreError(
        .connectionLost, operation: "GetObject", key: object.key, location: source.location,
        reason: "\(content.bytes.count) bytes came instead of \(range.count)", isTransient: true)
    }
    return content.bytes
  }

  /// Whether the parts of an object are larger than what is held in memory, so that they are streamed.
  public static func streamsParts(of size: Int64, limits: UploadLimits) -> Bool {
    partSize(for: size, limits: limits) > Int64(partSize)
  }

  /// Size of the parts of an object: the usual one, or as much as it takes to stay within the store's number of parts.
  public static func partSize(for size: Int64, limits: UploadLimits) -> Int64 {
    let least = (size + Int64(limits.maximumParts) - 1) / Int64(limits.maximumParts)
    // Whole mebibytes keep ranges aligned with what stores keep internally.
    let mebibyte: Int64 = 1 << 20
    let rounded = (least + mebibyte - 1) / mebibyte * mebibyte
    return max(Int64(partSize), Int64(limits.minimumPartSize), rounded)
  }
}

extension ObjectStore {
  /// Aborts an upload whose work failed, even if the task is cancelled: a leftover would cost the bucket's owner.
  public func abandon(_ upload: MultipartUpload) async {
    await Task { try? await self.abortUpload(upload) }.value
  }
}
