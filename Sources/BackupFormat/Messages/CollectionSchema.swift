// The schema of a backed-up collection.

/// The schema of a collection. Hidden fields (row id, timestamp, the dynamic field) are not part of it.
public struct CollectionSchema: FieldVisitable {
  /// Name of the collection.
  public var name = ""
  /// Description given by the user.
  public var description = ""
  /// Deprecated at this level: see ``FieldSchema/autoID`` of the primary key.
  public var autoID = false
  /// The fields in ascending order of their ids.
  public var fields: [FieldSchema] = []
  /// Whether rows may have fields which the schema does not name.
  public var enableDynamicField = false
  /// Properties of the collection.
  public var properties: [KeyValuePair] = []
  /// Functions which compute fields from other fields.
  public var functions: [FunctionSchema] = []
  /// Fields which are arrays of structures.
  public var structArrayFields: [StructArrayFieldSchema] = []

  /// Makes a schema whose fields are all zero.
  public init() {}

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("name", &name)
    try visitor.field("description", &description)
    try visitor.field("autoID", &autoID)
    try visitor.field("fields", &fields)
    try visitor.field("enable_dynamic_field", &enableDynamicField)
    try visitor.field("properties", &properties)
    try visitor.field("functions", &functions)
    try visitor.field("struct_array_fields", &structArrayFields)
  }
}

/// A field which is an array of structures.
public struct StructArrayFieldSchema: FieldVisitable {
  /// Identifier of the field.
  public var fieldID: Int64 = 0
  /// Name of the field.
  public var name = ""
  /// Description given by the user.
  public var description = ""
  /// The fields of the structure.
  public var fields: [FieldSchema] = []

  /// Makes a schema whose fields are all zero.
  public init() {}

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("fieldID", &fieldID)
    try visitor.field("name", &name)
    try visitor.field("description", &description)
    try visitor.field("fields", &fields)
  }
}
