// The end of a Parquet file, as far as it tells how many rows there are and which columns.
//
// Source: the Parquet format's specification: `PAR1`, the pages, the footer (a FileMetaData in Thrift's compact
// protocol), its length in four bytes, `PAR1`. Pages are not decoded.

/// What the footer of a Parquet file says.
struct ParquetFooter: Hashable {
  /// Rows of the file.
  var rows: Int64
  /// Names of the columns.
  var columns: [String]

  /// What a file begins and ends with.
  static let magic = Array("PAR1".utf8)
  /// What stands at the end behind the footer: its length and the magic.
  static let trailerLength = 8
  /// Longest footer that is read, in bytes.
  static let longest = 1 << 20

  /// Reads the footer at the end of `tail`, the last bytes of a file of `size` bytes.
  init(tail: [UInt8], size: Int64) throws(BackupFormatError) {
    guard tail.count >= Self.trailerLength, tail.suffix(4).elementsEqual(Self.magic) else {
      throw .malformedLog("its Parquet data have no end: they are cut short or overwritten")
    }
    var trailer = ByteReader(tail, at: tail.count - Self.trailerLength)
    let length = Int(trailer.integer(UInt32.self) ?? 0)
    guard Int64(length) <= size - Int64(Self.trailerLength + Self.magic.count) else {
      throw .malformedLog("the footer of its Parquet data would be longer than they are")
    }
    guard length <= tail.count - Self.trailerLength else {
      throw .malformedLog("the footer of its Parquet data has \(length) bytes, more than this program reads")
    }
    let start = tail.count - Self.trailerLength - length
    try self.init(Array(tail[start..<start + length]))
  }

  /// Reads a FileMetaData: field 2 is the schema, 3 the number of rows.
  private init(_ bytes: [UInt8]) throws(BackupFormatError) {
    var reader = CompactReader(bytes)
    var rows: Int64?
    var columns: [String] = []
    let isWhole = reader.structure { field, kind, reader in
      switch (field, kind) {
      case (2, .list):
        guard let names = Self.leaves(&reader) else { return nil }
        columns = names
        return true
      case (3, .int64):
        rows = reader.zigzag()
        return rows == nil ? nil : true
      default: return false
      }
    }
    guard isWhole, let rows, rows >= 0 else { throw .malformedLog("the footer of its Parquet data is damaged") }
    self.rows = rows
    self.columns = columns
  }

  /// The names of a schema's elements without children; of a SchemaElement field 4 is the name, 5 the children's number.
  private static func leaves(_ reader: inout CompactReader) -> [String]? {
    guard let list = reader.list(), list.kind == .structure else { return nil }
    var names: [String] = []
    for _ in 0..<list.count {
      var name = ""
      var children: Int64 = 0
      let isWhole = reader.structure { field, kind, reader in
        switch (field, kind) {
        case (4, .binary):
          guard let text = reader.text() else { return nil }
          name = text
          return true
        case (5, .int32):
          guard let number = reader.zigzag() else { return nil }
          children = number
          return true
        default: return false
        }
      }
      guard isWhole else { return nil }
      if children == 0 { names.append(name) }
    }
    return names
  }
}
