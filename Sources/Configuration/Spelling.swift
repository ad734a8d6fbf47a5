// Guesses what a misspelt key was meant to be.

/// Finds similar spellings.
enum Spelling {
  /// The candidate that differs least from `word` without regard to case; nil if all differ by more than two letters.
  static func nearest(to word: String, among candidates: [String]) -> String? {
    let best = candidates.map { (name: $0, distance: distance(word.lowercased(), $0.lowercased())) }
      .min { $0.distance < $1.distance }
    guard let best, best.distance <= 2 else { return nil }
    return best.name
  }

  /// Number of letters to insert, remove, replace or swap with their neighbour to turn one word into the other.
  static func distance(_ left: String, _ right: String) -> Int {
    let left = Array(left.utf8)
    let right = Array(right.utf8)
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for (row, letter) in left.enumerated() {
      var current = [row + 1]
      for (column, other) in right.enumerated() {
        var cost = min(last[column] + (letter == other ? 0 : 1), last[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, letter == right[column - 1], left[row - 1] == other {
          cost = min(cost, beforeLast[column - 1] + 1)
        }
        current.append(cost)
      }
      beforeLast = last
      last = current
    }
    return last[right.count]
  }
}
