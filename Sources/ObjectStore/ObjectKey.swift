// The name of an object, and any other text whose identity is its bytes.
//
// Invariant: comparison is bytewise. Swift's String holds two spellings of the same character equal; a store does not,
// and a listing is ordered by bytes.

#if canImport(Glibc)
  import Glibc
#endif

/// An object's key: UTF-8 text compared byte by byte, at most 1,024 bytes on S3.
public struct ObjectKey: Sendable, Hashable, Comparable, CustomStringConvertible, ExpressibleByStringInterpolation {
  /// The key as text, with native UTF-8 storage.
  public let string: String

  /// Makes a key from text; the text is kept as it is.
  public init(_ string: String) {
    var native = string
    native.makeContiguousUTF8()
    self.string = native
  }

  /// Makes a key from a literal.
  public init(stringLiteral value: String) { self.init(value) }

  /// The key's text.
  public var description: String { string }

  /// Number of bytes.
  public var byteCount: Int { string.utf8.count }

  public static func == (lhs: ObjectKey, rhs: ObjectKey) -> Bool {
    lhs.byteCount == rhs.byteCount && compare(lhs, rhs) == 0
  }

  public static func < (lhs: ObjectKey, rhs: ObjectKey) -> Bool { compare(lhs, rhs) < 0 }

  public func hash(into hasher: inout Hasher) {
    withBytes { hasher.combine(bytes: $0) }
  }

  /// Whether the key begins with these bytes.
  public func hasPrefix(_ prefix: ObjectKey) -> Bool {
    withBytes { mine in
      prefix.withBytes { theirs in
        guard theirs.count <= mine.count else { return false }
        guard let left = mine.baseAddress, let right = theirs.baseAddress else { return true }
        return memcmp(left, right, theirs.count) == 0
      }
    }
  }

  /// What follows the first `count` bytes; `count` must not cut a character and must not exceed the key.
  public func droppingFirst(_ count: Int) -> ObjectKey {
    ObjectKey(String(string[string.utf8.index(string.utf8.startIndex, offsetBy: count)...]))
  }

  private func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    var copy = string
    return copy.withUTF8 { body(UnsafeRawBufferPointer($0)) }
  }

  private static func compare(_ lhs: ObjectKey, _ rhs: ObjectKey) -> Int {
    lhs.withBytes { left in
      rhs.withBytes { right in
        let common = min(left.count, right.count)
        if common > 0, let first = left.baseAddress, let second = right.baseAddress {
          let order = memcmp(first, second, common)
          if order != 0 { return Int(order) }
        }
        return left.count - right.count
      }
    }
  }
}
