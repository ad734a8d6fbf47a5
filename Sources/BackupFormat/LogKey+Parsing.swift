// Parsing of log keys, byte by byte because a listing may have millions of them.

extension LogKey {
  /// Parses a path relative to a backup directory.
  ///
  /// - Returns: nil if the path is not that of a log object.
  public init?(backupPath path: String) {
    self.init(path, prefix: "binlogs/", allowsGroup: true)
  }

  /// Parses a key in the bucket of the Milvus instance whose root is `rootPath`. The group is zero.
  ///
  /// - Throws: a ``BackupFormatError`` with code `malformedKey`, because a key below a segment's directory that is not
  ///   a log means that the directory is not what it seems to be.
  public init(milvusKey key: String, rootPath: String) throws(BackupFormatError) {
    let root = BackupLayout.listingPrefix(rootPath: rootPath)
    guard let parsed = LogKey(key, prefix: root, allowsGroup: false) else {
      throw BackupFormatError(
        .malformedKey,
        "The object \(key.debugDescription) is not a log of a segment: \(root)insert_log/ is followed by five numbers"
          + " (collection, partition, segment, field, log), \(root)delta_log/ by four (without the field). Check that"
          + " minio.rootPath is the rootPath of this Milvus.")
    }
    self = parsed
  }

  private init?(_ text: String, prefix: String, allowsGroup: Bool) {
    var text = text
    let parsed = text.withUTF8 { bytes -> LogKey? in
      guard bytes.starts(with: prefix.utf8) else { return nil }
      var scanner = LogKeyScanner(bytes.dropFirst(prefix.utf8.count))
      return scanner.key(allowsGroup: allowsGroup)
    }
    guard let parsed else { return nil }
    self = parsed
  }
}

/// Reads the elements of a log key.
private struct LogKeyScanner {
  private var rest: Slice<UnsafeBufferPointer<UInt8>>

  init(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) {
    rest = bytes
  }

  /// Reads `kind/number/…` to the end.
  mutating func key(allowsGroup: Bool) -> LogKey? {
    guard let kind = kind() else { return nil }
    var numbers: [Int64] = []
    numbers.reserveCapacity(7)
    while !rest.isEmpty {
      guard numbers.count < 6, rest.popFirst() == UInt8(ascii: "/") else { return nil }
      // Only the partition may be negative, and only in delta logs.
      let isPartition = numbers.count == 1 && kind == .delta
      guard let number = isPartition && takeMinusOne() ? -1 : number() else { return nil }
      numbers.append(number)
    }
    let bare = kind == .insert ? 5 : 4
    switch numbers.count {
    case bare: numbers.insert(0, at: 2)
    case bare + 1 where allowsGroup && numbers[2] != 0: break
    default: return nil
    }
    if kind == .delta { numbers.insert(0, at: 4) }
    return LogKey(
      kind: kind, collectionID: numbers[0], partitionID: numbers[1], groupID: numbers[2], segmentID: numbers[3],
      fieldID: numbers[4], logID: numbers[5])
  }

  private mutating func kind() -> LogKey.Kind? {
    for kind in [LogKey.Kind.insert, .delta] where rest.starts(with: kind.rawValue.utf8) {
      rest = rest.dropFirst(kind.rawValue.utf8.count)
      return kind
    }
    return nil
  }

  private mutating func takeMinusOne() -> Bool {
    guard rest.starts(with: "-1".utf8) else { return false }
    rest = rest.dropFirst(2)
    return true
  }

  /// Reads a number which is spelled in the only possible way: digits without leading zeros.
  private mutating func number() -> Int64? {
    let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    guard let first = digits.first, first != UInt8(ascii: "0") || digits.count == 1 else { return nil }
    var value: Int64 = 0
    for digit in digits {
      let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
      let (sum, alsoOverflowed) = product.addingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
      guard !overflowed, !alsoOverflowed else { return nil }
      value = sum
    }
    rest = rest.dropFirst(digits.count)
    return value
  }
}
