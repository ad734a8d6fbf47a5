// Schema of a function that computes fields from fields.

/// A function of a collection (2.5 and later).
public struct MilvusFunctionSchema: Sendable, Hashable {
  /// The function's name.
  public var name: String
  /// The function's number.
  public var id: Int64
  /// Free text.
  public var description: String
  /// `schema.FunctionType` as a number (1 BM25, 2 text embedding, 3 rerank); unknown numbers pass through.
  public var type: Int32
  /// Names of the fields it reads.
  public var inputFieldNames: [String]
  /// Numbers of the fields it reads.
  public var inputFieldIDs: [Int64]
  /// Names of the fields it computes.
  public var outputFieldNames: [String]
  /// Numbers of the fields it computes.
  public var outputFieldIDs: [Int64]
  /// Its parameters.
  public var params: [MilvusKeyValue]

  /// Creates a function.
  public init(
    name: String, id: Int64 = 0, description: String = "", type: Int32, inputFieldNames: [String] = [],
    inputFieldIDs: [Int64] = [], outputFieldNames: [String] = [], outputFieldIDs: [Int64] = [],
    params: [MilvusKeyValue] = []
  ) {
    self.name = name
    self.id = id
    self.description = description
    self.type = type
    self.inputFieldNames = inputFieldNames
    self.inputFieldIDs = inputFieldIDs
    self.outputFieldNames = outputFieldNames
    self.outputFieldIDs = outputFieldIDs
    self.params = params
  }
}
