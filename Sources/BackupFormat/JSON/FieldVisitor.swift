// The two directions of the JSON codec seen as one: something that is shown every field of a message by name.
//
// A writer looks at the value, a reader replaces it. `always` marks the few fields which the format writes even when
// they are zero (`size`, `log_size`, `has_index`, `state_code`); all others are left out when zero or empty.

/// Reads or writes the fields of one message.
protocol FieldVisitor {
  /// What can go wrong: nothing when writing.
  associatedtype Failure: Error

  mutating func field(_ name: StaticString, _ value: inout String) throws(Failure)
  mutating func field(_ name: StaticString, _ value: inout Bool, always: Bool) throws(Failure)
  mutating func field(_ name: StaticString, _ value: inout some FixedWidthInteger, always: Bool) throws(Failure)
  mutating func field(_ name: StaticString, _ value: inout some ProtoEnum, always: Bool) throws(Failure)
  mutating func field(_ name: StaticString, _ value: inout [String]) throws(Failure)
  mutating func field(_ name: StaticString, _ value: inout [Int64]) throws(Failure)
  mutating func field(_ name: StaticString, _ value: inout StringMap) throws(Failure)
  mutating func field<Message: FieldVisitable>(_ name: StaticString, _ value: inout [Message]) throws(Failure)
  mutating func field<Message: FieldVisitable>(_ name: StaticString, _ value: inout Message?) throws(Failure)
}

extension FieldVisitor {
  mutating func field(_ name: StaticString, _ value: inout Bool) throws(Failure) {
    try field(name, &value, always: false)
  }

  mutating func field(_ name: StaticString, _ value: inout some FixedWidthInteger) throws(Failure) {
    try field(name, &value, always: false)
  }

  mutating func field(_ name: StaticString, _ value: inout some ProtoEnum) throws(Failure) {
    try field(name, &value, always: false)
  }
}
