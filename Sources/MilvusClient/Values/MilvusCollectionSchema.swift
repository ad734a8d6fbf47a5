// A collection's schema as Milvus describes it and as it is given to create one. Field names follow the backup
// format's messages, so that an engine can copy one into the other. Free of protobuf types.

/// Schema of a collection.
public struct MilvusCollectionSchema: Sendable, Hashable {
  /// The collection's name.
  public var name: String
  /// Free text.
  public var description: String
  /// Collection-level flag of early releases; the primary key field's own flag is the one that counts.
  public var autoID: Bool
  /// User fields in their order; Milvus numbers fields from 100 in this order when it creates the collection.
  public var fields: [MilvusFieldSchema]
  /// Whether rows may carry fields the schema does not name.
  public var enableDynamicField: Bool
  /// Schema-level properties (filled by newer servers only).
  public var properties: [MilvusKeyValue]
  /// Functions that compute fields (2.5 and later).
  public var functions: [MilvusFunctionSchema]
  /// Struct array fields (2.6 and later).
  public var structArrayFields: [MilvusStructArrayFieldSchema]

  /// Creates a schema.
  public init(
    name: String, description: String = "", autoID: Bool = false, fields: [MilvusFieldSchema],
    enableDynamicField: Bool = false, properties: [MilvusKeyValue] = [], functions: [MilvusFunctionSchema] = [],
    structArrayFields: [MilvusStructArrayFieldSchema] = []
  ) {
    self.name = name
    self.description = description
    self.autoID = autoID
    self.fields = fields
    self.enableDynamicField = enableDynamicField
    self.properties = properties
    self.functions = functions
    self.structArrayFields = structArrayFields
  }
}
