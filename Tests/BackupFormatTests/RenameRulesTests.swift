// The grammar and effect of rename rules.

import BackupFormat
import Testing

@Suite struct RenameRulesTests {
  private func name(_ database: String, _ collection: String) -> CollectionName {
    CollectionName(database: database, collection: collection)
  }

  @Test func withoutRulesNamesStay() throws {
    #expect(RenameRules.none.target(of: name("a", "b")) == name("a", "b"))
    #expect(try RenameRules(parsing: " ") == .none)
    #expect(try RenameRules(suffix: "") == .none)
  }

  @Test func theSuffixIsAppendedToCollections() throws {
    let rules = try RenameRules(suffix: "_bak")
    #expect(rules.target(of: name("db", "c")) == name("db", "c_bak"))
    #expect(rules.target(ofDatabase: "db") == "db")
  }

  @Test(arguments: ["-bak", " ", "bäk", "a.b", "a/b"])
  func suffixesWithOtherCharactersAreRefused(suffix: String) {
    #expect(
      sentence { try RenameRules(suffix: suffix) }
        == "The suffix \(suffix.debugDescription) cannot be part of a collection name. Allowed are letters, digits and '_'."
    )
  }

  @Test func allFormsAreUnderstoodAndTheMoreExactWins() throws {
    let rules = try RenameRules(parsing: "a:b, db1.*:db2.* ,db1.x:db3.y,db8.:db9.")
    #expect(rules.target(of: name("default", "a")) == name("default", "b"))
    #expect(rules.target(of: name("db1", "other")) == name("db2", "other"))
    #expect(rules.target(of: name("db1", "x")) == name("db3", "y"))
    #expect(rules.target(of: name("db1", "a")) == name("db2", "a"))
    #expect(rules.target(of: name("db8", "c")) == name("db8", "c"))
    #expect(rules.target(ofDatabase: "db1") == "db2")
    #expect(rules.target(ofDatabase: "db8") == "db8")
  }

  @Test(arguments: [
    "a", "a:b:c", "a:", ":b", "a:db.b", "db.a:b", "db.*:db2", "db.*:db2.x", "db.:db2.*", "a-b:c", "a:b,", "*:*",
    "d.e.f:g.h.i",
    "db.a*:db.b*",
  ])
  func otherFormsAreRefused(text: String) {
    #expect(
      sentence { try RenameRules(parsing: text) }.contains("cannot be understood. Both sides must have the same form"))
  }

  @Test(arguments: ["a:b,a:c", "a:b,a:b", "d.*:e.*,d.*:f.*", "default.a:default.b,a:c"])
  func twoRulesForOneNameAreRefused(text: String) {
    #expect(sentence { try RenameRules(parsing: text) }.hasPrefix("There are two rename rules for "))
  }

  @Test func pairsAreTheSameAsText() throws {
    let rules = try RenameRules([(source: "a", target: "b"), (source: "d.*", target: "e.*")])
    let parsed = try RenameRules(parsing: "a:b,d.*:e.*")
    #expect(rules == parsed)
  }

  @Test func oneCollectionMayMoveToAnotherDatabase() {
    let rules = RenameRules(renaming: name("a", "b"), to: name("c", "d"))
    #expect(rules.target(of: name("a", "b")) == name("c", "d"))
    #expect(rules.target(of: name("a", "x")) == name("a", "x"))
  }

  @Test func collidingTargetsAreRefused() throws {
    let rules = try RenameRules(parsing: "a:b")
    #expect(
      sentence { try rules.targets(of: [name("default", "a"), name("default", "b")]) }
        == "default.a and default.b would both be restored as default.b. Give one of them another name.")
    #expect(
      try rules.targets(of: [name("x", "a"), name("default", "a"), name("default", "a")])
        == [name("x", "a"), name("default", "b"), name("default", "b")])
  }

  @Test func rulesThatRenameNothingAreTold() throws {
    let rules = try RenameRules(parsing: "a:b,c:d,x.*:y.*,z.*:w.*")
    #expect(rules.unmatched(among: [name("default", "a"), name("z", "q")]) == ["default.c", "x.*"])
  }
}
