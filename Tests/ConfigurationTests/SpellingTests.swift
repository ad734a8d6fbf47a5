// Guesses at misspelt keys.

import Testing

@testable import Configuration

@Suite struct SpellingTests {
  @Test(arguments: [
    ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "ab", 1),
    ("abc", "abxc", 1),
    ("abc", "axc", 1), ("abc", "cab", 2), ("kitten", "sitting", 3),
  ])
  func distanceCountsInsertionsRemovalsReplacementsAndSwaps(left: String, right: String, distance: Int) {
    #expect(Spelling.distance(left, right) == distance)
  }

  @Test func theNearestWithinTwoLettersIsFound() {
    #expect(Spelling.nearest(to: "PROT", among: ["part", "port", "proton"]) == "port")
    #expect(Spelling.nearest(to: "something", among: ["part", "port"]) == nil)
    #expect(Spelling.nearest(to: "x", among: []) == nil)
  }
}
