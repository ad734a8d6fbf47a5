// One of several clients that work at once, each on keys of its own, one operation after the other.

import ObjectStore
import S3Store

/// Works on a prefix and keeps the books.
struct SoakWorker {
  /// What went wrong: an answer that the books do not allow, or an error that no fault of the soak explains.
  private(set) var mistakes: [String] = []
  /// Operations done, by name and by outcome.
  private(set) var counts: [String: Int] = [:]
  /// Uploads whose end could not be reached.
  private(set) var uploadsLeft = 0
  private(set) var model = SoakModel()

  private let store: RetryingStore<S3Store>
  private let prefix: String
  private var random: SoakRandom

  init(_ bed: Bed, number: Int, seed: UInt64) {
    store = bed.faulty
    prefix = "\(bed.prefix)\(number)/"
    random = SoakRandom(seed: seed &+ UInt64(number) &* 0x1234_5678_9ABC_DEF1)
  }

  /// Errors that end an operation under the soak's faults; `accessDenied` when the clock is said to be wrong twice in a
  /// row. Anything else is a wrong code.
  private static let allowed: Set<StoreError.Code> = [
    .serverError, .throttled, .connectionLost, .timedOut, .corrupted, .credentialsExpired, .accessDenied,
    .protocolViolation,
  ]

