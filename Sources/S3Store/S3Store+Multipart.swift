// Multipart uploads.

import CurlHTTP
import ObjectStore

extension S3Store {
  /// CreateMultipartUpload. The request is carried through even when the task is cancelled meanwhile: only its answer
  /// names the upload, and an upload without a name could never be removed. The caller is told at once; an upload that
  /// the service makes nevertheless is aborted in the background.
  ///
  /// Parts that are streamed bring no checksum (`uploadPart(_:number:from:)`), so that the upload must not ask for any.
  public func beginUpload(_ key: ObjectKey, streaming: Bool) async throws -> MultipartUpload {
    var upload = try await beginUpload(key, withChecksums: !streaming)
    upload.isStreaming = streaming
    return upload
  }

  /// CreateMultipartUpload. With checksums each part has to bring its own.
  func beginUpload(_ key: ObjectKey, withChecksums: Bool) async throws -> MultipartUpload {
    do {
      return try await BackgroundWork.shared.carryOut {
        try await self.createUpload(key, withChecksums: withChecksums)
      } orphan: { upload in
        await self.removeOrphan(upload)
      }
    } catch is CancellationError {
      throw StoreError(
        .cancelled, operation: "CreateMultipartUpload", key: key, location: location,
        reason: "the request was cancelled")
    }
  }

  private func createUpload(_ key: ObjectKey, withChecksums: Bool) async throws(StoreError) -> MultipartUpload {
    func call(_ withChecksums: Bool) -> S3Call {
      var call = S3Call("CreateMultipartUpload", .post, key)
      call.query = [("uploads", "")]
      call.isDocument = true
      // A silent repetition would make two uploads, and only one of them would be known.
      call.mustNotRepeat = true
      if withChecksums { call.headers.append(HTTPHeader("x-amz-checksum-algorithm", "CRC32C")) }
      return call
    }
    let entry = journal?.intend(location, key)
    let answer: Answer
    do throws(StoreError) {
      answer =
        withChecksums
        ? try await self.answer(call).0 : try await self.answer(to: call(false))
    } catch {
      // Without a connection nothing was asked.
      if error.code == .unreachable { journal?.over(entry) } else { journal?.lost(entry) }
      throw error
    }
    switch answer {
    case .refusal(let refusal):
      let failure = error(refusal, for: call(withChecksums))
      // After a failure inside, the upload may exist.
      if failure.code == .serverError { journal?.lost(entry) } else { journal?.over(entry) }
      throw failure
    case .success(let response):
      do throws(StoreError) {
        let fields = try fields(response, root: "InitiateMultipartUploadResult", call(withChecksums))
        guard let id = fields["UploadId"], !id.isEmpty else { throw violation("no UploadId", call(withChecksums)) }
        let upload = MultipartUpload(key: key, id: id)
        journal?.begun(entry, upload)
        return upload
      } catch {
        journal?.lost(entry)
        throw error
      }
    }
  }

  /// Aborts an upload that nobody knows of, asking a few times: there is nobody else to do it.
  private func removeOrphan(_ upload: MultipartUpload) async {
    for delay in [0.2, 1, 5, 0] {
      do {
        return try await abortUpload(upload)
      } catch {
        try? await Task.sleep(for: .seconds(delay))
      }
    }
  }

  /// UploadPart.
  public func uploadPart(_ upload: MultipartUpload, number: Int, _ body: [UInt8]) async throws -> UploadedPart {
    if upload.isStreaming { return try await uploadPart(upload, number: number, from: PartSource(body)) }
    try check(number, of: upload)
    let checksum = abilities.takesChecksums ? CRC32C.base64(CRC32C.checksum(body)) : nil
    func call(_ withChecksums: Bool) -> S3Call {
      var call = S3Call("UploadPart", .put, upload.key)
      call.query = [("partNumber", String(number)), ("uploadId", upload.id)]
      call.body = body
      if withChecksums, let checksum { call.headers.append(HTTPHeader("x-amz-checksum-crc32c", checksum)) }
      return call
    }
    let (answer, withChecksums) = try await self.answer(call) { call throws(StoreError) in
      try await self.answerOfPart(call, of: upload)
    }
    let response = try success(answer, of: call(withChecksums))
    guard let etag = response.headers["ETag"], !etag.isEmpty else { throw violation("no ETag", call(withChecksums)) }
    return UploadedPart(
      number: number, etag: ETag(normalizing: etag), size: Int64(body.count), checksum: withChecksums ? checksum : nil)
  }

