// The JSON rules that the format inherits from Go, seen on small messages.

import Testing

@testable import BackupFormat

@Suite struct JSONReaderTests {
  private func binlog(_ json: String) throws -> Binlog {
    try FieldDecoder.decode(Binlog.self, from: Array(json.utf8))
  }

  private func pair(_ json: [UInt8]) throws -> KeyValuePair {
    try FieldDecoder.decode(KeyValuePair.self, from: json)
  }

  private func value(_ literal: String) throws -> String {
    try pair(Array(#"{"value":\#(literal)}"#.utf8)).value
  }

  @Test func integersKeepAll64Bits() throws {
    let log = try binlog(
      #"{"log_id":-9223372036854775808,"log_size":9223372036854775807,"timestamp_to":18446744073709551615}"#)
    #expect(log.logID == .min)
    #expect(log.logSize == .max)
    #expect(log.timestampTo == .max)
    #expect(try binlog(#"{"log_id":9007199254740993}"#).logID == 9_007_199_254_740_993)
  }

  @Test(arguments: [
    (#"{"log_id":9223372036854775808}"#, "log_id: the number does not fit 64 bits (byte 10)"),
    (#"{"log_id":-9223372036854775809}"#, "log_id: the number does not fit 64 bits (byte 10)"),
    (#"{"timestamp_to":18446744073709551616}"#, "timestamp_to: the number does not fit 64 bits (byte 16)"),
    (#"{"timestamp_to":-1}"#, "timestamp_to: the number does not fit 64 bits (byte 16)"),
    (#"{"log_id":1.0}"#, "log_id: a whole number is expected, found one with a fraction or an exponent (byte 10)"),
    (#"{"log_id":1e3}"#, "log_id: a whole number is expected, found one with a fraction or an exponent (byte 10)"),
    (#"{"log_id":01}"#, "log_id: a number must not begin with zero (byte 10)"),
    (#"{"log_id":-}"#, "log_id: a digit is expected, found '}' (byte 11)"),
    (#"{"log_id":"5"}"#, "log_id: a number is expected, found a string (byte 10)"),
    (#"{"log_id":true}"#, "log_id: a number is expected, found a boolean (byte 10)"),
    (#"{"log_path":5}"#, "log_path: a string is expected, found a number (byte 12)"),
    (#"{"log_id":1 "log_size":2}"#, "',' or '}' is expected, found a string (byte 12)"),
    (#"{"log_id":1,}"#, "a string is expected, found '}' (byte 12)"),
    (#"{"log_id":1}}"#, "the end of the text is expected, found '}' (byte 12)"),
    (#"[]"#, "an object is expected, found a list (byte 0)"),
    ("", "the text is empty (byte 0)"),
    ("{\"log_path\":\"a\u{1}\"}", "log_path: a string holds the control character 1 unescaped (byte 14)"),
    (#"{"log_path":"\x"}"#, #"log_path: a string holds an unknown escape (byte 13)"#),
    (#"{"log_path":"\u12g4"}"#, #"log_path: a string holds an incomplete \u escape (byte 15)"#),
    (#"{"log_path":"\u12"}"#, #"log_path: a string holds an incomplete \u escape (byte 15)"#),
    (#"{"unknown":nul}"#, "unknown: 'null' is expected, found null (byte 11)"),
  ])
  func refusesMalformedTextsAndSaysWhere(json: String, message: String) {
    #expect(sentence { try binlog(json) } == message)
  }

  @Test func errorsNameThePathThroughListsAndMaps() {
    let info = #"{"collection_backups":[{},{"schema":{"fields":[{"fieldID":"100"}]}}]}"#
    #expect(
      sentence { try FieldDecoder.decode(BackupInfo.self, from: Array(info.utf8)) }
        == "collection_backups[1].schema.fields[0].fieldID: a number is expected, found a string (byte 58)")
    let index = #"{"params":{"M":8}}"#
    #expect(
      sentence { try FieldDecoder.decode(IndexInfo.self, from: Array(index.utf8)) }
        == "params.M: a string is expected, found a number (byte 15)")
  }

  @Test func keysMatchWithoutRegardToCase() throws {
    #expect(try binlog(#"{"LOG_ID":7,"Log_Path":"p"}"#) == Binlog(logPath: "p", logSize: 0, logID: 7))
    #expect(try FieldDecoder.decode(FieldBinlog.self, from: Array(#"{"fieldid":5}"#.utf8)).fieldID == 5)
    #expect(try binlog(#"{"log\u005fid":8}"#).logID == 8)
  }

  @Test func keysThatDifferInMoreThanCaseAreUnknown() throws {
    #expect(try binlog(#"{"log_i\u0064":1,"log id":2,"logid":3,"log_idx":4,"log\u007fid":5,"@og_id":6}"#).logID == 1)
  }

  @Test func nullIsZeroEverywhere() throws {
    #expect(try binlog(#"{"log_id":null,"log_path":null,"log_size":null}"#) == Binlog())
    let json =
      #"{"collection_backups":null,"rbac_meta":null,"flush_all_msgs_base64":null,"physical_channel_names":null}"#
    #expect(try FieldDecoder.decode(BackupInfo.self, from: Array(json.utf8)) == BackupInfo())
    let inner = #"{"physical_channel_names":[null],"collection_backups":[null],"flush_all_msgs_base64":{"k":null}}"#
    let info = try FieldDecoder.decode(BackupInfo.self, from: Array(inner.utf8))
    #expect(info.physicalChannelNames == [""])
    #expect(info.collectionBackups == [CollectionBackupInfo()])
    #expect(info.flushAllMessagesBase64 == ["k": ""])
  }

  @Test func unknownKeysAreSkippedWhateverTheyHold() throws {
    let json = #"""
      { "a" : [1, -2.5e+10, {"b": [true, false, null, "x\"\u0041"]}, []] , "log_id" : 4 ,
        "c" : {} , "default_value":{"LongData":1} }
      """#
    #expect(try binlog(json).logID == 4)
  }

  @Test(arguments: ["[1}", "{1:2}", "[1,]", "{\"a\"}", "tru", "+1", "1.", "1e", "\"\\q\"", "[", "01"])
  func unknownKeysMustStillHoldJSON(value: String) {
    #expect(throws: JSONError.self) { try binlog(#"{"x":\#(value)}"#) }
  }

  @Test func nestingIsBounded() throws {
    let deep = String(repeating: "[", count: 499) + String(repeating: "]", count: 499)
    #expect(try binlog(#"{"x":\#(deep),"log_id":1}"#).logID == 1)
    let tooDeep = String(repeating: "[", count: 1_000_000)
    #expect(sentence { try binlog(#"{"x":\#(tooDeep)"#) } == "x: values are nested more than 500 deep (byte 505)")
  }

  @Test func theLastOfRepeatedKeysStays() throws {
    #expect(try binlog(#"{"log_id":1,"log_size":2,"log_id":3}"#).logID == 3)
  }

  @Test(arguments: [
    (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
    (#""\u0041\u00e9\u4E2D""#, "Aé中"),
    (#""\ud83d\ude00""#, "😀"),
    (#""\ud83d""#, "\u{fffd}"),
    (#""\ud83dx""#, "\u{fffd}x"),
    (#""\ud83d\u0041""#, "\u{fffd}A"),
    (#""\ude00\ud83d\ude00""#, "\u{fffd}😀"),
    (#""\u0000""#, "\0"),
    ("\"é中😀\"", "é中😀"),
  ])
  func stringsAreUnescaped(literal: String, expected: String) throws {
    #expect(Array(try value(literal).utf8) == Array(expected.utf8))
  }

  @Test(
    arguments: [
      ([0xff], 1), ([0xc3], 1), ([0xe2, 0x82], 2), ([0xc0, 0xaf], 2), ([0xed, 0xa0, 0x80], 3), ([0xf0, 0x9f, 0x98], 3),
      ([0xf4, 0x90, 0x80, 0x80], 4),
    ] as [([UInt8], Int)])
  func eachByteOfInvalidUTF8BecomesOneReplacement(bytes: [UInt8], count: Int) throws {
    let json = Array(#"{"value":"a"#.utf8) + bytes + Array(#"é"}"#.utf8)
    #expect(try pair(json).value == "a" + String(repeating: "\u{fffd}", count: count) + "é")
  }
}
