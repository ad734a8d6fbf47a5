// Parts of multipart uploads: a file each in the directory of their upload.
//
// Parts are not made durable one by one: after a crash of the machine an upload is something to remove, and the object
// that is assembled from parts is synced as a whole.

import Glibc
import ObjectStore
import Synchronization

extension LocalStore {
  public func uploadPart(_ upload: MultipartUpload, number: Int, _ body: [UInt8]) async throws -> UploadedPart {
    try check(number, of: upload)
    return try await performPart(of: upload) { directory, cancellation in
      let file = try PendingFile(in: directory)
      try file.append(body, cancellation)
      return try file.publish(asPart: number)
    }
  }

  public func uploadPart(
    _ upload: MultipartUpload, number: Int, from source: PartSource
  ) async throws -> UploadedPart {
    try check(number, of: upload)
    guard upload.isStreaming else {
      throw failure(.unsupported, "UploadPart", upload.key, "the upload was not begun for parts that are streamed")
    }
    // No thread waits while the source is read: it may need one itself.
    let part = try await performPart(of: upload) { directory, _ in StreamedPart(try PendingFile(in: directory)) }
    var offset: Int64 = 0
    while offset < source.size {
      let bytes: [UInt8]
      do {
        bytes = try await source.piece(at: offset)
      } catch {
        throw StoreError(reading: error, for: upload.key, in: location)
      }
      try await performPart(of: upload) { _, cancellation in
        try part.file.withLock { try $0.append(bytes, cancellation) }
      }
      offset += Int64(bytes.count)
    }
    return try await performPart(of: upload) { _, _ in try part.file.withLock { try $0.publish(asPart: number) } }
  }

  private func check(_ number: Int, of upload: MultipartUpload) throws(StoreError) {
    guard (1...limits.maximumParts).contains(number) else {
      throw failure(
        .unsupported, "UploadPart", upload.key, "part \(number) is not between 1 and \(limits.maximumParts)",
        remedy: "Use larger parts.")
    }
  }

  /// Works on a part in the directory of its upload.
  private func performPart<Value: Sendable>(
    of upload: MultipartUpload, _ work: @escaping @Sendable (Descriptor, Cancellation) throws -> Value
  ) async throws -> Value {
    try await perform("UploadPart", upload.key) { root, cancellation in
      guard let directory = try openIfPresent(upload, in: root) else { throw unknown(upload, "UploadPart") }
      do {
        return try work(directory, cancellation)
      } catch {
        // It was completed or aborted meanwhile.
        throw (error as? SystemFailure)?.number == ENOENT ? unknown(upload, "UploadPart") : error
      }
    }
  }
}

/// The file of a part that is written by one piece of work after another, on whichever thread is free.
private final class StreamedPart: Sendable {
  let file: Mutex<PendingFile>

  init(_ file: sending PendingFile) { self.file = Mutex(file) }
}

extension PendingFile {
  /// Makes it a part of the upload in whose directory it is.
  fileprivate func publish(asPart number: Int) throws(SystemFailure) -> UploadedPart {
    let status = try publish(as: LocalStore.partFile(number), condition: .none, isDurable: false)
    return UploadedPart(number: number, etag: status.etag, size: status.size)
  }
}
