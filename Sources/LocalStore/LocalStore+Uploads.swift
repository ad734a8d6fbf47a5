// Multipart uploads: a directory each, below a hidden one at the root, holding the key and a file for every part.

import Glibc
import ObjectStore
import Synchronization

extension LocalStore {
  /// Name of the file with an upload's key.
  private static let keyFile = "key"
  /// How often a change begins anew because another one got in its way.
  private static let attempts = 100

  public func beginUpload(_ key: ObjectKey, streaming: Bool) async throws -> MultipartUpload {
    _ = try writable(key, "CreateMultipartUpload")
    let upload = MultipartUpload(key: key, id: UploadID.random(), isStreaming: streaming)
    try await perform("CreateMultipartUpload", key) { root, _ in
      var attempt = 1
      while true {
        do {
          return try make(upload, in: root)
        } catch {
          // Whoever ends the last upload removes the directory of all of them.
          guard (error as? SystemFailure)?.number == ENOENT, attempt < Self.attempts else { throw error }
          attempt += 1
        }
      }
    }
    return upload
  }

  private func make(_ upload: MultipartUpload, in root: Descriptor) throws {
    let all = try directories.open([Self.uploadsDirectory], in: root)
    try all.makeDirectory(upload.id)
    let file = try PendingFile(in: try all.openDirectory(upload.id))
    try file.append(Array(upload.key.string.utf8), Cancellation())
    _ = try file.publish(as: Self.keyFile, condition: .none)
  }

  @discardableResult
  public func completeUpload(
    _ upload: MultipartUpload, parts: [UploadedPart], condition: WriteCondition
  ) async throws -> ObjectInfo {
    let operation = "CompleteMultipartUpload"
    let path = try writable(upload.key, operation)
    return try await perform(operation, upload.key) { root, cancellation in
      guard let directory = try openIfPresent(upload, in: root) else {
        // A repetition finds what the first call made.
        guard let made = completed[upload], let status = try? root.openFile(path.relative).status(), status.etag == made
        else { throw unknown(upload, operation) }
        return status.info(upload.key)
      }
      try check(parts, of: upload, in: directory)
      let info = try write(path, upload.key, condition, operation, in: root) { file in
        for part in parts {
          let source = try openPart(part, of: upload, in: directory)
          let before = file.size
          try file.append(contentsOf: source, count: part.size, cancellation)
          guard file.size - before == part.size else { throw misplaced(part, upload) }
        }
      }
      completed.add(upload, info.etag)
      // The object is there: what is left of the upload is litter, which a sweep finds if this fails.
      try? remove(upload, in: root)
      return info
    }
  }

  public func abortUpload(_ upload: MultipartUpload) async throws {
    guard UploadID.isValid(upload.id) else { return }
    try await perform("AbortMultipartUpload", upload.key) { root, _ in try remove(upload, in: root) }
  }

  public func listUploads(_ request: UploadListRequest) async throws -> UploadPage {
    try await perform("ListMultipartUploads", request.prefix) { root, cancellation in
      var page = UploadPage(uploads: [])
      guard let all = try uploads(in: root) else { return page }
      for entry in try all.entries() where entry.isDirectory && UploadID.isValid(entry.name) {
        try cancellation.check()
        // One that is just being begun or ended has no key.
        guard let found = try? key(ofUpload: entry.name, in: all), found.key.hasPrefix(request.prefix) else { continue }
        let upload = MultipartUpload(key: found.key, id: entry.name)
        page.uploads.append(PendingUpload(upload: upload, begun: found.begun))
      }
      return page
    }
  }

  /// The directory of all uploads; nil when there is none.
  func uploads(in root: Descriptor) throws(SystemFailure) -> Descriptor? {
    try root.openDirectoryIfPresent(Self.uploadsDirectory)
  }

  /// Removes what is in a directory of an upload, then that.
  func removeUploadDirectory(_ name: String, in all: Descriptor) throws(SystemFailure) {
    // A part that is sent at the same time may still come in between.
    for attempt in 1...Self.attempts {
      let directory = try all.openDirectory(name)
      for entry in try directory.entries() { try directory.removeFileIfPresent(entry.name) }
      do throws(SystemFailure) {
        return try all.removeDirectory(name)
      } catch {
        guard error.number == ENOTEMPTY, attempt < Self.attempts else { throw error }
      }
    }
  }

