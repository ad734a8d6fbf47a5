// Indexes of a collection.

/// One index of DescribeIndex.
public struct IndexDescription: Sendable, Hashable {
  /// The index' name.
  public var indexName: String
  /// The index' number.
  public var indexID: Int64
  /// The field it is on.
  public var fieldName: String
  /// All its parameters as the server gives them: `index_type`, `metric_type`, and either `params` (JSON text, servers
  /// up to 2.3) or its members.
  public var params: [MilvusKeyValue]
  /// Rows in the index.
  public var indexedRows: Int64
  /// Rows there are.
  public var totalRows: Int64
  /// Rows that wait.
  public var pendingIndexRows: Int64
  /// How far building is.
  public var state: IndexState
  /// Why building failed, empty if it did not.
  public var stateFailReason: String
  /// Smallest version of index files, 0 if the server does not say.
  public var minIndexVersion: Int32
  /// Largest version of index files, 0 if the server does not say.
  public var maxIndexVersion: Int32

  /// The value of `index_type`, empty if there is none.
  public var indexType: String { params.value(forKey: "index_type") ?? "" }
}

/// `common.IndexState`. Unknown numbers pass through.
public struct IndexState: RawRepresentable, Sendable, Hashable {
  /// The number on the wire.
  public let rawValue: Int32
  /// The state with this number, known or not.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// Nothing known.
  public static let none = IndexState(rawValue: 0)
  /// Waiting.
  public static let unissued = IndexState(rawValue: 1)
  /// Being built.
  public static let inProgress = IndexState(rawValue: 2)
  /// Built.
  public static let finished = IndexState(rawValue: 3)
  /// Could not be built.
  public static let failed = IndexState(rawValue: 4)
  /// To be tried again.
  public static let retry = IndexState(rawValue: 5)
}
