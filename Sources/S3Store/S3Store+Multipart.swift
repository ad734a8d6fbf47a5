// Multipart uploads.

import CurlHTTP
import ObjectStore

extension S3Store {
  /// CreateMultipartUpload.
  public func beginUpload(_ key: ObjectKey) async throws -> MultipartUpload {
    try await beginUpload(key, withChecksums: configuration.sendsChecksums)
  }

  /// CreateMultipartUpload. With checksums each part has to bring its own.
  func beginUpload(_ key: ObjectKey, withChecksums: Bool) async throws(StoreError) -> MultipartUpload {
    var call = S3Call("CreateMultipartUpload", .post, key)
    call.query = [("uploads", "")]
    if withChecksums { call.headers.append(HTTPHeader("x-amz-checksum-algorithm", "CRC32C")) }
    let fields = try fields(try await success(of: call), root: "InitiateMultipartUploadResult", call)
    guard let id = fields["UploadId"], !id.isEmpty else { throw violation("no UploadId", call) }
    return MultipartUpload(key: key, id: id)
  }

  /// UploadPart.
  public func uploadPart(_ upload: MultipartUpload, number: Int, _ body: [UInt8]) async throws -> UploadedPart {
    var call = S3Call("UploadPart", .put, upload.key)
    call.query = [("partNumber", String(number)), ("uploadId", upload.id)]
    call.body = body
    var checksum: String?
    if configuration.sendsChecksums {
      let text = CRC32C.base64(CRC32C.checksum(body))
      call.headers.append(HTTPHeader("x-amz-checksum-crc32c", text))
      checksum = text
    }
    let response = try await success(of: call)
    guard let etag = response.headers["ETag"], !etag.isEmpty else { throw violation("no ETag", call) }
    return UploadedPart(number: number, etag: ETag(normalizing: etag), size: Int64(body.count), checksum: checksum)
  }

  /// CompleteMultipartUpload. When its answer is lost, or a repetition finds no upload any more, the object itself
  /// tells whether it succeeded.
  @discardableResult
  public func completeUpload(
    _ upload: MultipartUpload, parts: [UploadedPart], condition: WriteCondition
  ) async throws -> ObjectInfo {
    let parts = parts.sorted { $0.number < $1.number }
    var call = S3Call("CompleteMultipartUpload", .post, upload.key)
    call.query = [("uploadId", upload.id)]
    call.setCondition(condition)
    call.isSlow = true
    call.body = Self.document(parts)
    let failure: StoreError
    do throws(StoreError) {
      let response = try await success(of: call)
      let fields = try fields(response, root: "CompleteMultipartUploadResult", call)
      guard let etag = fields["ETag"], !etag.isEmpty else { throw violation("no ETag", call) }
      let time = response.headers["Date"].flatMap(Timestamp.parseHTTP) ?? identity.now
      return ObjectInfo(
        key: upload.key, size: Self.size(of: parts), etag: ETag(normalizing: etag), modified: time)
    } catch {
      failure = error
    }
    guard failure.leavesCompletionOpen, let info = try? await completedObject(upload.key, parts) else { throw failure }
    return info
  }

  /// AbortMultipartUpload.
  public func abortUpload(_ upload: MultipartUpload) async throws {
    var call = S3Call("AbortMultipartUpload", .delete, upload.key)
    call.query = [("uploadId", upload.id)]
    if case .refusal(let refusal) = try await answer(to: call), refusal.code != "NoSuchUpload",
      refusal.code != "NoSuchKey"
    {
      throw error(refusal, for: call)
    }
  }

