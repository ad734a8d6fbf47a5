// Whether the objects of a backup are those its metadata promises.
//
// Invariants: objects are compared as numbers, not as texts, so that comparing millions costs neither time nor memory
// for strings; a listing may be shown page by page and in any order.

/// The outcome of comparing a backup's objects with its metadata.
public struct Completeness: Hashable, Sendable {
  /// An object which is there with another size than promised.
  public struct WrongSize: Hashable, Sendable {
    /// The object and its promised size.
    public var promised: PromisedObject
    /// The size found, in bytes.
    public var actualSize: Int64
  }

  /// Promised objects which are not there, in the order of the metadata.
  public var missing: [PromisedObject] = []
  /// Objects whose size is not the promised one.
  public var wrongSizes: [WrongSize] = []
  /// Paths of objects below `binlogs/` which nobody promised; Milvus would import them with the rest.
  public var extra: [String] = []
  /// Number of promised objects which are there with the right size.
  public var present = 0

  /// Whether every promised object is there with its promised size.
  public var isComplete: Bool { missing.isEmpty && wrongSizes.isEmpty }

  /// Compares a whole listing, of sizes by path relative to the backup, with what is promised.
  public static func check(promised: [PromisedObject], listed: [String: Int64]) -> Completeness {
    var check = CompletenessCheck(promised: promised)
    for (path, size) in listed { check.add(path: path, size: size) }
    var result = check.finish()
    result.wrongSizes.sort { $0.promised.path < $1.promised.path }
    result.extra.sort()
    return result
  }
}

/// Compares a backup's objects with its metadata while they are being listed.
public struct CompletenessCheck: Sendable {
  private let promised: [PromisedObject]
  private var indexOfKey: [LogKey: Int]
  private var isSeen: [Bool]
  private var result = Completeness()

  /// Begins a comparison with the objects that are promised.
  public init(promised: [PromisedObject]) {
    self.promised = promised
    isSeen = Array(repeating: false, count: promised.count)
    indexOfKey = Dictionary(minimumCapacity: promised.count)
    for (index, object) in promised.enumerated() {
      // An object promised twice is expected once.
      if indexOfKey[object.key] == nil { indexOfKey[object.key] = index } else { isSeen[index] = true }
    }
  }

  /// Takes note of an object that exists.
  ///
  /// - Parameters:
  ///   - path: path relative to the backup. Paths outside `binlogs/` are ignored.
  ///   - size: size in bytes.
  public mutating func add(path: String, size: Int64) {
    guard path.utf8.starts(with: "binlogs/".utf8) else { return }
    guard let key = LogKey(backupPath: path), let index = indexOfKey[key] else {
      result.extra.append(path)
      return
    }
    guard !isSeen[index] else { return }
    isSeen[index] = true
    if let expected = promised[index].size, expected != size {
      result.wrongSizes.append(Completeness.WrongSize(promised: promised[index], actualSize: size))
    } else {
      result.present += 1
    }
  }

  /// Ends the comparison; what was not noted is missing.
  public consuming func finish() -> Completeness {
    result.missing = promised.indices.lazy.filter { !isSeen[$0] }.map { promised[$0] }
    return result
  }
}
