// A database of a backup. It exists only in full_meta.json; the levelled files do not hold databases.

/// One database of the source server.
public struct DatabaseBackupInfo: FieldVisitable {
  /// Name of the database; `default` for the one every server has.
  public var dbName = ""
  /// Identifier in the source server; zero if the server could not tell (before Milvus 2.4.3).
  public var dbID: Int64 = 0
  /// Properties of the database.
  public var properties: [KeyValuePair] = []
  /// Wrapped encryption key of an encrypted database, to be passed back on import. Not for display.
  public var ezk = ""

  /// Makes a database description whose fields are all zero.
  public init() {}

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("db_name", &dbName)
    try visitor.field("db_id", &dbID)
    try visitor.field("properties", &properties)
    try visitor.field("ezk", &ezk)
  }
}

extension DatabaseBackupInfo: CustomReflectable {
  /// Shows everything but the encryption key.
  public var customMirror: Mirror {
    let children: KeyValuePairs<String, Any> = [
      "dbName": dbName, "dbID": dbID, "properties": properties, "hasEZK": !ezk.isEmpty,
    ]
    return Mirror(self, children: children)
  }
}
