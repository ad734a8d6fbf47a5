// Properties of the messages apart from their encoding.

import BackupFormat
import Testing

@Suite struct MessageTests {
  @Test func passwordsAndKeysAreNotShown() throws {
    var info = try Fixture.current.read().info
    info.databaseBackups[0].ezk = "wrapped-key"
    var dumped = ""
    dump(info, to: &dumped)
    for text in [dumped, "\(info)", String(reflecting: info)] {
      #expect(!text.contains("$2a$10$hash"))
      #expect(!text.contains("wrapped-key"))
      #expect(text.contains("admin"))
    }
  }

  @Test func mapsCompareKeysByTheirBytes() {
    var map: StringMap = ["é": "composed"]
    map["e\u{301}"] = "decomposed"
    #expect(map.count == 2)
    #expect(map["é"] == "composed")
    #expect(map["e\u{301}"] == "decomposed")
    map["é"] = nil
    #expect(map.map(\.value) == ["decomposed"])
    map["e\u{301}"] = "again"
    #expect(map.map(\.value) == ["again"])
    map["absent"] = nil
    #expect(map.count == 1)
  }

  @Test func theLastOfRepeatedMapKeysStays() {
    let map = StringMap([(key: "b", value: "1"), (key: "a", value: "2"), (key: "b", value: "3")])
    #expect(map.map { "\($0.key)\($0.value)" } == ["a2", "b3"])
    #expect(map.description == #"["a": "2", "b": "3"]"#)
    #expect(StringMap().description == "[:]")
  }

  @Test func dataFormatsAreTold() {
    let formats = ["", "binlog", "snapshot", "tape"].map { format in BackupInfo.with { $0.format = format }.dataFormat }
    #expect(formats == [.binlog, .binlog, .snapshot, .unknown("tape")])
  }

  @Test func onlyVectorTypesAreVectors() {
    let vectors = [DataType.binaryVector, .floatVector, .int8Vector, .arrayOfVector].map(\.isVector)
    let others = [DataType.none, .varChar, .timestamptz, .arrayOfStruct, .structure].map(\.isVector)
    #expect(vectors == [true, true, true, true])
    #expect(others == [false, false, false, false, false])
  }

  @Test func collectionNamesAreOrderedByDatabaseFirst() {
    let names = [("b", "a"), ("a", "z"), ("a", "b")].map { CollectionName(database: $0.0, collection: $0.1) }
    #expect(names.sorted().map(\.description) == ["a.b", "a.z", "b.a"])
  }
}
