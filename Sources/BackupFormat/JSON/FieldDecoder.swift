// Reads messages from JSON.
//
// The decoder holds the key it stands before and shows the message its fields; the field with that name takes the
// value, and the decoder moves on to the next key. Writers emit keys in the order of the fields, so one walk over the
// fields usually reads a whole message. A walk in which no field took the value means that the key is unknown.

/// Fills messages from a JSON text.
struct FieldDecoder {
  private var reader: JSONReader
  private var object = ObjectState()

  /// Where the decoder stands in the object it is reading.
  private struct ObjectState {
    /// Bytes of the current key between its quotes.
    var key = 0..<0
    /// The current key without escapes, if it was written with any.
    var unescapedKey: [UInt8]?
    var isAtEnd = false
    /// Whether a field took a value in the current walk.
    var hasAdvanced = false
  }

  private init(_ bytes: [UInt8]) {
    reader = JSONReader(bytes)
  }

  /// Reads the message which a whole JSON text consists of.
  static func decode<Message: FieldVisitable>(_: Message.Type, from json: [UInt8]) throws(JSONError) -> Message {
    var decoder = FieldDecoder(json)
    let message: Message = try decoder.message()
    try decoder.reader.expectEnd()
    return message
  }

  private mutating func message<Message: FieldVisitable>() throws(JSONError) -> Message {
    var message = Message()
    if try reader.takeNull() { return message }
    try reader.expect(UInt8(ascii: "{"), "an object")
    if reader.take(UInt8(ascii: "}")) { return message }
    let outer = object
    object = ObjectState()
    try readKey()
    while !object.isAtEnd {
      object.hasAdvanced = false
      try message.visitFields(&self)
      if !object.hasAdvanced {
        do { try reader.skipValue() } catch { throw error.within(currentKey) }
        try moveOn()
      }
    }
    object = outer
    return message
  }

  private mutating func readKey() throws(JSONError) {
    let (range, isPlain) = try reader.stringBody()
    object.key = range
    object.unescapedKey = isPlain ? nil : try reader.unescape(range)
    try reader.expect(UInt8(ascii: ":"), "':'")
  }

  private mutating func moveOn() throws(JSONError) {
    object.hasAdvanced = true
    if try reader.takeSeparator(orEnd: UInt8(ascii: "}")) { try readKey() } else { object.isAtEnd = true }
  }

  private var currentKey: String {
    String(decoding: object.unescapedKey ?? Array(reader.bytes[object.key]), as: UTF8.self)
  }

  /// Whether the decoder stands before the value of the field `name`; the case of ASCII letters does not matter.
  private func isBefore(_ name: StaticString) -> Bool {
    guard !object.isAtEnd else { return false }
    if let key = object.unescapedKey { return matches(name, key[...]) }
    return object.key.count == name.utf8CodeUnitCount && matches(name, reader.bytes[object.key])
  }

  private func matches(_ name: StaticString, _ key: ArraySlice<UInt8>) -> Bool {
    guard key.count == name.utf8CodeUnitCount else { return false }
    var letter = name.utf8Start
    for byte in key {
      guard byte == letter.pointee || lowercased(byte) == lowercased(letter.pointee) else { return false }
      letter += 1
    }
    return true
  }

  private func lowercased(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
  }

  /// Reads `value` if the decoder stands before it; null leaves it as it is.
  private mutating func read<Value>(
    _ name: StaticString, _ value: inout Value, with body: (inout Self) throws(JSONError) -> Value
  ) throws(JSONError) {
    guard isBefore(name) else { return }
    do {
      if try !reader.takeNull() { value = try body(&self) }
    } catch {
      throw error.within(name)
    }
    try moveOn()
  }

  private mutating func list<Element>(
    of element: (inout Self) throws(JSONError) -> Element
  ) throws(JSONError) -> [Element] {
    try reader.expect(UInt8(ascii: "["), "a list")
    if reader.take(UInt8(ascii: "]")) { return [] }
    var elements: [Element] = []
    repeat {
      do { elements.append(try element(&self)) } catch { throw error.within(index: elements.count) }
    } while try reader.takeSeparator(orEnd: UInt8(ascii: "]"))
    return elements
  }

  private mutating func map() throws(JSONError) -> StringMap {
    try reader.expect(UInt8(ascii: "{"), "an object")
    if reader.take(UInt8(ascii: "}")) { return [:] }
    var pairs: [StringMap.Element] = []
    repeat {
      let key = try reader.string()
      try reader.expect(UInt8(ascii: ":"), "':'")
      do { pairs.append((key, try text())) } catch { throw error.within(key) }
    } while try reader.takeSeparator(orEnd: UInt8(ascii: "}"))
    return StringMap(pairs)
  }

  private mutating func text() throws(JSONError) -> String {
    try reader.takeNull() ? "" : try reader.string()
  }
}

extension FieldDecoder: FieldVisitor {
  typealias Failure = JSONError

  mutating func field(_ name: StaticString, _ value: inout String) throws(JSONError) {
    try read(name, &value) { decoder throws(JSONError) in try decoder.reader.string() }
  }

  mutating func field(_ name: StaticString, _ value: inout Bool, always: Bool) throws(JSONError) {
    try read(name, &value) { decoder throws(JSONError) in try decoder.reader.boolean() }
  }

  mutating func field<Number: FixedWidthInteger>(
    _ name: StaticString, _ value: inout Number, always: Bool
  ) throws(JSONError) {
    try read(name, &value) { decoder throws(JSONError) in try decoder.reader.integer(Number.self) }
  }

  mutating func field<Value: ProtoEnum>(_ name: StaticString, _ value: inout Value, always: Bool) throws(JSONError) {
    try read(name, &value) { decoder throws(JSONError) in Value(rawValue: try decoder.reader.integer(Int32.self)) }
  }

  mutating func field(_ name: StaticString, _ value: inout [String]) throws(JSONError) {
    try read(name, &value) { decoder throws(JSONError) in
      try decoder.list { decoder throws(JSONError) in try decoder.text() }
    }
  }

  mutating func field(_ name: StaticString, _ value: inout [Int64]) throws(JSONError) {
    try read(name, &value) { decoder throws(JSONError) in
      try decoder.list { decoder throws(JSONError) in
        try decoder.reader.takeNull() ? 0 : try decoder.reader.integer(Int64.self)
      }
    }
  }

  mutating func field(_ name: StaticString, _ value: inout StringMap) throws(JSONError) {
    try read(name, &value) { decoder throws(JSONError) in try decoder.map() }
  }

  mutating func field<Message: FieldVisitable>(_ name: StaticString, _ value: inout [Message]) throws(JSONError) {
    try read(name, &value) { decoder throws(JSONError) in
      try decoder.list { decoder throws(JSONError) in try decoder.message() }
    }
  }

  mutating func field<Message: FieldVisitable>(_ name: StaticString, _ value: inout Message?) throws(JSONError) {
    try read(name, &value) { decoder throws(JSONError) in try decoder.message() }
  }
}
