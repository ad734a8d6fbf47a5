// Every operation of a store, each with what must be there before, what success means, and what the store may hold
// afterwards whatever the outcome.

import FaultProxy
import ObjectStore
import Testing

/// One operation of `ObjectStore`.
enum Call: String, Sendable, CaseIterable {
  case list, listUploads, head, getWhole, getRange, putNew, putOver, putAbsent, copy, begin, part, streamedPart,
    complete,
    abort, delete, deleteMany

  /// What a call ended with.
  enum Outcome: Hashable, CustomStringConvertible {
    case success
    case failure(StoreError.Code)
    /// A success that was none.
    case wrong(String)

    var description: String {
      switch self {
      case .success: "success"
      case .failure(let code): "\(code)"
      case .wrong(let what): "wrong: \(what)"
      }
    }
  }

  static let old = pattern(5000, seed: 1)
  static let new = pattern(6000, seed: 2)

  /// What `prepare` has made.
  struct Setting: Sendable {
    var upload: MultipartUpload?
    var parts: [UploadedPart] = []
  }

  /// Makes, past the proxy, what the operation needs.
  func prepare(_ bed: Bed) async throws -> Setting {
    var setting = Setting()
    switch self {
    case .list, .head, .getWhole, .getRange, .putOver, .copy, .delete:
      try await bed.direct.put(bed.key("object"), Self.old, condition: .none)
    case .deleteMany:
      for name in ["object", "second"] { try await bed.direct.put(bed.key(name), Self.old, condition: .none) }
    case .listUploads, .abort, .part, .streamedPart, .complete:
      let upload = try await bed.direct.beginUpload(bed.key("object"), streaming: self == .streamedPart)
      setting.upload = upload
      if self == .complete { setting.parts = [try await bed.direct.uploadPart(upload, number: 1, Self.new)] }
    case .putNew, .putAbsent, .begin: break
    }
    return setting
  }

  /// Does it through the proxy.
  func run(_ bed: Bed, _ setting: Setting) async -> Outcome {
    do {
      return try await isRight(bed, setting) ? .success : .wrong("not what was asked for")
    } catch let error as StoreError {
      return .failure(error.code)
    } catch {
      return .wrong("\(error)")
    }
  }

  private func isRight(_ bed: Bed, _ setting: Setting) async throws -> Bool {
    let (store, key) = (bed.faulty, bed.key("object"))
    let upload = setting.upload ?? MultipartUpload(key: key, id: "")
    switch self {
    case .list:
      let page = try await store.list(ListRequest(prefix: bed.key("")))
      return page.objects.map(\.key) == [key] && page.objects.map(\.size) == [Int64(Self.old.count)]
    case .listUploads:
      return try await store.listUploads(UploadListRequest(prefix: bed.key(""))).uploads.map(\.upload) == [upload]
    case .head: return try await store.head(key).size == Self.old.count
    case .getWhole: return try await store.get(key, range: nil, version: nil).bytes == Self.old
    case .getRange:
      return try await store.get(key, range: 1000..<3000, version: nil).bytes.elementsEqual(Self.old[1000..<3000])
    case .putNew, .putOver: return try await store.put(key, Self.new, condition: .none).size == Self.new.count
    case .putAbsent: return try await store.put(key, Self.new, condition: .absent).size == Self.new.count
    case .copy:
      let bucket = store.location.bucket
      return try await store.copy(from: key, inBucket: bucket, version: nil, to: bed.key("copy")).size == Self.old.count
    case .begin:
      let begun = try await store.beginUpload(key)
      return begun.key == key && !begun.id.isEmpty
    case .part: return try await store.uploadPart(upload, number: 1, Self.new).size == Self.new.count
    case .streamedPart:
      return try await store.uploadPart(upload, number: 1, from: PartSource(Self.new)).size == Self.new.count
    case .complete:
      return try await store.completeUpload(upload, parts: setting.parts, condition: .none).size == Self.new.count
    case .abort: try await store.abortUpload(upload)
    case .delete: try await store.delete(key)
    case .deleteMany: try await store.delete([key, bed.key("second")])
    }
    return true
  }

  /// Looks at the store past the proxy: what is wrong with it, or nil.
  /// - Parameter isUntouched: the store never got a whole request.
  func damage(_ bed: Bed, after outcome: Outcome, isUntouched: Bool) async throws -> String? {
    let object = try await bed.bytes(bed.key("object"))
    let isDone = outcome == .success
    func among(_ what: String, _ found: [UInt8]?, before: [UInt8]?, after: [UInt8]?) -> String? {
      if isDone { return found == after ? nil : "\(what) is not as it must be after success" }
      if isUntouched { return found == before ? nil : "\(what) was changed though nothing reached the store" }
      return found == before || found == after ? nil : "\(what) has \(found?.count ?? -1) bytes, neither old nor new"
    }
    switch self {
    case .list, .head, .getWhole, .getRange:
      return object == Self.old ? nil : "reading changed the object"
    case .listUploads, .begin, .part, .streamedPart, .abort:
      if object != nil { return "an object without a completed upload" }
      if self == .abort, isDone, try await bed.sweepUploads() > 0 { return "the upload is still there" }
      return nil
    case .putNew, .putAbsent: return among("the object", object, before: nil, after: Self.new)
    case .putOver: return among("the object", object, before: Self.old, after: Self.new)
    case .copy:
      if object != Self.old { return "copying changed the source" }
      return among("the copy", try await bed.bytes(bed.key("copy")), before: nil, after: Self.old)
    case .complete: return among("the object", object, before: nil, after: Self.new)
    case .delete: return among("the object", object, before: Self.old, after: nil)
    case .deleteMany:
      let second = try await bed.bytes(bed.key("second"))
      return among("the first", object, before: Self.old, after: nil)
        ?? among("the second", second, before: Self.old, after: nil)
    }
  }
}
