// Writing and reading again gives the same message; damaged texts are refused and never crash.

import Testing

@testable import BackupFormat

@Suite struct RoundTripTests {
  @Test(arguments: 0..<300 as Range<UInt64>)
  func generatedBackupsSurviveWritingAndReading(seed: UInt64) throws {
    var random = RandomFields(seed: seed)
    let info: BackupInfo = random.message()
    let json = FieldEncoder.encode(info)
    let read = try FieldDecoder.decode(BackupInfo.self, from: json)
    #expect(read == info)
    // Equal texts may differ in their bytes, so the bytes are compared too.
    #expect(FieldEncoder.encode(read) == json)
  }

  @Test func generatedBackupsReachEveryKindOfField() {
    var seen: Set<String> = []
    for seed in 0..<300 as Range<UInt64> {
      var random = RandomFields(seed: seed)
      let text = String(decoding: FieldEncoder.encode(random.message(BackupInfo.self)), as: UTF8.self)
      for key in [
        "is_auto_index", "log_id", "privileges", "struct_array_fields", "output_field_ids", "snapshot_backup",
      ]
      where text.contains("\"\(key)\":") { seen.insert(key) }
    }
    #expect(seen.count == 6)
  }

  @Test(arguments: [Fixture.current, .fakeL0, .version0509])
  func aTextCutOffAnywhereIsRefused(fixture: Fixture) throws {
    let json = try fixture.bytes(.full)
    for length in json.indices {
      #expect(throws: BackupFormatError.self, "\(length) of \(json.count) bytes") {
        try MetaFiles.decode([.full: Array(json[..<length])])
      }
    }
  }

  @Test func aTextWithAnyByteReplacedIsReadOrRefusedButNeverCrashes() throws {
    let json = try Fixture.current.bytes(.full)
    var refused = 0
    let positions = stride(from: 0, to: json.count, by: 3)
    for position in positions {
      for byte in [0, 0x22, 0x2c, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d, 0x80, 0xff] as [UInt8] {
        var damaged = json
        damaged[position] = byte
        if (try? MetaFiles.decode([.full: damaged])) == nil { refused += 1 }
      }
    }
    // Most bytes are structure or digits; only those inside strings may change unnoticed.
    #expect(refused > json.count)
  }

  @Test func currentMetadataIsWrittenBackByteForByte() throws {
    let files = try Fixture.current.files()
    let info = try MetaFiles.decode(files).info
    for encoded in MetaFiles.encode(info) {
      let expected = String(decoding: try #require(files[encoded.file]), as: UTF8.self)
      #expect(String(decoding: encoded.bytes, as: UTF8.self) == expected, "\(encoded.file)")
    }
  }
}
