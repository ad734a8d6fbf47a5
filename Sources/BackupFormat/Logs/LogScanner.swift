// Reads a log object from its beginning to its end, piece by piece, and counts its rows.
//
// Two forms exist: events with Parquet data in them (storage version 1, and all delta logs), and bare Parquet (insert
// logs of storage versions 2 and 3). What is checked: every event follows the one before and the last ends with the
// object, its Parquet data begin and end as they must, and the footers tell the rows. Pages are not decompressed.
// Invariant: memory is bounded by two footers of the longest kind, whatever the size of the object.

/// Checks one log object while it is read.
public struct LogScanner {
  /// How an object is built.
  public enum Form: Hashable, Sendable {
    /// Events.
    case events
    /// A Parquet file.
    case parquet

    /// The form of a segment's logs.
    public init(_ kind: LogKey.Kind, storageVersion: Int64) {
      self = kind == .insert && storageVersion >= 2 ? .parquet : .events
    }
  }

  private enum Stage {
    /// The descriptor's fixed part is collected.
    case beginning
    /// Bytes up to this position say nothing.
    case passing(until: Int64)
    /// An event's header and fixed part are collected.
    case event
    /// Parquet data are read, which end here.
    case data(begin: Int64, end: Int64)
  }

  /// Start and end timestamp of a data event.
  private static let eventFixedLength = 16

  private let kind: LogKey.Kind
  private let form: Form
  private let size: Int64
  private var stage: Stage
  private var position: Int64 = 0
  /// What was read of the descriptor or of an event's beginning.
  private var collected: [UInt8] = []
  /// The first four bytes of the data at hand.
  private var head: [UInt8] = []
  /// The last bytes of the data at hand.
  private var tail: [UInt8] = []

  /// What the descriptor says; nil before it was read, and for bare Parquet.
  public private(set) var descriptor: BinlogDescriptor?
  /// Rows counted so far; in a delta log these are deletes.
  public private(set) var rows: Int64 = 0

  /// Begins an object of `size` bytes.
  public init(_ kind: LogKey.Kind, form: Form, size: Int64) {
    self.kind = kind
    self.form = form
    self.size = size
    stage = form == .events ? .beginning : .data(begin: 0, end: size)
  }

  /// Takes the next bytes of the object.
  /// - Throws: a ``BackupFormatError`` with code `malformedLog`, a clause that says what is wrong.
  public mutating func feed(_ bytes: [UInt8]) throws(BackupFormatError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      switch stage {
      case .beginning:
        guard collect(&rest, BinlogDescriptor.fixedLength) else { continue }
        let descriptor = try BinlogDescriptor(beginningOf: collected)
        self.descriptor = descriptor
        collected = []
        stage = .passing(until: descriptor.end)
        if descriptor.end == position { stage = .event }
      case .passing(let end):
        advance(&rest, Int(clamping: end - position))
        if position == end { stage = .event }
      case .event:
        guard collect(&rest, BinlogEventHeader.length + Self.eventFixedLength) else { continue }
        stage = try dataStage()
        collected = []
      case .data(let begin, let end):
        keep(rest.prefix(Int(clamping: end - position)))
        advance(&rest, Int(clamping: end - position))
        guard position == end else { continue }
        try count(end - begin)
        // Bare Parquet ends with the object, so that there is no next event.
        stage = .event
      }
    }
  }

  /// The object has ended.
  /// - Throws: a ``BackupFormatError`` with code `malformedLog` if it must not end here.
  public consuming func finish() throws(BackupFormatError) -> LogScanner {
    guard position == size, collected.isEmpty, case .event = stage else {
      throw .malformedLog(
        "it ends in the middle of \(descriptor == nil && form == .events ? "its header" : "an event")")
    }
    return self
  }

  /// Reads the event that was collected.
  private func dataStage() throws(BackupFormatError) -> Stage {
    var reader = ByteReader(collected)
    guard let header = BinlogEventHeader(&reader) else { throw .malformedLog("it ends within an event") }
    let expected: BinlogEventHeader.Kind = kind == .insert ? .insert : .delete
    let start = position - Int64(collected.count)
    guard header.kind == expected else {
      throw .malformedLog(
        "the event at \(start) is of kind \(header.kind.number), where \(expected.number) is expected")
    }
    let end = Int64(header.nextPosition)
    guard end - start == Int64(header.eventLength), end > position, end <= size else {
      throw .malformedLog("the event at \(start) does not end where the next begins, or behind the end of the object")
    }
    return .data(begin: position, end: end)
  }

  private mutating func count(_ length: Int64) throws(BackupFormatError) {
    guard head == ParquetFooter.magic else { throw .malformedLog("its data are not Parquet") }
    let footer = try ParquetFooter(tail: tail, size: length)
    // A text for each delete, or since 2.5 a key and a time.
    guard kind == .insert || (1...2).contains(footer.columns.count) else {
      throw .malformedLog("its deletes have \(footer.columns.count) columns, where one or two are expected")
    }
    rows &+= footer.rows
    head = []
    tail = []
  }

  private mutating func keep(_ bytes: ArraySlice<UInt8>) {
    let most = ParquetFooter.longest + ParquetFooter.trailerLength
    if head.count < ParquetFooter.magic.count { head += bytes.prefix(ParquetFooter.magic.count - head.count) }
    tail += bytes.suffix(most)
    if tail.count > 2 * most { tail.removeFirst(tail.count - most) }
  }

  /// Collects bytes until there are `count`; says whether there are.
  private mutating func collect(_ rest: inout ArraySlice<UInt8>, _ count: Int) -> Bool {
    let missing = count - collected.count
    collected += rest.prefix(missing)
    advance(&rest, missing)
    return collected.count == count
  }

  private mutating func advance(_ rest: inout ArraySlice<UInt8>, _ count: Int) {
    let before = rest.count
    rest = rest.dropFirst(count)
    position += Int64(before - rest.count)
  }
}
