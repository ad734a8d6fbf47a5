// Log objects as Milvus writes them, but with Parquet data that have a footer and no pages: enough for whoever counts rows.

import BackupFormat

enum LogBuilder {
  /// A log whose events hold so many rows each.
  static func log(_ key: LogKey, rows: [Int64], columns: [String] = ["val"]) -> [UInt8] {
    let extras = Array(#"{"original_size":"1"}"#.utf8)
    var bytes = number(Int32(0xfffabc))
    let end = bytes.count + 17 + 52 + 8 + 4 + extras.count
    bytes += header(kind: 0, length: end - bytes.count, next: end)
    bytes += number(key.collectionID) + number(key.partitionID) + number(key.segmentID)
    bytes += number(key.kind == .insert ? key.fieldID : -1) + number(UInt64(1)) + number(UInt64(2)) + number(Int32(5))
    bytes += [52, 16, 16, 16, 16, 16, 16, 16] + number(Int32(extras.count)) + extras
    for rows in rows {
      let data = parquet(rows: rows, columns: columns)
      let length = 17 + 16 + data.count
      bytes += header(kind: key.kind == .insert ? 1 : 2, length: length, next: bytes.count + length)
      bytes += number(UInt64(1)) + number(UInt64(2)) + data
    }
    return bytes
  }

  /// A Parquet file that says it has so many rows.
  static func parquet(rows: Int64, columns: [String] = ["val"]) -> [UInt8] {
    var footer: [UInt8] = [0x15, 0x02, 0x19, UInt8(columns.count + 1) << 4 | 0x0c]
    footer += [0x48] + text("schema") + [0x15, UInt8(columns.count) << 1, 0x00]
    for column in columns { footer += [0x15, 0x04, 0x38] + text(column) + [0x00] }
    footer += [0x16] + zigzag(rows) + [0x19, 0x0c, 0x00]
    return Array("PAR1".utf8) + [0, 0, 0] + footer + number(UInt32(footer.count)) + Array("PAR1".utf8)
  }

  private static func header(kind: UInt8, length: Int, next: Int) -> [UInt8] {
    number(UInt64(7)) + [kind] + number(Int32(length)) + number(Int32(next))
  }

  private static func number<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  private static func text(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }

  private static func zigzag(_ value: Int64) -> [UInt8] {
    var rest = UInt64(bitPattern: (value << 1) ^ (value >> 63))
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
}
