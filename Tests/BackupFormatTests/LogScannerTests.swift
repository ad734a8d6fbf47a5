// Log objects that Milvus 2.3.5 wrote, whole and broken in every place.

import BackupFormat
import Foundation
import Testing

@Suite struct LogScannerTests {
  /// A log of the folder `Fixtures/logs`, whose name is the key with commas for slashes, then the number of rows.
  struct Sample {
    var key: LogKey
    var bytes: [UInt8]
    var rows: Int64

    init(_ kind: LogKey.Kind) throws {
      let folder = try #require(Bundle.module.resourceURL).appending(path: "Fixtures/logs")
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      let name = try #require(names.first { $0.hasPrefix(kind.rawValue) })
      let parts = name.split(separator: ",")
      key = try LogKey(milvusKey: parts.dropLast().joined(separator: "/"), rootPath: "")
      rows = try #require(Int64(parts.last ?? ""))
      bytes = Array(try Data(contentsOf: folder.appending(path: name)))
    }
  }

  private func scan(_ bytes: [UInt8], _ kind: LogKey.Kind, pieces: Int = .max) throws -> LogScanner {
    var scanner = LogScanner(kind, form: .events, size: Int64(bytes.count))
    var rest = bytes[...]
    while !rest.isEmpty {
      try scanner.feed(Array(rest.prefix(pieces)))
      rest = rest.dropFirst(pieces)
    }
    return try scanner.finish()
  }

  @Test(arguments: [LogKey.Kind.insert, .delta], [1, 7, 100, .max])
  func aLogTellsItsRowsAndWhereItBelongs(kind: LogKey.Kind, pieces: Int) throws {
    let sample = try Sample(kind)
    let scanner = try scan(sample.bytes, kind, pieces: pieces)
    #expect(scanner.rows == sample.rows)
    let descriptor = try #require(scanner.descriptor)
    #expect(descriptor.contradiction(to: sample.key) == nil)
    #expect(try BinlogDescriptor(beginningOf: Array(sample.bytes.prefix(1024))) == descriptor)
    var other = sample.key
    other.segmentID += 1
    #expect(descriptor.contradiction(to: other)?.contains("segment \(sample.key.segmentID) instead of") == true)
    other = sample.key
    other.fieldID += 1
    // Delta logs have no field.
    #expect((descriptor.contradiction(to: other) == nil) == (kind == .delta))
  }

  @Test(arguments: [LogKey.Kind.insert, .delta])
  func aLogThatWasCutIsNotWhole(kind: LogKey.Kind) throws {
    let sample = try Sample(kind)
    let whole = try scan(sample.bytes, kind)
    let end = try #require(whole.descriptor?.end)
    for length in 0..<sample.bytes.count {
      let scanner = try? scan(Array(sample.bytes.prefix(length)), kind)
      // A log without any event is whole, and has no rows.
      #expect(scanner == nil || (Int64(length) == end && scanner?.rows == 0), "cut at \(length)")
    }
    #expect(throws: BackupFormatError.self) { try scan(sample.bytes + [0], kind) }
  }

  @Test(arguments: [LogKey.Kind.insert, .delta])
  func noFlippedByteDoesHarm(kind: LogKey.Kind) throws {
    let sample = try Sample(kind)
    for position in sample.bytes.indices {
      var broken = sample.bytes
      broken[position] ^= 0xff
      do {
        _ = try scan(broken, kind, pieces: 64)
      } catch let error as BackupFormatError {
        #expect(error.code == .malformedLog && !error.message.isEmpty)
      }
    }
  }

  @Test func whatIsNoLogIsSaidToBeNone() throws {
    let insert = try Sample(.insert)
    #expect(sentence { try BinlogDescriptor(beginningOf: []) }.contains("empty"))
    #expect(sentence { try BinlogDescriptor(beginningOf: Array("PAR1 and more".utf8)) }.contains("does not begin"))
    #expect(
      sentence { try BinlogDescriptor(beginningOf: Array(insert.bytes.prefix(60))) }.contains("within its header"))
    #expect(sentence { try scan(insert.bytes, .delta).rows }.contains("is of kind 1, where 2 is expected"))
  }

  @Test func bareParquetIsCountedByItsFooter() throws {
    let insert = try Sample(.insert)
    let end = Int(try BinlogDescriptor(beginningOf: insert.bytes).end)
    // The data of the only event are a Parquet file.
    let parquet = Array(insert.bytes[(end + 33)...])
    var scanner = LogScanner(.insert, form: LogScanner.Form(.insert, storageVersion: 2), size: Int64(parquet.count))
    try scanner.feed(parquet)
    #expect(try scanner.finish().rows == insert.rows)
    #expect(
      LogScanner.Form(.delta, storageVersion: 3) == .events && LogScanner.Form(.insert, storageVersion: 1) == .events)
  }

  @Test func lengthsThatLieAreFoundOut() throws {
    let insert = try Sample(.insert)
    var huge = insert.bytes
    // The length of the footer, four bytes before the last four.
    huge.replaceSubrange(huge.count - 8..<huge.count - 4, with: [0xff, 0xff, 0xff, 0x7f])
    #expect(sentence { try scan(huge, .insert).rows }.contains("longer than they are"))
  }
}
