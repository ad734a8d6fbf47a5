// The grammar of filters.

import BackupFormat
import Testing

@Suite struct CollectionFilterTests {
  private func name(_ database: String, _ collection: String) -> CollectionName {
    CollectionName(database: database, collection: collection)
  }

  @Test func allFormsAreUnderstood() throws {
    let filter = try CollectionFilter(parsing: "db1.*, db2.c2 ,c3,db4.")
    #expect(
      filter.rules == [
        .everything(in: "db1"), .collection(name("db2", "c2")), .collection(name("default", "c3")),
        .databaseOnly("db4"),
      ])
    #expect(filter.description == "db1.*,db2.c2,default.c3,db4.")
    #expect(filter.selects(name("db1", "any")))
    #expect(filter.selects(name("db2", "c2")))
    #expect(!filter.selects(name("db2", "c3")))
    #expect(filter.selects(name("default", "c3")))
    #expect(!filter.selects(name("db4", "c")))
    #expect(!filter.selects(name("db5", "c3")))
    #expect(["db1", "db2", "default", "db4", "db5"].map(filter.selects(database:)) == [true, true, true, true, false])
  }

  @Test(arguments: ["", " ", "\t"])
  func anEmptyFilterSelectsEverything(text: String) throws {
    let filter = try CollectionFilter(parsing: text)
    #expect(filter == .all)
    #expect(filter.selectsEverything)
    #expect(filter.selects(name("a", "b")))
    #expect(filter.selects(database: "a"))
  }

  @Test(arguments: ["*", "a,", ",a", "a.b.c", ".c", "*.c", "db.*x", "a b", "*.*", ".", "a.b*"])
  func otherFormsAreRefused(text: String) {
    #expect(sentence { try CollectionFilter(parsing: text) }.contains("cannot be understood. Allowed are db.*"))
  }

  @Test func theMisunderstoodElementIsNamed() {
    #expect(sentence { try CollectionFilter(parsing: "ok,a.b.c") }.hasPrefix("The filter element \"a.b.c\" "))
  }

  @Test func elementsThatSelectNothingAreTold() throws {
    let filter = try CollectionFilter(parsing: "db1.*,db2.c2,c3,db4.,db5.,db6.*")
    let unmatched = filter.unmatched(among: [name("db1", "x"), name("db2", "y")], databases: ["db4"])
    #expect(unmatched == ["db2.c2", "default.c3", "db5.", "db6.*"])
    #expect(filter.unmatched(among: [name("db2", "c2")], databases: []).contains("db2.c2") == false)
  }
}
