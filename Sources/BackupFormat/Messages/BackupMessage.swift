// What all persisted messages of the backup format have in common.
//
// Invariants: a message is a plain value whose empty initialiser gives the zero of every field, so "absent in the
// file" and "zero" are one and the same, as in proto3. Each message lists its fields once, in the order of their
// numbers in `backup.proto`; reading and writing both follow that one list, so they cannot drift apart.

/// A message of the milvus-backup format as it is stored in the `meta/*.json` files of a backup.
public protocol BackupMessage: Hashable, Sendable {
  /// Makes the message whose fields are all zero, empty or absent.
  init()
}

extension BackupMessage {
  /// Makes a message and fills in the fields that are not zero.
  ///
  /// - Parameter populate: sets the fields of the new message.
  public static func with(_ populate: (inout Self) throws -> Void) rethrows -> Self {
    var message = Self()
    try populate(&message)
    return message
  }
}

/// A message that can be walked field by field.
protocol FieldVisitable: BackupMessage {
  /// Shows each field to `visitor`, in the order of the field numbers.
  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure)
}
