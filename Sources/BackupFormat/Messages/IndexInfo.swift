// An index of a backed-up collection. Indexes are described, never copied: a restore builds them anew.

/// One index.
public struct IndexInfo: FieldVisitable {
  /// Name of the indexed field.
  public var fieldName = ""
  /// Name of the index.
  public var indexName = ""
  /// Type, such as `HNSW`.
  public var indexType = ""
  /// All parameters as the server described them: `index_type`, `metric_type`, and either `params` holding a JSON text
  /// or the build parameters one by one.
  public var params: StringMap = [:]
  /// Identifier in the source server.
  public var indexID: Int64 = 0
  /// Identifier of the field; only with the extras read from etcd.
  public var fieldID: Int64 = 0
  /// Creation time; only with the extras read from etcd.
  public var createTime: UInt64 = 0
  /// Type parameters; only with the extras read from etcd.
  public var typeParams: [KeyValuePair] = []
  /// Index parameters; only with the extras read from etcd.
  public var indexParams: [KeyValuePair] = []
  /// Parameters as the user gave them; only with the extras read from etcd.
  public var userIndexParams: [KeyValuePair] = []
  /// Whether the server chose the index type; only with the extras read from etcd.
  public var isAutoIndex = false
  /// Oldest index version; only with the extras read from etcd.
  public var minIndexVersion: Int32 = 0
  /// Newest index version; only with the extras read from etcd.
  public var maxIndexVersion: Int32 = 0

  /// Makes an index description whose fields are all zero.
  public init() {}

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("field_name", &fieldName)
    try visitor.field("index_name", &indexName)
    try visitor.field("index_type", &indexType)
    try visitor.field("params", &params)
    try visitor.field("index_id", &indexID)
    try visitor.field("field_id", &fieldID)
    try visitor.field("create_time", &createTime)
    try visitor.field("type_params", &typeParams)
    try visitor.field("index_params", &indexParams)
    try visitor.field("user_index_params", &userIndexParams)
    try visitor.field("is_auto_index", &isAutoIndex)
    try visitor.field("min_index_version", &minIndexVersion)
    try visitor.field("max_index_version", &maxIndexVersion)
  }
}
