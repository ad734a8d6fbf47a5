// Reading numbers out of bytes that may end anywhere.
//
// Invariant: nothing is read behind the end; whoever asks for more than there is gets nil and the reader stays where it is.

/// A place in an array of bytes.
struct ByteReader {
  private let bytes: [UInt8]
  private(set) var offset: Int

  init(_ bytes: [UInt8], at offset: Int = 0) {
    self.bytes = bytes
    self.offset = offset
  }

  /// Bytes from here to the end.
  var remaining: Int { bytes.count - offset }

  /// An integer, least significant byte first.
  mutating func integer<Number: FixedWidthInteger>(_ type: Number.Type) -> Number? {
    let width = Number.bitWidth / 8
    guard remaining >= width else { return nil }
    var value = Number.zero
    for index in 0..<width {
      value |= Number(truncatingIfNeeded: bytes[offset + index]) << Number(8 * index)
    }
    offset += width
    return value
  }

  /// The next byte.
  mutating func byte() -> UInt8? { integer(UInt8.self) }

  /// So many bytes.
  mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
    guard count >= 0, remaining >= count else { return nil }
    defer { offset += count }
    return bytes[offset..<offset + count]
  }
}
