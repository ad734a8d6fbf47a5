// An answer's headers, kept as the bytes that came and searched when asked: most answers have a dozen lines of which
// two are read.

/// The headers of one answer.
public struct HTTPHeaders: Sendable, CustomStringConvertible {
  /// Header lines, each ended by LF or CRLF; a status line may come first.
  private var block: [UInt8]

  /// Wraps lines as they came from the network.
  init(block: [UInt8]) { self.block = block }

  /// Makes headers from names and values, for transports that do without a network.
  public init(_ headers: [HTTPHeader] = []) {
    block = []
    for header in headers { block += Array("\(header.name): \(header.value)\r\n".utf8) }
  }

  /// The first value under this name, in any case, without surrounding white space; nil when there is none.
  public subscript(_ name: String) -> String? {
    var wanted = name
    return wanted.withUTF8 { wanted in
      block.withUnsafeBufferPointer { block in
        Self.value(of: wanted, in: block).map { String(decoding: $0, as: UTF8.self) }
      }
    }
  }

  /// All lines, for logs of the bytes exchanged.
  public var description: String { String(decoding: block, as: UTF8.self) }

  private static func value(
    of name: UnsafeBufferPointer<UInt8>, in block: UnsafeBufferPointer<UInt8>
  ) -> Slice<UnsafeBufferPointer<UInt8>>? {
    var start = 0
    while start < block.count {
      var end = start
      while end < block.count, block[end] != UInt8(ascii: "\n") { end += 1 }
      if end - start > name.count, block[start + name.count] == UInt8(ascii: ":"),
        equalIgnoringCase(name, block, at: start)
      {
        return trimmed(block, start + name.count + 1, end)
      }
      start = end + 1
    }
    return nil
  }

  private static func equalIgnoringCase(
    _ name: UnsafeBufferPointer<UInt8>, _ block: UnsafeBufferPointer<UInt8>, at start: Int
  ) -> Bool {
    for index in 0..<name.count where lowered(name[index]) != lowered(block[start + index]) { return false }
    return true
  }

  private static func lowered(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
  }

  private static func trimmed(
    _ block: UnsafeBufferPointer<UInt8>, _ from: Int, _ to: Int
  ) -> Slice<UnsafeBufferPointer<UInt8>> {
    var (first, last) = (from, to)
    while first < last, isBlank(block[first]) { first += 1 }
    while last > first, isBlank(block[last - 1]) { last -= 1 }
    return block[first..<last]
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
  }
}