  /// Refuses a part's number that the service would refuse.
  func check(_ number: Int, of upload: MultipartUpload) throws(StoreError) {
    guard (1...limits.maximumParts).contains(number) else {
      throw StoreError(
        .unsupported, operation: "UploadPart", key: upload.key, location: location,
        reason: "part number \(number) is not one of 1 to \(limits.maximumParts)")
    }
  }

  /// Carries out a call that adds a part, taking note when it ends without an answer.
  func answerOfPart(_ call: S3Call, of upload: MultipartUpload) async throws(StoreError) -> Answer {
    parts.begin(upload.id)
    do throws(StoreError) {
      let answer = try await self.answer(to: call)
      parts.end(upload.id, wasAnswered: true)
      return answer
    } catch {
      parts.end(upload.id, wasAnswered: false)
      throw error
    }
  }

  /// CompleteMultipartUpload. When its answer is lost, or a repetition finds no upload any more, the object itself
  /// tells whether it succeeded.
  @discardableResult
  public func completeUpload(
    _ upload: MultipartUpload, parts: [UploadedPart], condition: WriteCondition
  ) async throws -> ObjectInfo {
    let parts = parts.sorted { $0.number < $1.number }
    func call(_ withChecksums: Bool) -> S3Call {
      var call = S3Call("CompleteMultipartUpload", .post, upload.key)
      call.query = [("uploadId", upload.id)]
      call.setCondition(condition)
      call.isSlow = true
      call.isDocument = true
      call.body = Self.document(parts, withChecksums: withChecksums)
      return call
    }
    let failure: StoreError
    do throws(StoreError) {
      let (response, withChecksums) = try await aroundLeftoverDirectory(
        upload.key, failingWith: [.preconditionFailed, .serverError]
      ) { () throws(StoreError) in
        let (answer, withChecksums) = try await self.answer(call)
        return (try success(answer, of: call(withChecksums)), withChecksums)
      }
      let fields = try fields(response, root: "CompleteMultipartUploadResult", call(withChecksums))
      guard let etag = fields["ETag"], !etag.isEmpty else { throw violation("no ETag", call(withChecksums)) }
      let time = response.headers["Date"].flatMap(Timestamp.parseHTTP) ?? identity.now
      isOver(upload)
      return ObjectInfo(
        key: upload.key, size: Self.size(of: parts), etag: ETag(normalizing: etag), modified: time)
    } catch {
      failure = error
    }
    guard failure.leavesCompletionOpen else { throw failure }
    do throws(StoreError) {
      if let info = try await completedObject(upload.key, parts) {
        isOver(upload)
        return info
      }
    } catch {
      // What became of it is still open: another try can tell.
      if error.isTransient, !failure.isTransient { throw error }
    }
    throw failure
  }

  /// AbortMultipartUpload. When parts may still be under way to the service, it is told again a few times in the
  /// background, since one that arrives late would bring the upload's remains back.
  public func abortUpload(_ upload: MultipartUpload) async throws {
    let isOpen = parts.isOpen(upload.id)
    do throws(StoreError) {
      try await abortOnce(upload)
    } catch {
      journal?.lost(upload, in: location)
      throw error
    }
    guard isOpen else { return isOver(upload) }
    BackgroundWork.shared.start {
      for delay in Self.lateAborts {
        try? await Task.sleep(for: .seconds(delay))
        try? await self.abortOnce(upload)
      }
      self.isOver(upload)
    }
  }

  private func isOver(_ upload: MultipartUpload) {
    parts.forget(upload.id)
    journal?.over(upload, in: location)
  }

  /// Seconds between the repetitions of an abort: a broken connection is noticed within moments, and a part that is copied
  /// inside the service takes seconds.
  private static let lateAborts: [Double] = [0.25, 1, 4, 15]

  private func abortOnce(_ upload: MultipartUpload) async throws(StoreError) {
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
    call.isDocument = true
    // Without encoding-type: SeaweedFS (4.48) says that it encodes keys here and does not.
    call.query = [("uploads", ""), ("max-uploads", "1000")]
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
    if abilities.takesChecksums { call.headers.append(HTTPHeader("x-amz-checksum-mode", "ENABLED")) }
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

  private static func document(_ parts: [UploadedPart], withChecksums: Bool) -> [UInt8] {
    var text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    for part in parts {
      text += "<Part><PartNumber>\(part.number)</PartNumber><ETag>\(XMLEntities.escaped(part.etag.rawValue))</ETag>"
      if withChecksums, let checksum = part.checksum {
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
