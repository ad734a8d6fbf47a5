// Schema of one field, and of the struct array fields that contain fields.

/// Schema of a field.
public struct MilvusFieldSchema: Sendable, Hashable {
  /// Number of the field; user fields start at 100.
  public var fieldID: Int64
  /// The field's name.
  public var name: String
  /// Whether it is the primary key.
  public var isPrimaryKey: Bool
  /// Free text.
  public var description: String
  /// The type.
  public var dataType: MilvusDataType
  /// Parameters of the type: `dim`, `max_length`, `max_capacity`.
  public var typeParams: [MilvusKeyValue]
  /// Index parameters kept in the schema (early releases).
  public var indexParams: [MilvusKeyValue]
  /// Whether Milvus makes up the primary key.
  public var autoID: Bool
  /// `schema.FieldState` as a number; 0 is created.
  public var state: Int32
  /// Type of an array's elements.
  public var elementType: MilvusDataType
  /// The default value as a serialized `schema.ValueField`, `nil` if the field has none. Base64 of these bytes is
  /// what a backup stores.
  public var defaultValue: [UInt8]?
  /// Whether it is the hidden field that holds dynamic values.
  public var isDynamic: Bool
  /// Whether rows are distributed to partitions by it.
  public var isPartitionKey: Bool
  /// Whether it is the clustering key (2.4 and later).
  public var isClusteringKey: Bool
  /// Whether it may be null (2.5 and later).
  public var nullable: Bool
  /// Whether a function computes it (2.5 and later).
  public var isFunctionOutput: Bool

  /// Creates a field.
  public init(
    fieldID: Int64 = 0, name: String, isPrimaryKey: Bool = false, description: String = "",
    dataType: MilvusDataType, typeParams: [MilvusKeyValue] = [], indexParams: [MilvusKeyValue] = [],
    autoID: Bool = false, state: Int32 = 0, elementType: MilvusDataType = .none, defaultValue: [UInt8]? = nil,
    isDynamic: Bool = false, isPartitionKey: Bool = false, isClusteringKey: Bool = false, nullable: Bool = false,
    isFunctionOutput: Bool = false
  ) {
    self.fieldID = fieldID
    self.name = name
    self.isPrimaryKey = isPrimaryKey
    self.description = description
    self.dataType = dataType
    self.typeParams = typeParams
    self.indexParams = indexParams
    self.autoID = autoID
    self.state = state
    self.elementType = elementType
    self.defaultValue = defaultValue
    self.isDynamic = isDynamic
    self.isPartitionKey = isPartitionKey
    self.isClusteringKey = isClusteringKey
    self.nullable = nullable
    self.isFunctionOutput = isFunctionOutput
  }
}

/// Schema of a struct array field: an array whose elements have fields of their own (2.6 and later).
public struct MilvusStructArrayFieldSchema: Sendable, Hashable {
  /// Number of the field.
  public var fieldID: Int64
  /// The field's name.
  public var name: String
  /// Free text.
  public var description: String
  /// The members.
  public var fields: [MilvusFieldSchema]
  /// Parameters of the type, for instance `max_capacity`.
  public var typeParams: [MilvusKeyValue]

  /// Creates a struct array field.
  public init(
    fieldID: Int64 = 0, name: String, description: String = "", fields: [MilvusFieldSchema],
    typeParams: [MilvusKeyValue] = []
  ) {
    self.fieldID = fieldID
    self.name = name
    self.description = description
    self.fields = fields
    self.typeParams = typeParams
  }
}
