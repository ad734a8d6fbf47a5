// Copying on the service's side.

import CurlHTTP
import ObjectStore

extension S3Store {
  /// CopyObject; for objects too large for it a multipart upload of UploadPartCopy.
  @discardableResult
  public func copy(
    from source: ObjectKey, inBucket bucket: String, version: ETag?, size: Int64?, to key: ObjectKey
  ) async throws -> ObjectInfo {
    // CopyObject does not answer with a size. A copy with the same MD5 as its source has the size of the source; that of
    // any other given version can be asked for meanwhile.
    let isExpectedEqual = size != nil && version?.isMD5 == true
    async let versioned =
      version == nil || isExpectedEqual ? nil : head(source, inBucket: bucket, version: version)
    switch try await copyWhole(from: source, inBucket: bucket, version: version, to: key) {
    case .done(let etag, let modified):
      if isExpectedEqual, let size, etag == version {
        return ObjectInfo(key: key, size: size, etag: etag, modified: modified)
      }
      guard let source = try await versioned else { return try await head(key) }
      return ObjectInfo(key: key, size: source.size, etag: etag, modified: modified)
    case .refused(let error):
      var large = try await versioned
      if large == nil { large = try await head(source, inBucket: bucket, version: version) }
      guard let large, large.size > limits.maximumSinglePut else { throw error }
      return try await copyInParts(large, inBucket: bucket, to: key, partSize: Self.copyPartSize(large.size))
    }
  }

  private enum WholeCopy {
    case done(ETag, modified: Int64)
    /// Refused in a way that can be due to the source's size.
    case refused(StoreError)
  }

  private func copyWhole(
    from source: ObjectKey, inBucket bucket: String, version: ETag?, to key: ObjectKey
  ) async throws(StoreError) -> WholeCopy {
    var call = copyCall("CopyObject", from: source, inBucket: bucket, version: version, to: key)
    call.headers.append(HTTPHeader("x-amz-metadata-directive", "COPY"))
    switch try await answer(to: call) {
    case .success(let response):
      let fields = try fields(response, root: "CopyObjectResult", call)
      guard let etag = fields["ETag"], !etag.isEmpty else { throw violation("no ETag", call) }
      let modified = fields["LastModified"].flatMap { Timestamp.parseISO8601($0.utf8) } ?? identity.now
      return .done(ETag(normalizing: etag), modified: modified)
    case .refusal(let refusal):
      let failure = error(refusal, for: call)
      if refusal.code == "EntityTooLarge" || refusal.code == "InvalidRequest" { return .refused(failure) }
      throw failure
    }
  }

  /// Copies one version of an object as a multipart upload, several parts at once; aborts it on any error.
  func copyInParts(
    _ source: ObjectInfo, inBucket bucket: String, to key: ObjectKey, partSize: Int64, width: Int = 8
  ) async throws -> ObjectInfo {
    let upload = try await beginUpload(key, withChecksums: false)
    do {
      let count = Int((source.size + partSize - 1) / partSize)
      let parts = try await withThrowingTaskGroup(of: UploadedPart.self) { group in
        var parts: [UploadedPart] = []
        for index in 0..<count {
          if index >= width, let part = try await group.next() { parts.append(part) }
          let start = Int64(index) * partSize
          group.addTask {
            try await self.copyPart(
              upload, number: index + 1, from: source, inBucket: bucket, start..<min(start + partSize, source.size))
          }
        }
        for try await part in group { parts.append(part) }
        return parts
      }
      return try await completeUpload(upload, parts: parts, condition: .none)
    } catch {
      // In a task of its own, since this one may be cancelled; the transport's timeouts bound it.
      await Task { try? await self.abortUpload(upload) }.value
      throw error
    }
  }

  /// UploadPartCopy.
  private func copyPart(
    _ upload: MultipartUpload, number: Int, from source: ObjectInfo, inBucket bucket: String, _ range: Range<Int64>
  ) async throws(StoreError) -> UploadedPart {
    var call = copyCall(
      "UploadPartCopy", from: source.key, inBucket: bucket, version: source.etag, to: upload.key)
    call.query = [("partNumber", String(number)), ("uploadId", upload.id)]
    call.headers.append(
      HTTPHeader("x-amz-copy-source-range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"))
    let response = try success(try await answerOfPart(call, of: upload), of: call)
    let fields = try fields(response, root: "CopyPartResult", call)
    guard let etag = fields["ETag"], !etag.isEmpty else { throw violation("no ETag", call) }
    return UploadedPart(
      number: number, etag: ETag(normalizing: etag), size: range.upperBound - range.lowerBound)
  }

  private func copyCall(
    _ operation: String, from source: ObjectKey, inBucket bucket: String, version: ETag?, to key: ObjectKey
  ) -> S3Call {
    var call = S3Call(operation, .put, key)
    call.isSlow = true
    call.isDocument = true
    call.source = source
    let path = "\(bucket)/\(source)"
    call.headers.append(
      HTTPHeader("x-amz-copy-source", PercentEncoding.encoded(path, keepingSlash: true)))
    if let version { call.headers.append(HTTPHeader("x-amz-copy-source-if-match", version.rawValue)) }
    return call
  }

  /// 512 MiB, or what it takes to stay below 10,000 parts.
  static func copyPartSize(_ size: Int64) -> Int64 { max(512 << 20, (size + 9_999) / 10_000) }
}
