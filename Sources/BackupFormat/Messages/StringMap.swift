// A map of texts, as the format has it for index parameters, checkpoints and flush messages.
//
// Invariants: entries are sorted by the bytes of their keys and no two keys have the same bytes. A Swift dictionary
// would do neither: it has no order, and takes canonically equivalent keys for one.

/// A small map from text to text, ordered by the bytes of the keys, which is also the order in the file.
public struct StringMap: Hashable, Sendable {
  /// One key with its value.
  public typealias Element = (key: String, value: String)

  private var keys: [String] = []
  private var values: [String] = []

  /// Makes an empty map.
  public init() {}

  /// Makes a map of `pairs`; of several with the same key the last one stays.
  public init(_ pairs: some Sequence<Element>) {
    let ordered = pairs.enumerated().sorted { left, right in
      let (leftKey, rightKey) = (left.element.key, right.element.key)
      if leftKey.hasSameBytes(as: rightKey) { return left.offset < right.offset }
      return leftKey.precedesBytewise(rightKey)
    }
    for (_, pair) in ordered {
      if let last = keys.last, last.hasSameBytes(as: pair.key) {
        values[values.count - 1] = pair.value
      } else {
        keys.append(pair.key)
        values.append(pair.value)
      }
    }
  }

  /// The value under `key`; setting nil removes the key.
  public subscript(key: String) -> String? {
    get {
      let index = position(of: key)
      return holds(key, at: index) ? values[index] : nil
    }
    set {
      let index = position(of: key)
      switch (holds(key, at: index), newValue) {
      case (true, let value?): values[index] = value
      case (true, nil):
        keys.remove(at: index)
        values.remove(at: index)
      case (false, let value?):
        keys.insert(key, at: index)
        values.insert(value, at: index)
      case (false, nil): break
      }
    }
  }

  private func holds(_ key: String, at index: Int) -> Bool {
    index < keys.count && keys[index].hasSameBytes(as: key)
  }

  /// Index of the first key which does not precede `key`.
  private func position(of key: String) -> Int {
    var low = 0
    var high = keys.count
    while low < high {
      let middle = (low + high) / 2
      if keys[middle].precedesBytewise(key) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension StringMap: RandomAccessCollection {
  /// Position of the first entry.
  public var startIndex: Int { 0 }
  /// Position after the last entry.
  public var endIndex: Int { keys.count }
  /// The entry at `position`, in the order of the keys' bytes.
  public subscript(position: Int) -> Element { (keys[position], values[position]) }
}

extension StringMap: ExpressibleByDictionaryLiteral {
  /// Makes a map of the pairs of a literal.
  public init(dictionaryLiteral elements: (String, String)...) {
    self.init(elements.lazy.map { (key: $0.0, value: $0.1) })
  }
}

extension StringMap: CustomStringConvertible {
  /// The map in the form of a dictionary literal.
  public var description: String {
    isEmpty
      ? "[:]" : "[" + map { "\($0.key.debugDescription): \($0.value.debugDescription)" }.joined(separator: ", ") + "]"
  }
}
