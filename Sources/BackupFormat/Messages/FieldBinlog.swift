// The log objects of one field of a segment.

/// The log objects of one field, or the delta logs of a segment.
///
/// In lists of delta logs the field id is normally absent, and an entry may be entirely empty. Backups of 0.4 took
/// each delta file for a field directory: there every delta log is an entry of its own whose field id is the log id.
public struct FieldBinlog: FieldVisitable {
  /// Identifier of the field: 0 row id, 1 timestamp, 100 and up the user's; or of a column group.
  public var fieldID: Int64 = 0
  /// The log objects.
  public var binlogs: [Binlog] = []

  /// Makes a description whose fields are all zero.
  public init() {}

  /// Makes a description of the logs of one field.
  public init(fieldID: Int64, binlogs: [Binlog]) {
    self.fieldID = fieldID
    self.binlogs = binlogs
  }

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("fieldID", &fieldID)
    try visitor.field("binlogs", &binlogs)
  }
}

/// One log object.
public struct Binlog: FieldVisitable {
  /// Never filled; kept for reading.
  public var entriesNum: Int64 = 0
  /// Never filled; kept for reading.
  public var timestampFrom: UInt64 = 0
  /// Never filled; kept for reading.
  public var timestampTo: UInt64 = 0
  /// Key of the object in the *source* bucket at the time of the backup.
  public var logPath = ""
  /// Size of the object in bytes.
  public var logSize: Int64 = 0
  /// Identifier of the log, the last element of its key; zero in backups made before 0.5.4.
  public var logID: Int64 = 0

  /// Makes a description whose fields are all zero.
  public init() {}

  /// Makes a description of a log object as current versions write it.
  public init(logPath: String, logSize: Int64, logID: Int64) {
    self.logPath = logPath
    self.logSize = logSize
    self.logID = logID
  }

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("entries_num", &entriesNum)
    try visitor.field("timestamp_from", &timestampFrom)
    try visitor.field("timestamp_to", &timestampTo)
    try visitor.field("log_path", &logPath)
    try visitor.field("log_size", &logSize, always: true)
    try visitor.field("log_id", &logID)
  }
}
