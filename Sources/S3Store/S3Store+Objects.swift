// Reading, writing and removing single objects.

import CurlHTTP
import ObjectStore

extension S3Store {
  /// HeadObject.
  public func head(_ key: ObjectKey) async throws -> ObjectInfo {
    try await head(key, inBucket: nil, version: nil)
  }

  /// HeadObject, in another bucket if one is named, of a certain version if one is given.
  func head(_ key: ObjectKey, inBucket bucket: String?, version: ETag?) async throws(StoreError) -> ObjectInfo {
    var call = S3Call("HeadObject", .head, key)
    call.bucket = bucket
    if let version { call.headers.append(HTTPHeader("If-Match", version.rawValue)) }
    let response = try await success(of: call)
    guard let size = response.headers["Content-Length"].flatMap({ Int64($0) }), size >= 0 else {
      throw violation("no Content-Length", call)
    }
    return try info(key, size: size, response.headers, call)
  }

  /// GetObject; with an empty range HeadObject.
  public func get(_ key: ObjectKey, range: Range<Int64>?, version: ETag?) async throws -> ObjectContent {
    if let range, range.isEmpty {
      return ObjectContent(info: try await head(key, inBucket: nil, version: version), bytes: [])
    }
    guard let range else { return try await getWhole(key, version: version) }
    var call = S3Call("GetObject", .get, key)
    if let version { call.headers.append(HTTPHeader("If-Match", version.rawValue)) }
    guard range.lowerBound >= 0 else { throw violation("a range that begins before the object", call) }
    call.headers.append(HTTPHeader("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"))
    call.maximumBodySize = Int(range.upperBound - range.lowerBound)
    call.expectedBodySize = call.maximumBodySize
    switch try await answer(to: call) {
    case .success(let response):
      return try content(of: response, range: range, call)
    case .refusal(let refusal) where refusal.status == 416:
      // Nothing lies in the range; the answer need not describe the object.
      return ObjectContent(info: try await head(key, inBucket: nil, version: version), bytes: [])
    case .refusal(let refusal):
      throw error(refusal, for: call)
    }
  }

  private func getWhole(_ key: ObjectKey, version: ETag?) async throws(StoreError) -> ObjectContent {
    func call(_ withChecksums: Bool) -> S3Call {
      var call = S3Call("GetObject", .get, key)
      if let version { call.headers.append(HTTPHeader("If-Match", version.rawValue)) }
      if withChecksums { call.headers.append(HTTPHeader("x-amz-checksum-mode", "ENABLED")) }
      call.maximumBodySize = .max
      return call
    }
    let (answer, withChecksums) = try await self.answer(call)
    return try content(of: try success(answer, of: call(withChecksums)), range: nil, call(withChecksums))
  }

  /// PutObject. The time of modification is the service's clock at its answer.
  @discardableResult
  public func put(_ key: ObjectKey, _ body: [UInt8], condition: WriteCondition) async throws -> ObjectInfo {
    let checksum = abilities.takesChecksums ? CRC32C.base64(CRC32C.checksum(body)) : nil
    func call(_ withChecksums: Bool) -> S3Call {
      var call = S3Call("PutObject", .put, key)
      call.body = body
      call.setCondition(condition)
      if withChecksums, let checksum { call.headers.append(HTTPHeader("x-amz-checksum-crc32c", checksum)) }
      return call
    }
    return try await aroundLeftoverDirectory(key, failingWith: condition == .absent ? [.preconditionFailed] : []) {
      () throws(StoreError) in
      let (answer, withChecksums) = try await self.answer(call)
      let response = try success(answer, of: call(withChecksums))
      return try info(key, size: Int64(body.count), response.headers, call(withChecksums))
    }
  }

  /// DeleteObject.
  public func delete(_ key: ObjectKey) async throws {
    try await deleteOne(key)
  }

  private func deleteOne(_ key: ObjectKey) async throws(StoreError) {
    let call = S3Call("DeleteObject", .delete, key)
    if case .refusal(let refusal) = try await answer(to: call), refusal.code != "NoSuchKey" {
      throw error(refusal, for: call)
    }
  }

  /// DeleteObjects, 1,000 keys a request. Where a service does not know it, DeleteObject for each.
  public func delete(_ keys: [ObjectKey]) async throws {
    var failure: StoreError?
    for start in stride(from: 0, to: keys.count, by: Self.deleteLimit) {
      let batch = keys[start..<min(start + Self.deleteLimit, keys.count)]
      do throws(StoreError) {
        try await deleteBatch(batch)
      } catch {
        failure = failure ?? error
        if error.code == .cancelled { break }
      }
    }
    if let failure { throw failure }
  }

  /// Most keys of one DeleteObjects (S3 API reference).
  private static let deleteLimit = 1000

  private func deleteBatch(_ keys: ArraySlice<ObjectKey>) async throws(StoreError) {
    guard let first = keys.first else { return }
    guard keys.count > 1, abilities.deletesBatches, !keys.contains(where: { !Self.fitsXML($0) || $0.byteCount == 0 })
    else { return try await deleteSingly(keys) }
    // Not quiet: a service that understood only a part of the request would pass over the rest in silence.
    var text = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>false</Quiet>"
    for key in keys { text += "<Object><Key>\(XMLEntities.escaped(key.string))</Key></Object>" }
    text += "</Delete>"
    var call = S3Call("DeleteObjects", .post)
    call.query = [("delete", "")]
    call.body = Array(text.utf8)
    // Either a checksum or Content-MD5 is required; the latter is what every service knows.
    call.headers.append(HTTPHeader("Content-MD5", ContentMD5.base64(of: call.body)))
    call.isSlow = true
    call.isDocument = true
    switch try await answer(to: call) {
    case .success(let response):
      let fields = try fields(response, root: "DeleteResult", call)
      for record in fields.records where record.name == "Error" && record["Code"] != "NoSuchKey" {
        var refused = S3Call("DeleteObjects", .post, record["Key"].map { ObjectKey($0) } ?? first)
        refused.query = call.query
        throw error(S3Refusal(code: record["Code"] ?? "", message: record["Message"] ?? ""), for: refused)
      }
      let answered = Set(fields.records.compactMap { $0["Key"].map { ObjectKey($0) } })
      let passedOver = keys.filter { !answered.contains($0) }
      if !passedOver.isEmpty { try await deleteSingly(passedOver[...]) }
    case .refusal(let refusal):
      guard refusal.status == 501 || refusal.status == 405 || refusal.code == "NotImplemented" else {
        throw error(refusal, for: call)
      }
      abilities.lacksBatches()
      try await deleteSingly(keys)
    }
  }

