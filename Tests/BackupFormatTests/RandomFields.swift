// Fills every field of a message with random values through the field list, so that no field can be forgotten.

@testable import BackupFormat

/// A visitor that replaces each value it is shown.
struct RandomFields: FieldVisitor {
  typealias Failure = Never

  private var generator: SeededGenerator
  private var depth = 0

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  mutating func message<Message: FieldVisitable>(_: Message.Type = Message.self) -> Message {
    var message = Message()
    depth += 1
    message.visitFields(&self)
    depth -= 1
    return message
  }

  private mutating func chance(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &generator) == 0 }

  private mutating func text() -> String {
    let alphabet: [Character] = [
      "a", "Z", "0", "_", "/", " ", "\"", "\\", "<", ">", "&", "\n", "\t", "\r", "\u{8}", "\u{c}", "\0", "\u{1f}",
      "\u{7f}", "é", "e\u{301}", "\u{2028}", "\u{2029}", "\u{2027}", "\u{202a}", "\u{fffd}", "中", "😀", "\u{10ffff}",
    ]
    let length = Int.random(in: 0...12, using: &generator)
    return String((0..<length).map { _ in alphabet.randomElement(using: &generator) ?? "?" })
  }

  private mutating func number<Number: FixedWidthInteger>() -> Number {
    switch Int.random(in: 0..<6, using: &generator) {
    case 0: 0
    case 1: .min
    case 2: .max
    case 3: 1
    default: Number(truncatingIfNeeded: generator.next())
    }
  }

  private mutating func list<Element>(_ element: (inout Self) -> Element) -> [Element] {
    let count = chance(3) ? 0 : Int.random(in: 1...max(1, 5 - depth), using: &generator)
    return (0..<count).map { _ in element(&self) }
  }

  mutating func field(_ name: StaticString, _ value: inout String) { value = text() }
  mutating func field(_ name: StaticString, _ value: inout Bool, always: Bool) { value = chance(2) }
  mutating func field<Number: FixedWidthInteger>(_ name: StaticString, _ value: inout Number, always: Bool) {
    value = number()
  }
  mutating func field<Value: ProtoEnum>(_ name: StaticString, _ value: inout Value, always: Bool) {
    value = Value(rawValue: number())
  }
  mutating func field(_ name: StaticString, _ value: inout [String]) { value = list { $0.text() } }
  mutating func field(_ name: StaticString, _ value: inout [Int64]) { value = list { $0.number() } }
  mutating func field(_ name: StaticString, _ value: inout StringMap) {
    value = StringMap(list { (key: $0.text(), value: $0.text()) })
  }
  mutating func field<Message: FieldVisitable>(_ name: StaticString, _ value: inout [Message]) {
    value = list { $0.message() }
  }
  mutating func field<Message: FieldVisitable>(_ name: StaticString, _ value: inout Message?) {
    value = chance(3) ? nil : message()
  }
}