  private func remove(_ upload: MultipartUpload, in root: Descriptor) throws(SystemFailure) {
    guard let all = try uploads(in: root) else { return }
    do throws(SystemFailure) {
      // Renamed first: from here on nobody finds it.
      let ended = UploadID.ended(upload.id)
      try all.rename(upload.id, to: ended)
      try removeUploadDirectory(ended, in: all)
    } catch {
      guard error.number == ENOENT else { throw error }
    }
    // Succeeds for the last one only.
    try? root.removeDirectory(Self.uploadsDirectory)
  }

  /// The directory of an upload; nil when there is no such upload of that key.
  func openIfPresent(
    _ upload: MultipartUpload, in root: Descriptor
  ) throws(SystemFailure) -> Descriptor? {
    guard UploadID.isValid(upload.id), let all = try uploads(in: root),
      let found = try? key(ofUpload: upload.id, in: all), found.key == upload.key
    else { return nil }
    return try all.openDirectoryIfPresent(upload.id)
  }

  private func key(
    ofUpload id: String, in all: Descriptor
  ) throws(SystemFailure) -> (key: ObjectKey, begun: Int64) {
    let file = try all.openFile("\(id)/\(Self.keyFile)")
    let status = try file.status()
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(min(status.size, 1 << 16)), alignment: 1)
    defer { bytes.deallocate() }
    let count = bytes.isEmpty ? 0 : try file.read(into: bytes, at: 0)
    return (ObjectKey(String(decoding: bytes[..<count], as: UTF8.self)), status.modified / 1_000_000_000)
  }

  static func partFile(_ number: Int) -> String { "part-\(number)" }

  private func check(_ parts: [UploadedPart], of upload: MultipartUpload, in directory: Descriptor) throws {
    guard !parts.isEmpty else {
      throw failure(.unsupported, "CompleteMultipartUpload", upload.key, "an object needs at least one part")
    }
    for (position, part) in parts.enumerated() {
      guard position == 0 || parts[position - 1].number < part.number else { throw misplaced(part, upload) }
      _ = try openPart(part, of: upload, in: directory)
    }
  }

  private func openPart(
    _ part: UploadedPart, of upload: MultipartUpload, in directory: Descriptor
  ) throws -> Descriptor {
    guard let file = try? directory.openFile(Self.partFile(part.number)), try file.status().etag == part.etag else {
      throw misplaced(part, upload)
    }
    return file
  }

  private func misplaced(_ part: UploadedPart, _ upload: MultipartUpload) -> StoreError {
    failure(
      .unsupported, "CompleteMultipartUpload", upload.key,
      "part \(part.number) was not sent, was sent again later, or is out of order")
  }

  func unknown(_ upload: MultipartUpload, _ operation: String) -> StoreError {
    failure(.uploadNotFound, operation, upload.key, "there is no upload \(upload.id); it was completed or aborted")
  }
}

/// Names of uploads.
enum UploadID {
  static func random() -> String {
    let halves = [UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max)]
    return halves.map { half in
      let digits = String(half, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  /// Whether it is a name that `random` makes. No other one ever becomes a path.
  static func isValid(_ id: String) -> Bool {
    id.utf8.count == 32
      && id.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (97...102).contains($0) }
  }

  /// The name of one that is being removed.
  static func ended(_ id: String) -> String { "\(id)-ended" }
}

/// What the latest completed uploads made. A completion is repeated within moments, so a thousand are enough.
final class CompletedUploads: Sendable {
  private struct State {
    var made: [String: ETag] = [:]
    var order: [String] = []
  }

  private let state = Mutex(State())

  subscript(upload: MultipartUpload) -> ETag? { state.withLock { $0.made[upload.id] } }

  func add(_ upload: MultipartUpload, _ etag: ETag) {
    state.withLock { state in
      if state.made.updateValue(etag, forKey: upload.id) == nil { state.order.append(upload.id) }
      if state.order.count > 2000 {
        for old in state.order.prefix(1000) { state.made[old] = nil }
        state.order.removeFirst(1000)
      }
    }
  }
}
