// The store under test and what may differ between stores that all keep the contracts.

import ObjectStore

/// What a store does with keys that not every store can hold.
public enum KeySupport: Sendable, Hashable {
  /// It holds them like any other.
  case held
  /// It refuses to write them with `.unsupported`, and has nothing under them.
  case refused
  /// The server behind it changes or merges such keys, which its client cannot know. Not checked.
  case undefined
}

/// What may differ between stores.
public struct StoreCapabilities: Sendable, Hashable {
  /// Keys with an empty segment, such as `a//b` and `a/`.
  public var emptySegments: KeySupport
  /// Keys with a segment `.` or `..`.
  public var dotSegments: KeySupport
  /// An object `a` beside an object `a/b`.
  public var objectBesideDirectory: KeySupport
  /// Most bytes between two slashes.
  public var longestSegment: Int
  /// Keys with a backslash.
  public var backslashes = KeySupport.held
  /// Whether all pages of a listing together are in bytewise order, not only each by itself.
  public var ordersAcrossPages = true
  /// Whether a grouped listing shows only directories below which there is an object.
  public var forgetsEmptyDirectories = true

  /// Those of a store that is flat.
  public static let flat = StoreCapabilities(
    emptySegments: .held, dotSegments: .held, objectBesideDirectory: .held, longestSegment: 1024)

  /// Those of a store that is a tree of directories.
  public static let tree = StoreCapabilities(
    emptySegments: .refused, dotSegments: .refused, objectBesideDirectory: .refused, longestSegment: 255)

  /// Those of SeaweedFS (4.48), which keeps objects in a tree of directories behind S3's protocol: it cleans paths, takes a
  /// backslash for a slash, shows directories whose last object is gone, and what it does with an object beside a
  /// directory of its name is not S3's.
  public static let seaweedFS: StoreCapabilities = {
    var capabilities = StoreCapabilities(
      emptySegments: .undefined, dotSegments: .undefined, objectBesideDirectory: .undefined, longestSegment: 1024)
    capabilities.backslashes = .undefined
    capabilities.ordersAcrossPages = false
    capabilities.forgetsEmptyDirectories = false
    return capabilities
  }()

  /// Makes capabilities.
  public init(
    emptySegments: KeySupport, dotSegments: KeySupport, objectBesideDirectory: KeySupport, longestSegment: Int
  ) {
    self.emptySegments = emptySegments
    self.dotSegments = dotSegments
    self.objectBesideDirectory = objectBesideDirectory
    self.longestSegment = longestSegment
  }
}

/// A store under test.
public struct ConformanceSubject: Sendable {
  /// The store.
  public let store: any ObjectStore
  /// Begins all keys of the check; nothing else uses it. Ends with a slash.
  public let prefix: String
  /// Another client of the same bucket, for what must be seen at once by everybody; may be the same.
  public let secondClient: any ObjectStore
  /// Another bucket of the same service that `store` may read, for copies across buckets; nil when there is none.
  public let otherBucket: (any ObjectStore)?
  /// What the store can hold.
  public let capabilities: StoreCapabilities

  /// Makes a subject.
  public init(
    _ store: any ObjectStore, prefix: String, secondClient: (any ObjectStore)? = nil,
    otherBucket: (any ObjectStore)? = nil, capabilities: StoreCapabilities = .flat
  ) {
    self.store = store
    self.prefix = prefix
    self.secondClient = secondClient ?? store
    self.otherBucket = otherBucket
    self.capabilities = capabilities
  }

  /// A key below the prefix.
  func key(_ name: String) -> ObjectKey { ObjectKey(prefix + name) }

  /// Names below the prefix of everything listed there.
  func names(_ prefix: String = "") async throws -> [String] {
    try await store.listAll(key(prefix)).map { String($0.key.string.dropFirst(self.prefix.count)) }
  }

  /// Writes objects whose bodies are their names, some at a time.
  func write(_ names: [String]) async throws {
    try await inParallel(names, width: 16) { try await store.put(key($0), Array($0.utf8), condition: .none) }
  }

  /// Removes everything below the prefix.
  func removeEverything() async throws {
    for store in [store] + (otherBucket.map { [$0] } ?? []) {
      for upload in try await store.listAllUploads(ObjectKey(prefix)) { try await store.abortUpload(upload.upload) }
      try await store.delete(try await store.listAll(ObjectKey(prefix)).map(\.key))
    }
  }
}

/// Runs work on each element, `width` at a time.
func inParallel<Element: Sendable>(
  _ elements: [Element], width: Int, _ work: @escaping @Sendable (Element) async throws -> Void
) async throws {
  try await withThrowingTaskGroup(of: Void.self) { group in
    for (position, element) in elements.enumerated() {
      if position >= width { try await group.next() }
      group.addTask { try await work(element) }
    }
    try await group.waitForAll()
  }
}
