// Parts that are read while they are sent.
//
// Their integrity: a checksum in a header would have to be known before the first byte is sent. Behind the last byte it
// needs a coding of its own (aws-chunked with a trailer), which Amazon takes over TLS only, and which older services refuse
// or, worse, write down as if it were the part. So the body goes out as it is, and the MD5 computed on the way is compared
// with the ETag that the service gives the part: that is its MD5 unless the service encrypts with keys of a customer or of
// a key service (S3 API reference, "Object": ETag), or has its own idea of ETags. What a service does is learned from its
// first ETag that is right, or tried once with a small part that is protected by a checksum.
//
// Invariant: a part whose ETag is not its MD5 is accepted only from a service that gives no MD5s.

import Crypto
import CurlHTTP
import FoundationEssentials
import ObjectStore
import Synchronization

extension S3Store {
  /// UploadPart, its body streamed.
  public func uploadPart(
    _ upload: MultipartUpload, number: Int, from source: PartSource
  ) async throws -> UploadedPart {
    try check(number, of: upload)
    guard upload.isStreaming else {
      // Its parts have to bring checksums.
      throw StoreError(
        .unsupported, operation: "UploadPart", key: upload.key, location: location,
        reason: "the upload was not begun for parts that are streamed")
    }
    let digest = PartDigest()
    var call = S3Call("UploadPart", .put, upload.key)
    call.query = [("partNumber", String(number)), ("uploadId", upload.id)]
    call.stream = HTTPBodyStream(size: source.size) { offset in
      let bytes = try await source.piece(at: offset)
      digest.add(bytes, at: offset)
      return bytes
    }
    let response = try success(try await answerOfPart(call, of: upload), of: call)
    guard let text = response.headers["ETag"], !text.isEmpty else { throw violation("no ETag", call) }
    let etag = ETag(normalizing: text)
    try await verify(etag, digest, of: upload)
    return UploadedPart(number: number, etag: etag, size: source.size)
  }

  /// Compares a part's ETag with what was sent.
  private func verify(_ etag: ETag, _ digest: PartDigest, of upload: MultipartUpload) async throws {
    let computed = digest.hexadecimal
    if etag.isMD5(computed) {
      abilities.tagsPartsByMD5 = true
    } else if try await tagsPartsByMD5(upload.key) {
      throw StoreError(
        .corrupted, operation: "UploadPart", key: upload.key, location: location,
        reason: "the bytes that arrived are not those that were sent: their MD5 is \(etag), not \(computed)",
        isTransient: true)
    }
  }

  /// Whether this service gives a part its MD5 as ETag: tried, once, with an upload that is dropped again.
  private func tagsPartsByMD5(_ key: ObjectKey) async throws -> Bool {
    if let known = abilities.tagsPartsByMD5 { return known }
    let body = Array("Is the ETag of a part its MD5?".utf8)
    let upload = try await beginUpload(key)
    let part: UploadedPart
    do {
      part = try await uploadPart(upload, number: 1, body)
    } catch {
      await abandon(upload)
      throw error
    }
    await abandon(upload)
    let digest = PartDigest()
    digest.add(body, at: 0)
    let isMD5 = part.etag.isMD5(digest.hexadecimal)
    abilities.tagsPartsByMD5 = isMD5
    return isMD5
  }
}

/// The MD5 of a part, computed as it goes out.
private final class PartDigest: Sendable {
  private let state = Mutex(Insecure.MD5())

  /// Adds the bytes at an offset, which follow those before; offset 0 begins anew.
  func add(_ bytes: [UInt8], at offset: Int64) {
    state.withLock { digest in
      if offset == 0 { digest = Insecure.MD5() }
      digest.update(data: bytes)
    }
  }

  /// In the spelling of an ETag, without quotes.
  var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    let bytes = state.withLock { $0.finalize() }.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension ETag {
  /// Whether it is this MD5, given in lower case.
  fileprivate func isMD5(_ digits: String) -> Bool {
    rawValue.filter { $0 != "\"" }.lowercased() == digits
  }
}
