// A function of a collection schema, such as BM25 or a text embedding.

/// A function which computes output fields from input fields.
public struct FunctionSchema: FieldVisitable {
  /// Name of the function.
  public var name = ""
  /// Identifier in the source server.
  public var id: Int64 = 0
  /// Description given by the user.
  public var description = ""
  /// Kind of the function.
  public var type = FunctionType.unknown
  /// Names of the input fields.
  public var inputFieldNames: [String] = []
  /// Identifiers of the input fields.
  public var inputFieldIDs: [Int64] = []
  /// Names of the output fields.
  public var outputFieldNames: [String] = []
  /// Identifiers of the output fields.
  public var outputFieldIDs: [Int64] = []
  /// Parameters.
  public var params: [KeyValuePair] = []

  /// Makes a function whose fields are all zero.
  public init() {}

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("name", &name)
    try visitor.field("id", &id)
    try visitor.field("description", &description)
    try visitor.field("type", &type)
    try visitor.field("input_field_names", &inputFieldNames)
    try visitor.field("input_field_ids", &inputFieldIDs)
    try visitor.field("output_field_names", &outputFieldNames)
    try visitor.field("output_field_ids", &outputFieldIDs)
    try visitor.field("params", &params)
  }
}
