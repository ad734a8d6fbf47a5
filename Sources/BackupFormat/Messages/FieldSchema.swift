// A field of a collection schema.

/// One field of a collection.
public struct FieldSchema: FieldVisitable {
  /// Identifier of the field, 100 and up; part of the object keys.
  public var fieldID: Int64 = 0
  /// Name of the field.
  public var name = ""
  /// Whether this is the primary key.
  public var isPrimaryKey = false
  /// Description given by the user.
  public var description = ""
  /// Type of the values.
  public var dataType = DataType.none
  /// Parameters of the type, such as `dim` or `max_length`.
  public var typeParams: [KeyValuePair] = []
  /// Parameters of the index.
  public var indexParams: [KeyValuePair] = []
  /// Whether the server makes the values of the primary key.
  public var autoID = false
  /// State of the field in the source server.
  public var state = FieldState.created
  /// Type of the elements of an array.
  public var elementType = DataType.none
  /// Whether this is the hidden dynamic field.
  public var isDynamic = false
  /// Whether this is the partition key.
  public var isPartitionKey = false
  /// Whether values may be absent.
  public var nullable = false
  /// Default value as raw protobuf bytes in a text; lossy, written up to 0.5.9. Prefer ``defaultValueBase64``.
  public var defaultValueProto = ""
  /// Whether a function computes the values.
  public var isFunctionOutput = false
  /// Default value: base64 of a marshalled `schemapb.ValueField`.
  public var defaultValueBase64 = ""

  /// Makes a field whose properties are all zero.
  public init() {}

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("fieldID", &fieldID)
    try visitor.field("name", &name)
    try visitor.field("is_primary_key", &isPrimaryKey)
    try visitor.field("description", &description)
    try visitor.field("data_type", &dataType)
    try visitor.field("type_params", &typeParams)
    try visitor.field("index_params", &indexParams)
    try visitor.field("autoID", &autoID)
    try visitor.field("state", &state)
    try visitor.field("element_type", &elementType)
    try visitor.field("is_dynamic", &isDynamic)
    try visitor.field("is_partition_key", &isPartitionKey)
    try visitor.field("nullable", &nullable)
    try visitor.field("default_value_proto", &defaultValueProto)
    try visitor.field("is_function_output", &isFunctionOutput)
    try visitor.field("default_value_base64", &defaultValueBase64)
  }
}
