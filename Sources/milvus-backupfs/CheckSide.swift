// The trials of one bucket. Knows only the protocol of stores, so it works for all of them.

import ObjectStore

/// One bucket while it is checked.
struct CheckSide: Sendable {
  let side: CheckItem.Side
  let store: any ObjectStore
  /// The object that is written and removed.
  let probe: ObjectKey
  private let root: String
  private(set) var items: [CheckItem] = []
  /// Whether the probe is in the store.
  private(set) var hasProbe = false
  /// Whether it may be there, and has to be removed.
  private var mayHaveProbe = false
  /// What failed that makes the rest pointless.
  private var obstacle: String?

  private static let body = Array("milvus-backupfs check\n".utf8)

  init(_ side: CheckItem.Side, _ store: any ObjectStore, root: String, probe: ObjectKey) {
    self.side = side
    self.store = store
    self.root = root
    self.probe = probe
  }

  /// Tries all but the removal of the probe, which copies to the other side still need.
  mutating func run() async {
    let (store, probe) = (store, probe)
    let prefix = ObjectKey(root.isEmpty ? "" : root + "/")
    await trial("list", isDecisive: true) {
      _ = try await store.list(ListRequest(prefix: prefix, groupedByDirectory: true, limit: 1))
    }
    mayHaveProbe = obstacle == nil
    hasProbe = await trial("write") {
      let written = try await store.put(probe, Self.body, condition: .absent)
      try Self.require(written.size == Int64(Self.body.count), store, probe, "another size came back than was written")
    }
    let missing = hasProbe ? nil : "writing failed"
    await trial("read", unless: missing) {
      let content = try await store.get(probe, range: nil, version: nil)
      try Self.require(content.bytes == Self.body, store, probe, "other bytes came back than were written")
    }
    await trial("read a range", unless: missing) {
      let content = try await store.get(probe, range: 2..<5, version: nil)
      try Self.require(
        content.bytes == Array(Self.body[2..<5]), store, probe, "other bytes came back than were asked for")
    }
    let copy = ObjectKey(probe.string + "-copy")
    await trial("copy", unless: missing) {
      try await store.copy(from: probe, inBucket: store.location.bucket, version: nil, to: copy)
    }
    if hasProbe { await remove(copy) }
    await trial("upload in parts", unless: missing) {
      let upload = try await store.beginUpload(ObjectKey(probe.string + "-parts"))
      do {
        _ = try await store.uploadPart(upload, number: 1, Self.body)
      } catch {
        await store.abandon(upload)
        throw error
      }
      try await store.abortUpload(upload)
    }
  }

  /// Removes the probe; that is a trial too.
  mutating func clean() async {
    var result: Result<Void, any Error> = .success(())
    if mayHaveProbe {
      // In a task of its own: an interrupted check cleans up too.
      result = await Task { [store, probe] in try await store.delete(probe) }.result
    }
    await trial("delete", unless: hasProbe ? nil : "writing failed") { try result.get() }
  }

  /// Removes an object of the check, whatever happens.
  func remove(_ key: ObjectKey) async {
    await Task { [store] in try? await store.delete(key) }.value
  }

  /// Tries one thing. True when it succeeded.
  @discardableResult
  private mutating func trial(
    _ what: String, unless reason: String? = nil, isDecisive: Bool = false, _ body: () async throws -> Void
  ) async -> Bool {
    var item = CheckItem(side: side, what: what, result: .ok)
    if let reason = obstacle ?? reason {
      item.result = .skipped
      item.detail = reason
    } else {
      do {
        try await body()
      } catch {
        item.result = .failed
        item.detail = "\(error)"
        // Who may not list may still write; but without a bucket, or an answer, nothing will go better.
        let code = (error as? StoreError)?.code
        if isDecisive, code != .accessDenied || (error as? StoreError)?.isAboutIdentity == true {
          obstacle = "\(what) failed"
        }
      }
    }
    items.append(item)
    return item.result == .ok
  }

  private static func require(
    _ condition: Bool, _ store: any ObjectStore, _ key: ObjectKey, _ reason: String
  ) throws {
    guard condition else {
      throw StoreError(
        .corrupted, operation: "checking", key: key, location: store.location, reason: reason,
        remedy: "Look for a proxy or a cache between this machine and the store.")
    }
  }
}

extension StoreError {
  /// Whether the store does not know who asks, rather than forbid them something.
  fileprivate var isAboutIdentity: Bool {
    ["InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "RequestTimeTooSkewed"].contains {
      reason.contains($0)
    }
  }
}
