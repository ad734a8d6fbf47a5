// State of an import task, in Milvus' numbers.

/// `common.ImportState`. Unknown numbers pass through; only the three below that end a task do so.
public struct ImportState: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
  /// The number on the wire.
  public let rawValue: Int32
  /// The state with this number, known or not.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// Waits for a data node.
  public static let pending = ImportState(rawValue: 0)
  /// Failed.
  public static let failed = ImportState(rawValue: 1)
  /// Is being read and written.
  public static let started = ImportState(rawValue: 2)
  /// Written; segments are not yet flushed. Goes on to `completed`.
  public static let persisted = ImportState(rawValue: 5)
  /// Done: the rows can be searched once loaded.
  public static let completed = ImportState(rawValue: 6)
  /// Failed, and what it had written was removed.
  public static let failedAndCleaned = ImportState(rawValue: 7)
  /// Segments are flushed, indexes not yet built.
  public static let flushed = ImportState(rawValue: 8)

  /// Whether the task ended without success.
  public var isFailure: Bool { self == .failed || self == .failedAndCleaned }
  /// Whether the task ended, in either way.
  public var isFinished: Bool { self == .completed || isFailure }

  /// The state's name, or its number if it is not known.
  public var description: String {
    switch self {
    case .pending: "pending"
    case .failed: "failed"
    case .started: "started"
    case .persisted: "persisted"
    case .completed: "completed"
    case .failedAndCleaned: "failed and cleaned"
    case .flushed: "flushed"
    default: "state \(rawValue)"
    }
  }
}

/// Answer of GetImportState: how far an import task is.
public struct ImportProgress: Sendable, Hashable {
  /// The task's number.
  public var taskID: Int64
  /// The state.
  public var state: ImportState
  /// Rows imported, after deletes were applied; 0 until the data is written.
  public var rowCount: Int64
  /// Percent done, 0 to 100; `nil` if the server does not say.
  public var percent: Int?
  /// Why it failed, in Milvus' words; `nil` if it did not or no reason is given.
  public var failedReason: String?
  /// The collection it imports to, 0 if the server does not say.
  public var collectionID: Int64
  /// Segments it made.
  public var segmentIDs: [Int64]
  /// Creation of the task in seconds since 1970, 0 if the server does not say.
  public var createTimestamp: Int64
  /// Everything the server says about it (`files`, `collection`, `partition`, `persist_cost`, …).
  public var infos: [MilvusKeyValue]

  /// Makes an answer, for servers that are asked by another way than gRPC.
  public init(
    taskID: Int64, state: ImportState, rowCount: Int64, percent: Int?, failedReason: String?, collectionID: Int64,
    segmentIDs: [Int64], createTimestamp: Int64, infos: [MilvusKeyValue]
  ) {
    self.taskID = taskID
    self.state = state
    self.rowCount = rowCount
    self.percent = percent
    self.failedReason = failedReason
    self.collectionID = collectionID
    self.segmentIDs = segmentIDs
    self.createTimestamp = createTimestamp
    self.infos = infos
  }
}
