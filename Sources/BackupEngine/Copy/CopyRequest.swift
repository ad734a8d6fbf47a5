// What a copy of a backup between two stores is told to do.

import ObjectStore

/// A request to copy a backup.
public struct CopyRequest: Sendable, Hashable {
  /// Name of the backup.
  public var backup: String
  /// Its name at the target.
  public var newName: String
  /// Which part of the objects this run moves.
  public var shard: CopyShard
  /// Whether another backup of that name may be replaced.
  public var overwrites: Bool
  /// Whether to read both ends afterwards and compare every byte.
  public var verifies: Bool

  /// Makes a request.
  /// - Parameter newName: nil to keep the name.
  public init(
    backup: String, newName: String? = nil, shard: CopyShard = .whole, overwrites: Bool = false, verifies: Bool = false
  ) {
    self.backup = backup
    self.newName = newName ?? backup
    self.shard = shard
    self.overwrites = overwrites
    self.verifies = verifies
  }
}

/// One of n parts of a backup's objects: which one an object belongs to depends on its path alone, so that n machines
/// share a transfer without talking to each other.
public struct CopyShard: Sendable, Hashable, CustomStringConvertible {
  /// 1…count.
  public let index: Int
  /// Number of parts.
  public let count: Int

  /// All objects.
  public static let whole = CopyShard(unchecked: 1, of: 1)

  private init(unchecked index: Int, of count: Int) {
    self.index = index
    self.count = count
  }

  /// Reads `i/n`, such as `1/4`. Nil when it is not that, or i is not one of 1…n.
  public init?(_ text: String) {
    let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 2, let index = numbers[0], let count = numbers[1], (1...100_000).contains(count),
      (1...count).contains(index)
    else { return nil }
    self.init(unchecked: index, of: count)
  }

  /// Whether an object belongs to this part.
  /// - Parameter path: relative to the backup's directory.
  public func contains(_ path: String) -> Bool {
    count == 1 || StableHash.fnv1a(path.utf8) % UInt64(count) == UInt64(index - 1)
  }

  /// `i/n`.
  public var description: String { "\(index)/\(count)" }
}

/// What a copy has done.
public struct CopyReport: Sendable, Hashable {
  /// Objects moved.
  public var moved = 0
  /// Bytes moved.
  public var bytes: Int64 = 0
  /// Objects that were there already, equal in size and checksum.
  public var kept = 0
  /// Objects of other shards that are not there yet; 0 when the backup is complete at the target.
  public var waiting = 0
  /// Objects at the target that the source does not have.
  public var extra = 0
  /// Objects compared byte by byte afterwards.
  public var verified = 0
}
