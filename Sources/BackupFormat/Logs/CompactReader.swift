// As much of Thrift's compact protocol as it takes to find a few fields of a Parquet footer and to pass over the rest.
//
// Source: the compact protocol's specification of Apache Thrift. Invariant: every method returns nil, and the reading is
// over, when the bytes end too early or nest too deep.

/// Reads structs of the compact protocol.
struct CompactReader {
  /// The kinds of values, by their numbers on the wire.
  enum Kind: UInt8 {
    case yes = 1
    case no = 2
    case int8 = 3
    case int16 = 4
    case int32 = 5
    case int64 = 6
    case double = 7
    case binary = 8
    case list = 9
    case set = 10
    case map = 11
    case structure = 12
  }

  private static let deepest = 32
  private var reader: ByteReader

  init(_ bytes: [UInt8]) { reader = ByteReader(bytes) }

  /// Reads a struct; `body` is told of each field and must read its value, or say false to have it passed over.
  /// - Returns: false when the bytes are not a struct.
  mutating func structure(_ body: (Int16, Kind, inout CompactReader) -> Bool?) -> Bool {
    var field: Int16 = 0
    while let header = reader.byte() {
      if header == 0 { return true }
      if header >> 4 != 0 {
        field &+= Int16(header >> 4)
      } else {
        guard let number = zigzag(), let narrow = Int16(exactly: number) else { return false }
        field = narrow
      }
      guard let kind = Kind(rawValue: header & 0x0f), let isRead = body(field, kind, &self) else { return false }
      if !isRead { guard skip(kind, depth: 0) else { return false } }
    }
    return false
  }

  /// A number of any width.
  mutating func zigzag() -> Int64? {
    guard let value = varint() else { return nil }
    return Int64(bitPattern: (value >> 1) ^ (0 &- (value & 1)))
  }

  /// A text.
  mutating func text() -> String? {
    guard let length = length(), let bytes = reader.take(length) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The head of a list: kind of its elements and their number.
  mutating func list() -> (kind: Kind, count: Int)? {
    guard let head = reader.byte(), let kind = Kind(rawValue: head & 0x0f) else { return nil }
    if head >> 4 < 15 { return (kind, Int(head >> 4)) }
    guard let count = length() else { return nil }
    return (kind, count)
  }

  private mutating func skip(_ kind: Kind, depth: Int, isElement: Bool = false) -> Bool {
    guard depth < Self.deepest else { return false }
    switch kind {
    // In a struct the kind itself is the value.
    case .yes, .no: return !isElement || reader.byte() != nil
    case .int8: return reader.byte() != nil
    case .int16, .int32, .int64: return varint() != nil
    case .double: return reader.take(8) != nil
    case .binary: return length().flatMap { reader.take($0) } != nil
    case .list, .set:
      guard let list = list() else { return false }
      return skip(list.kind, times: list.count, depth: depth + 1)
    case .map:
      guard let count = length() else { return false }
      guard count > 0 else { return true }
      guard let kinds = reader.byte(), let key = Kind(rawValue: kinds >> 4), let value = Kind(rawValue: kinds & 0x0f)
      else { return false }
      for _ in 0..<count {
        guard skip(key, depth: depth + 1, isElement: true), skip(value, depth: depth + 1, isElement: true) else {
          return false
        }
      }
      return true
    case .structure:
      while let header = reader.byte() {
        if header == 0 { return true }
        if header >> 4 == 0, varint() == nil { return false }
        guard let kind = Kind(rawValue: header & 0x0f), skip(kind, depth: depth + 1) else { return false }
      }
      return false
    }
  }

  private mutating func skip(_ kind: Kind, times: Int, depth: Int) -> Bool {
    for _ in 0..<times {
      guard skip(kind, depth: depth, isElement: true) else { return false }
    }
    return true
  }

  /// A length, which cannot be more than what is left: each element takes a byte at least.
  private mutating func length() -> Int? {
    guard let value = varint(), let length = Int(exactly: value), length <= reader.remaining else { return nil }
    return length
  }

  private mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard let byte = reader.byte() else { return nil }
      if shift < 64 { value |= UInt64(byte & 0x7f) << shift }
      if byte & 0x80 == 0 { return value }
    }
    return nil
  }
}