  /// ListMultipartUploads. The prefix is applied here as well: some services take it for a whole key.
  public func listUploads(_ request: UploadListRequest) async throws -> UploadPage {
    var call = S3Call("ListMultipartUploads", .get)
    call.query = [("uploads", ""), ("encoding-type", "url"), ("max-uploads", "1000")]
    if request.prefix.byteCount > 0 { call.query.append(("prefix", request.prefix.string)) }
    if let continuation = request.continuation {
      call.query += [("key-marker", continuation.key), ("upload-id-marker", continuation.id)]
    }
    let fields = try fields(try await success(of: call), root: "ListMultipartUploadsResult", call)
    let isEncoded = fields["EncodingType"] == "url"
    func decoded(_ text: String) throws(StoreError) -> String {
      guard isEncoded else { return text }
      guard let bytes = PercentEncoding.decodedForm(Array(text.utf8)[...]),
        let key = String(validating: bytes, as: UTF8.self)
      else { throw violation("a key that is not percent-encoded UTF-8: \(text)", call) }
      return key
    }
    var page = UploadPage(uploads: [])
    for record in fields.records where record.name == "Upload" {
      guard let key = record["Key"], let id = record["UploadId"], !id.isEmpty else {
        throw violation("an upload without Key or UploadId", call)
      }
      let upload = MultipartUpload(key: ObjectKey(try decoded(key)), id: id)
      let begun = record["Initiated"].flatMap { Timestamp.parseISO8601($0.utf8) } ?? identity.now
      if upload.key.hasPrefix(request.prefix) { page.uploads.append(PendingUpload(upload: upload, begun: begun)) }
    }
    if fields["IsTruncated"] == "true" {
      guard let key = fields["NextKeyMarker"], let id = fields["NextUploadIdMarker"] else {
        throw violation("IsTruncated without NextKeyMarker and NextUploadIdMarker", call)
      }
      let next = UploadListRequest.Continuation(key: try decoded(key), id: id)
      guard next != request.continuation else { throw violation("a listing that continues where it began", call) }
      page.continuation = next
    }
    return page
  }

  /// The object, if it is the one that these parts make; nil if it is another or none.
  private func completedObject(_ key: ObjectKey, _ parts: [UploadedPart]) async throws(StoreError) -> ObjectInfo? {
    var call = S3Call("HeadObject", .head, key)
    call.headers.append(HTTPHeader("x-amz-checksum-mode", "ENABLED"))
    let response = try await success(of: call)
    guard let size = response.headers["Content-Length"].flatMap({ Int64($0) }), size == Self.size(of: parts) else {
      return nil
    }
    let info = try info(key, size: size, response.headers, call)
    // An older object may happen to have the same size. Its checksum, or the number of parts that services add to the
    // ETag, gives it away.
    if let expected = Self.compositeChecksum(of: parts), let stored = response.headers["x-amz-checksum-crc32c"],
      stored.utf8.contains(UInt8(ascii: "-"))
    {
      return stored == expected ? info : nil
    }
    return info.etag.partCount == parts.count ? info : nil
  }

  /// The checksum of the parts' checksums (S3 API reference, "composite checksums"). Nil when a part has none.
  static func compositeChecksum(of parts: [UploadedPart]) -> String? {
    var bytes: [UInt8] = []
    for part in parts {
      guard let checksum = part.checksum.flatMap(CRC32C.fromBase64) else { return nil }
      for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: checksum >> shift)) }
    }
    return "\(CRC32C.base64(CRC32C.checksum(bytes)))-\(parts.count)"
  }

  private static func size(of parts: [UploadedPart]) -> Int64 { parts.reduce(0) { $0 + $1.size } }

  private static func document(_ parts: [UploadedPart]) -> [UInt8] {
    var text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    for part in parts {
      text += "<Part><PartNumber>\(part.number)</PartNumber><ETag>\(XMLEntities.escaped(part.etag.rawValue))</ETag>"
      if let checksum = part.checksum {
        text += "<ChecksumCRC32C>\(XMLEntities.escaped(checksum))</ChecksumCRC32C>"
      }
      text += "</Part>"
    }
    text += "</CompleteMultipartUpload>"
    return Array(text.utf8)
  }
}

extension ETag {
  /// The number of parts that an object was made of, which services add behind a dash.
  var partCount: Int? {
    let text = rawValue.filter { $0 != "\"" }
    return text.lastIndex(of: "-").flatMap { Int(text[text.index(after: $0)...]) }
  }
}

extension StoreError {
  /// Whether a completion that ended so may nevertheless have taken place.
  fileprivate var leavesCompletionOpen: Bool {
    switch code {
    case .uploadNotFound, .connectionLost, .timedOut, .serverError, .protocolViolation: true
    default: false
    }
  }
}
