// Writes messages as the JSON that Go's `encoding/json` would write for them: compact, keys in the order of the fields,
// zero values left out unless the field is always written, and the escapes of Go.

/// Collects the JSON text of messages.
struct FieldEncoder {
  private(set) var bytes: [UInt8] = []
  private var needsComma = false

  /// The JSON text of `message`.
  static func encode(_ message: some FieldVisitable) -> [UInt8] {
    var encoder = FieldEncoder()
    encoder.write(message)
    return encoder.bytes
  }

  private mutating func write<Message: FieldVisitable>(_ message: Message) {
    bytes.append(UInt8(ascii: "{"))
    needsComma = false
    var visited = message
    visited.visitFields(&self)
    bytes.append(UInt8(ascii: "}"))
    needsComma = true
  }

  private mutating func writeKey(_ name: StaticString) {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
    bytes.append(UInt8(ascii: "\""))
    bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    bytes.append(UInt8(ascii: "\""))
    bytes.append(UInt8(ascii: ":"))
  }

  private mutating func write(_ number: some FixedWidthInteger) {
    if number < 0 { bytes.append(UInt8(ascii: "-")) }
    let start = bytes.count
    var rest = number.magnitude
    repeat {
      let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 10)
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: remainder))
      rest = quotient
    } while rest > 0
    bytes[start...].reverse()
  }

  private mutating func write(_ text: String) {
    var text = text
    bytes.append(UInt8(ascii: "\""))
    text.withUTF8 { JSONEscape.append($0, to: &bytes) }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func writeList<Element>(
    _ elements: [Element], _ write: (inout Self, Element) -> Void
  ) {
    bytes.append(UInt8(ascii: "["))
    for index in elements.indices {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      write(&self, elements[index])
    }
    bytes.append(UInt8(ascii: "]"))
  }
}

extension FieldEncoder: FieldVisitor {
  typealias Failure = Never

  mutating func field(_ name: StaticString, _ value: inout String) {
    guard !value.isEmpty else { return }
    writeKey(name)
    write(value)
  }

  mutating func field(_ name: StaticString, _ value: inout Bool, always: Bool) {
    guard value || always else { return }
    writeKey(name)
    bytes.append(contentsOf: (value ? "true" : "false").utf8)
  }

  mutating func field(_ name: StaticString, _ value: inout some FixedWidthInteger, always: Bool) {
    guard value != 0 || always else { return }
    writeKey(name)
    write(value)
  }

  mutating func field(_ name: StaticString, _ value: inout some ProtoEnum, always: Bool) {
    guard value.rawValue != 0 || always else { return }
    writeKey(name)
    write(value.rawValue)
  }

  mutating func field(_ name: StaticString, _ value: inout [String]) {
    guard !value.isEmpty else { return }
    writeKey(name)
    writeList(value) { encoder, element in encoder.write(element) }
  }

  mutating func field(_ name: StaticString, _ value: inout [Int64]) {
    guard !value.isEmpty else { return }
    writeKey(name)
    writeList(value) { encoder, element in encoder.write(element) }
  }

  mutating func field(_ name: StaticString, _ value: inout StringMap) {
    guard !value.isEmpty else { return }
    writeKey(name)
    bytes.append(UInt8(ascii: "{"))
    for index in value.indices {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      write(value[index].key)
      bytes.append(UInt8(ascii: ":"))
      write(value[index].value)
    }
    bytes.append(UInt8(ascii: "}"))
  }

  mutating func field<Message: FieldVisitable>(_ name: StaticString, _ value: inout [Message]) {
    guard !value.isEmpty else { return }
    writeKey(name)
    writeList(value) { encoder, element in encoder.write(element) }
  }

  mutating func field<Message: FieldVisitable>(_ name: StaticString, _ value: inout Message?) {
    guard let message = value else { return }
    writeKey(name)
    write(message)
  }
}