  private func deleteSingly(_ keys: ArraySlice<ObjectKey>) async throws(StoreError) {
    var failure: StoreError?
    for key in keys {
      do throws(StoreError) { try await deleteOne(key) } catch { failure = failure ?? error }
      if failure?.code == .cancelled { break }
    }
    if let failure { throw failure }
  }

  /// Whether XML 1.0 can carry a key: it has no way to write most control characters.
  private static func fitsXML(_ key: ObjectKey) -> Bool {
    key.string.unicodeScalars.allSatisfy { scalar in
      scalar.value >= 0x20 ? scalar.value != 0xFFFE && scalar.value != 0xFFFF : "\t\n\r".unicodeScalars.contains(scalar)
    }
  }

  /// Checks that an answer has exactly the bytes that were asked for.
  private func content(
    of response: HTTPResponse, range: Range<Int64>?, _ call: S3Call
  ) throws(StoreError) -> ObjectContent {
    let key = call.key ?? ""
    let count = Int64(response.body.count)
    if let length = response.headers["Content-Length"], Int64(length) != count {
      throw violation("a Content-Length of \(length) with \(count) bytes", call)
    }
    guard let range, response.status == 206 else {
      // With neither a length nor chunks a body that was cut off would look whole.
      guard response.headers["Content-Length"] != nil || response.headers["Transfer-Encoding"] != nil else {
        throw violation("no Content-Length", call)
      }
      // A service may send the object whole when the range covers it.
      guard response.status == 200, range.map({ $0.lowerBound == 0 && count <= $0.upperBound }) ?? true else {
        throw violation("HTTP status \(response.status) and \(count) bytes for a range", call)
      }
      try verify(response, call)
      return ObjectContent(info: try info(key, size: count, response.headers, call), bytes: response.body)
    }
    guard let text = response.headers["Content-Range"], let sent = ContentRange(text) else {
      throw violation("no Content-Range", call)
    }
    guard count >= sent.range.upperBound - sent.range.lowerBound else {
      throw StoreError(
        .connectionLost, operation: call.operation, key: call.key, location: location,
        reason: "\(count) bytes came of Content-Range \(text)", isTransient: true)
    }
    guard sent.range.lowerBound == range.lowerBound, sent.range.upperBound == min(range.upperBound, sent.total),
      sent.range.upperBound - sent.range.lowerBound == count
    else { throw violation("Content-Range \(text) with \(count) bytes for another range", call) }
    return ObjectContent(info: try info(key, size: sent.total, response.headers, call), bytes: response.body)
  }

  /// Compares a whole object with the checksum that the service keeps of it, if it keeps one of the object as a whole.
  private func verify(_ response: HTTPResponse, _ call: S3Call) throws(StoreError) {
    guard let text = response.headers["x-amz-checksum-crc32c"], let stored = CRC32C.fromBase64(text) else { return }
    let computed = CRC32C.checksum(response.body)
    guard computed == stored else {
      throw StoreError(
        .corrupted, operation: call.operation, key: call.key, location: location,
        reason: "the bytes received have the CRC32C \(CRC32C.base64(computed)), the store's is \(text)",
        isTransient: true)
    }
  }

  /// Describes an object by the headers of an answer.
  func info(
    _ key: ObjectKey, size: Int64, _ headers: HTTPHeaders, _ call: S3Call
  ) throws(StoreError) -> ObjectInfo {
    guard let etag = headers["ETag"], !etag.isEmpty else { throw violation("no ETag", call) }
    let time = (headers["Last-Modified"] ?? headers["Date"]).flatMap(Timestamp.parseHTTP)
    return ObjectInfo(key: key, size: size, etag: ETag(normalizing: etag), modified: time ?? identity.now)
  }
}

/// The value of a Content-Range header (RFC 9110): `bytes 0-9/20`.
struct ContentRange {
  /// Bytes sent.
  let range: Range<Int64>
  /// Bytes of the whole object.
  let total: Int64

  /// Nil when it is not that, or not consistent.
  init?(_ text: String) {
    guard text.hasPrefix("bytes ") else { return nil }
    let parts = text.dropFirst(6).split(whereSeparator: { $0 == "-" || $0 == "/" }).map { Int64($0) }
    guard parts.count == 3, let first = parts[0], let last = parts[1], let total = parts[2], first <= last, last < total
    else { return nil }
    range = first..<(last + 1)
    self.total = total
  }
}

extension S3Call {
  /// Adds a write's condition. When the transport has sent such a write twice, a refusal says nothing: the second
  /// request may have found the object that the first one made (`S3Store.unclear`).
  mutating func setCondition(_ condition: WriteCondition) {
    self.condition = .write
    switch condition {
    case .none: break
    case .absent: headers.append(HTTPHeader("If-None-Match", "*"))
    }
  }
}