  mutating func work(operations: Int) async {
    for _ in 0..<operations {
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<28: await put()
      case 28..<46: await getWhole()
      case 46..<58: await getRange()
      case 58..<68: await head()
      case 68..<76: await copy()
      case 76..<82: await multipart()
      case 82..<90: await delete()
      case 90..<94: await deleteMany()
      default: await list()
      }
    }
  }

  // MARK: - Operations

  private mutating func put() async {
    let (name, content) = (anyName(), anyContent())
    let isConditional = Int.random(in: 0..<8, using: &random) == 0
    let store = store
    let key = key(name)
    await attempt("put", writes: [name: content], allowing: isConditional ? [.preconditionFailed] : []) {
      try await store.put(key, content.bytes, condition: isConditional ? .absent : .none).size == Int64(content.size)
    }
  }

  private mutating func getWhole() async {
    let name = anyName()
    await read("get", name) { store, key in try await store.get(key, range: nil, version: nil) }
  }

  private mutating func getRange() async {
    let name = anyName()
    let start = Int64.random(in: 0..<10_000, using: &random)
    let range = start..<start + Int64.random(in: 1..<8000, using: &random)
    await read("get range", name, range) { store, key in try await store.get(key, range: range, version: nil) }
  }

  private mutating func head() async {
    let name = anyName()
    do {
      let info = try await store.head(key(name))
      note(
        "head", model.showed(name) { $0.map { Int64($0.size) } == info.size } ? nil : "\(name) of \(info.size) bytes")
    } catch let error as StoreError where error.code == .notFound {
      note("head", model.showed(name) { $0 == nil } ? nil : "\(name) is lost")
    } catch {
      note("head", error)
    }
  }

  private mutating func copy() async {
    let (source, target) = (anyName(), anyName())
    guard source != target else { return await head() }
    let contents = model.contents(source)
    do {
      let info = try await store.copy(from: key(source), inBucket: store.location.bucket, version: nil, to: key(target))
      let isRight = model.showed(source) { $0.map { Int64($0.size) } == info.size }
      if isRight { model.became(target, oneOf: model.contents(source)) }
      note("copy", isRight ? nil : "\(source) was copied as \(info.size) bytes")
    } catch let error as StoreError where error.code == .notFound {
      // Of the source before copying, or of the copy when its size was asked for: that one cannot be missing.
      note("copy", model.showed(source) { $0 == nil } ? nil : "\(source) is lost")
    } catch {
      model.mayHaveBecome(target, contents.filter { $0 != nil })
      note("copy", error)
    }
  }

  private mutating func multipart() async {
    let name = anyName()
    let isLarge = Int.random(in: 0..<20, using: &random) == 0
    let sizes = isLarge ? [5 << 20, Int.random(in: 1..<100_000, using: &random)] : [anyContent().size]
    let content = Content(seed: random.next(), size: sizes.reduce(0, +))
    let upload: MultipartUpload
    do {
      upload = try await store.beginUpload(key(name))
    } catch {
      return note("multipart", error)
    }
    let bytes = content.bytes
    do {
      var parts: [UploadedPart] = []
      var start = 0
      for (index, size) in sizes.enumerated() {
        parts.append(try await store.uploadPart(upload, number: index + 1, Array(bytes[start..<start + size])))
        start += size
      }
      if Int.random(in: 0..<8, using: &random) == 0 {
        try await store.abortUpload(upload)
        note("abort", nil as String?)
        return
      }
      model.mayHaveBecome(name, [content])
      let info = try await store.completeUpload(upload, parts: parts, condition: .none)
      model.became(name, content)
      note("multipart", info.size == Int64(content.size) ? nil : "\(name) became \(info.size) bytes")
    } catch {
      note("multipart", error)
      do { try await store.abortUpload(upload) } catch { uploadsLeft += 1 }
    }
  }

  private mutating func delete() async {
    let name = anyName()
    let store = store
    let key = key(name)
    await attempt("delete", writes: [name: nil]) {
      try await store.delete(key)
      return true
    }
  }

  private mutating func deleteMany() async {
    let names = Set((0..<3).map { _ in anyName() })
    let store = store
    let keys = names.map { key($0) }
    await attempt("delete many", writes: Dictionary(uniqueKeysWithValues: names.map { ($0, nil) })) {
      try await store.delete(keys)
      return true
    }
  }

  private mutating func list() async {
    do {
      var seen: [String: Int64] = [:]
      for info in try await store.listAll(ObjectKey(prefix)) {
        seen[String(info.key.string.dropFirst(prefix.utf8.count))] = info.size
      }
      var wrong = model.present.filter { seen[$0] == nil }
      wrong += seen.filter { name, size in !model.contents(name).contains { $0.map { Int64($0.size) } == size } }.keys
      note("list", wrong.isEmpty ? nil : "the listing is wrong about \(wrong.sorted())")
    } catch {
      note("list", error)
    }
  }

  // MARK: - Bookkeeping

  private mutating func attempt(
    _ what: String, writes: [String: Content?], allowing: Set<StoreError.Code> = [], _ body: () async throws -> Bool
  ) async {
    do {
      let isRight = try await body()
      for (name, content) in writes { model.became(name, content) }
      note(what, isRight ? nil : "another size")
    } catch let error as StoreError where error.code == .preconditionFailed && allowing.contains(error.code) {
      // There is an object, and it was left alone.
      for name in writes.keys { note(what, model.showed(name) { $0 != nil } ? nil : "\(name) is said to exist") }
    } catch {
      for (name, content) in writes { model.mayHaveBecome(name, [content]) }
      note(what, error)
    }
  }

  private mutating func read(
    _ what: String, _ name: String, _ range: Range<Int64>? = nil,
    _ body: (RetryingStore<S3Store>, ObjectKey) async throws -> ObjectContent
  ) async {
    do {
      let found = try await body(store, key(name))
      let isRight = model.showed(name) { content in
        guard let content, Int64(content.size) == found.info.size else { return false }
        let whole = 0..<Int64(content.size)
        let wanted = range.map { $0.clamped(to: whole) } ?? whole
        return found.bytes.elementsEqual(content.bytes[Int(wanted.lowerBound)..<Int(wanted.upperBound)])
      }
      note(what, isRight ? nil : "\(name) has other bytes: \(found.bytes.count)")
    } catch let error as StoreError where error.code == .notFound {
      note(what, model.showed(name) { $0 == nil } ? nil : "\(name) is lost")
    } catch {
      note(what, error)
    }
  }

  private mutating func note(_ what: String, _ mistake: String?) {
    counts["\(what): \(mistake == nil ? "right" : "WRONG")", default: 0] += 1
    if let mistake { mistakes.append("\(what): \(mistake) (\(prefix))") }
  }

  private mutating func note(_ what: String, _ error: any Error) {
    let code = (error as? StoreError)?.code
    counts["\(what): \(code?.description ?? "other")", default: 0] += 1
    if !(code.map { Self.allowed.contains($0) } ?? false) { mistakes.append("\(what): \(error)") }
  }

  private func key(_ name: String) -> ObjectKey { ObjectKey(prefix + name) }

  /// Few names, so that objects are overwritten, removed and read again.
  private mutating func anyName() -> String {
    let number = Int.random(in: 0..<12, using: &random)
    return "\(number % 3)/object \(number)"
  }

  private mutating func anyContent() -> Content {
    let size =
      switch Int.random(in: 0..<20, using: &random) {
      case 0: 0
      case 1: Int.random(in: 100_000..<600_000, using: &random)
      default: Int.random(in: 1..<12_000, using: &random)
      }
    return Content(seed: random.next(), size: size)
  }
}
