// Milvus' key-value pairs: an ordered list, keys normally unique, order kept as the server sent it.

/// One pair of a parameter or property list.
public struct MilvusKeyValue: Sendable, Hashable {
  /// The key, for instance `dim`.
  public var key: String
  /// The value; numbers and booleans as text.
  public var value: String

  /// Creates a pair.
  public init(key: String, value: String) {
    self.key = key
    self.value = value
  }
}

extension Array where Element == MilvusKeyValue {
  /// The value of the first pair with this key, `nil` if there is none.
  public func value(forKey key: String) -> String? {
    first { $0.key == key }?.value
  }
}
