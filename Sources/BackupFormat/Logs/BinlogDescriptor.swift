// The beginning of a log object of storage version 1: which field of which segment it holds.
//
// Source: the milvus-backup format and the objects that Milvus 2.3.5 writes. A file is the number 0xfffabc and events,
// the first of which is the descriptor; all numbers have their least significant byte first.

/// What the first event of a log object says.
public struct BinlogDescriptor: Hashable, Sendable {
  /// Identifier of the collection.
  public var collectionID: Int64
  /// Identifier of the partition; -1 for deletes that concern all partitions.
  public var partitionID: Int64
  /// Identifier of the segment.
  public var segmentID: Int64
  /// Identifier of the field; says nothing in delta logs.
  public var fieldID: Int64
  /// Number of the data type of the values.
  public var payloadType: Int32
  /// Position of the event behind the descriptor.
  public var end: Int64

  /// Bytes that hold everything but the extras, which may be longer than any fixed number.
  static let fixedLength = 4 + BinlogEventHeader.length + 52 + 8 + 4
  private static let magic: Int32 = 0xfffabc

  /// Reads the beginning of an object.
  /// - Parameter bytes: the first bytes of the object; the extras need not be among them.
  /// - Throws: a ``BackupFormatError`` with code `malformedLog`, a clause that says what is wrong.
  public init(beginningOf bytes: [UInt8]) throws(BackupFormatError) {
    var reader = ByteReader(bytes)
    guard let magic = reader.integer(Int32.self) else { throw .malformedLog("it is empty or only a few bytes long") }
    guard magic == Self.magic else { throw .malformedLog("it does not begin as a log of Milvus does") }
    guard let header = BinlogEventHeader(&reader), let collection = reader.integer(Int64.self),
      let partition = reader.integer(Int64.self), let segment = reader.integer(Int64.self),
      let field = reader.integer(Int64.self), reader.take(16) != nil, let type = reader.integer(Int32.self),
      reader.take(8) != nil, let extras = reader.integer(Int32.self)
    else { throw .malformedLog("it ends within its header") }
    guard header.kind == .descriptor else { throw .malformedLog("its first event is no descriptor") }
    let end = Int64(Self.fixedLength) + Int64(extras)
    guard extras >= 0, Int64(header.nextPosition) == end else {
      throw .malformedLog(
        "its descriptor contradicts itself: it ends at \(end), and at \(header.nextPosition) the next event begins")
    }
    collectionID = collection
    partitionID = partition
    segmentID = segment
    fieldID = field
    payloadType = type
    self.end = end
  }

  /// What of the header is not what the object's key says; nil if all of it is.
  public func contradiction(to key: LogKey) -> String? {
    let pairs = [
      ("collection", collectionID, key.collectionID), ("partition", partitionID, key.partitionID),
      ("segment", segmentID, key.segmentID), ("field", fieldID, key.kind == .insert ? key.fieldID : fieldID),
    ]
    let wrong = pairs.filter { $0.1 != $0.2 }.map { "\($0.0) \($0.1) instead of \($0.2)" }
    return wrong.isEmpty ? nil : "its header names " + wrong.joined(separator: ", ")
  }
}

/// The beginning of each event of a log object.
struct BinlogEventHeader: Hashable {
  /// What an event is.
  struct Kind: Hashable {
    let number: UInt8
    static let descriptor = Kind(number: 0)
    static let insert = Kind(number: 1)
    static let delete = Kind(number: 2)
  }

  /// Bytes of a header.
  static let length = 17

  var kind: Kind
  /// Bytes of the event, its header included.
  var eventLength: Int32
  /// Where the next event begins.
  var nextPosition: Int32

  /// Reads a header; nil if there are not enough bytes.
  init?(_ reader: inout ByteReader) {
    guard reader.integer(UInt64.self) != nil, let kind = reader.byte(), let length = reader.integer(Int32.self),
      let next = reader.integer(Int32.self)
    else { return nil }
    self.kind = Kind(number: kind)
    eventLength = length
    nextPosition = next
  }
}

extension BackupFormatError {
  static func malformedLog(_ clause: String) -> BackupFormatError { BackupFormatError(.malformedLog, clause) }
}
