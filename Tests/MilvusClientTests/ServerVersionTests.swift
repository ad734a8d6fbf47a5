import Testing

@testable import MilvusClient

@Suite struct ServerVersionTests {
  @Test(arguments: [
    ("v2.3.5", ServerVersion(2, 3, 5)),
    ("2.3.5", ServerVersion(2, 3, 5)),
    ("v2.3.5-lite", ServerVersion(2, 3, 5)),
    ("2.4.0-rc.1", ServerVersion(2, 4, 0)),
    ("v2.5.4.1", ServerVersion(2, 5, 4)),
    ("2.6.11+build7", ServerVersion(2, 6, 11)),
    ("2.10.0", ServerVersion(2, 10, 0)),
    ("2.4", ServerVersion(2, 4, 9999)),
    ("v2.4-latest", ServerVersion(2, 4, 9999)),
    ("milvus-2.5.1", ServerVersion(2, 5, 1)),
    ("docker.io/milvusdb/milvus:v2.4.9", .newest),
    ("Milvus v2.2.9", ServerVersion(2, 2, 9)),
    ("master-20240520-1a2b3c", .newest),
    ("20240520", .newest),
    ("2", .newest),
    ("2.", .newest),
    ("", .newest),
    ("unknown", .newest),
    ("2.99999999999999999999.1", .newest),
  ])
  func `version is read from what a server reports`(text: String, version: ServerVersion) {
    #expect(ServerVersion(reported: text) == version)
  }

  @Test func `versions are ordered by number, not by text`() {
    let ordered = [
      ServerVersion(2, 3, 9), ServerVersion(2, 3, 10), ServerVersion(2, 10, 0), ServerVersion(3, 0, 0), .newest,
    ]
    #expect(ordered.shuffled().sorted() == ordered)
    #expect(ServerVersion(2, 4, 9999).description == "2.4.9999")
  }
}

@Suite struct ServerFeaturesTests {
  private static let gates: [(String, @Sendable (ServerFeatures) -> Bool, ServerVersion)] = [
    ("flushesDeletes", { $0.flushesDeletes }, ServerVersion(2, 3, 0)),
    ("describeDatabase", { $0.describeDatabase }, ServerVersion(2, 4, 3)),
    ("replicateMessage", { $0.replicateMessage }, ServerVersion(2, 5, 0)),
    ("segmentInfoREST", { $0.segmentInfoREST }, ServerVersion(2, 5, 8)),
    ("multiL0InOneJob", { $0.multiL0InOneJob }, ServerVersion(2, 6, 5)),
    ("collectionLevelGCControl", { $0.collectionLevelGCControl }, ServerVersion(2, 6, 8)),
    ("functionRuntimeCheck", { $0.functionRuntimeCheck }, ServerVersion(2, 6, 8)),
    ("flushAll", { $0.flushAll }, ServerVersion(2, 6, 11)),
    ("snapshot", { $0.snapshot }, ServerVersion(3, 0, 0)),
    ("restImport", { $0.restImport }, ServerVersion(2, 4, 0)),
    ("addCollectionField", { $0.addCollectionField }, ServerVersion(2, 6, 0)),
  ]

  @Test(arguments: gates.indices) func `feature begins with its version`(index: Int) {
    let (name, isOn, first) = Self.gates[index]
    let before =
      first.patch > 0
      ? ServerVersion(first.major, first.minor, first.patch - 1)
      : first.minor > 0
        ? ServerVersion(first.major, first.minor - 1, 9999) : ServerVersion(first.major - 1, 9999, 9999)
    #expect(isOn(ServerFeatures(version: first, multiDatabase: false)), "\(name) in \(first)")
    #expect(!isOn(ServerFeatures(version: before, multiDatabase: true)), "\(name) in \(before)")
  }

  @Test func `levels are hidden from 2.4 on until 2.4.7`() {
    let hidden = [(2, 3, 9999), (2, 4, 0), (2, 4, 6), (2, 4, 7)].map { version in
      ServerFeatures(version: ServerVersion(version.0, version.1, version.2), multiDatabase: true).hidesSegmentLevels
    }
    #expect(hidden == [false, true, true, false])
  }

  @Test func `replication message ends with 2.6`() {
    #expect(ServerFeatures(version: ServerVersion(2, 5, 9999), multiDatabase: true).replicateMessage)
    #expect(!ServerFeatures(version: ServerVersion(2, 6, 0), multiDatabase: true).replicateMessage)
    #expect(!ServerFeatures(version: .newest, multiDatabase: true).replicateMessage)
  }

  @Test func `databases depend on the probe alone`() {
    #expect(ServerFeatures(version: ServerVersion(2, 2, 0), multiDatabase: true).multiDatabase)
    #expect(!ServerFeatures(version: .newest, multiDatabase: false).multiDatabase)
  }
}
