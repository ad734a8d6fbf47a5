// Comparison of promised with existing objects.

@testable import BackupFormat
import Testing

@Suite struct CompletenessTests {
  private func object(_ log: Int64, size: Int64?) -> PromisedObject {
    PromisedObject(
      key: .insert(collectionID: 1, partitionID: 2, groupID: 3, segmentID: 4, fieldID: 5, logID: log), size: size)
  }

  private func path(_ log: Int64) -> String { "binlogs/insert_log/1/2/3/4/5/\(log)" }

  @Test func everythingThereIsComplete() {
    let result = Completeness.check(
      promised: [object(1, size: 10), object(2, size: 0)],
      listed: [path(1): 10, path(2): 0, "meta/full_meta.json": 99, "restore": 1])
    #expect(result.isComplete)
    #expect(result.present == 2)
    #expect(result == Completeness(missing: [], wrongSizes: [], extra: [], present: 2))
  }

  @Test func missingWrongAndExtraObjectsAreTold() {
    let result = Completeness.check(
      promised: [object(3, size: 1), object(1, size: 10), object(2, size: 20)],
      listed: [path(2): 21, path(9): 1, "binlogs/junk": 0, path(1) + "/": 0])
    #expect(!result.isComplete)
    #expect(result.missing == [object(3, size: 1), object(1, size: 10)])
    #expect(result.wrongSizes == [Completeness.WrongSize(promised: object(2, size: 20), actualSize: 21)])
    #expect(result.extra == [path(1) + "/", path(9), "binlogs/junk"])
    #expect(result.present == 0)
  }

  @Test func extraObjectsAloneDoNotMakeABackupIncomplete() {
    let result = Completeness.check(promised: [], listed: ["binlogs/junk": 0])
    #expect(result.isComplete)
    #expect(result.extra == ["binlogs/junk"])
  }

  @Test func unknownSizesMatchAnySize() {
    #expect(Completeness.check(promised: [object(1, size: nil)], listed: [path(1): 5]).isComplete)
    #expect(!Completeness.check(promised: [object(1, size: nil)], listed: [:]).isComplete)
  }

  @Test func objectsPromisedOrListedTwiceCountOnce() {
    var check = CompletenessCheck(promised: [object(1, size: 10), object(1, size: 10)])
    check.add(path: path(1), size: 10)
    check.add(path: path(1), size: 10)
    let result = check.finish()
    #expect(result == Completeness(missing: [], wrongSizes: [], extra: [], present: 1))
    #expect(Completeness.check(promised: [object(1, size: 1), object(1, size: 1)], listed: [:]).missing.count == 1)
  }

  @Test func theFixtureOfACurrentBackupIsCompleteWithItsOwnObjects() throws {
    let objects = BackupContents(try Fixture.current.read().info).objects
    var listed: [String: Int64] = [:]
    for object in objects { listed[object.path] = object.size }
    #expect(Completeness.check(promised: objects, listed: listed).present == 6)
    listed["binlogs/delta_log/446/-1/451/16"] = nil
    #expect(Completeness.check(promised: objects, listed: listed).missing.map(\.key.segmentID) == [451])
  }
}
