// Which pieces of an object to have at hand while it is read: a value without clock or I/O.
//
// A reader that goes from the beginning to the end gets a window ahead of it that doubles as it goes on; one that jumps
// gets exactly what it asks for, and so does its first neighbour. Invariant: pieces are ascending and follow each other
// without gaps.

/// The window ahead of one reader.
struct ReadWindow {
  /// The first piece, and the smallest, in bytes: what a program that looks at a file's beginning costs.
  static let firstPiece: Int64 = 1 << 20
  /// The largest piece: enough to make a request's own cost small.
  static let largestPiece: Int64 = 8 << 20
  /// Most bytes ahead of the reader.
  static let largestWindow: Int64 = 32 << 20
  /// Objects up to this size are fetched in one piece.
  static let wholeLimit: Int64 = 2 << 20
  /// How far a read may be from where the last one ended and still count as its successor: the kernel's own reading ahead
  /// delivers neighbours in any order.
  static let tolerance: Int64 = 1 << 20

  /// What to do for a read.
  struct Plan {
    /// Pieces that are not needed any more.
    var dropped: [Range<Int64>] = []
    /// Pieces to fetch, as far as there is memory for them; the first ones cover the read.
    var candidates: [Range<Int64>] = []
  }

  private(set) var pieces: [Range<Int64>] = []
  private var window = 2 * firstPiece
  private var expected: Int64 = 0
  /// The last read was a jump: one neighbour of it may be chance, the second is a pattern.
  private var hasJumped = false
  /// Where the window grows next.
  private var growsAt = 2 * firstPiece
  private let size: Int64

  /// - Parameter size: of the object, in bytes.
  init(size: Int64) { self.size = size }

  /// Takes note of a read; `range` lies within the object and is not empty.
  mutating func plan(_ range: Range<Int64>) -> Plan {
    var plan = Plan()
    let isNear = abs(range.lowerBound - expected) <= Self.tolerance
    let isInside = pieces.first.map { $0.lowerBound <= range.lowerBound } ?? false && end > range.lowerBound
    expected = range.upperBound
    guard isNear || isInside else {
      plan.dropped = pieces
      self = ReadWindow(size: size)
      expected = range.upperBound
      hasJumped = true
      return plan
    }
    guard !hasJumped else {
      hasJumped = false
      return plan
    }
    if range.upperBound >= growsAt {
      window = min(window * 2, Self.largestWindow)
      growsAt = range.upperBound + window / 2
    }
    while let first = pieces.first, first.upperBound <= range.lowerBound - Self.tolerance {
      plan.dropped.append(first)
      pieces.removeFirst()
    }
    if !isInside {
      plan.dropped += pieces
      pieces = []
    }
    var next = isInside ? end : range.lowerBound
    let length = size <= Self.wholeLimit ? size : min(max(window / 4, Self.firstPiece), Self.largestPiece)
    while next < size, next < range.upperBound || next + length <= range.upperBound + window {
      // Pieces end at multiples of their length: services keep large objects in pieces of 8 MiB or so themselves.
      let piece = next..<min((next / length + 1) * length, size)
      plan.candidates.append(piece)
      next = piece.upperBound
    }
    return plan
  }

  /// A piece that was planned is being fetched. Pieces are started in the order in which they were planned.
  mutating func started(_ piece: Range<Int64>) { pieces.append(piece) }

  /// The pieces that cover a range; nil when they do not.
  func cover(_ range: Range<Int64>) -> [Range<Int64>]? {
    guard let first = pieces.first, first.lowerBound <= range.lowerBound, end >= range.upperBound else { return nil }
    return pieces.filter { $0.overlaps(range) }
  }

  /// Forgets a piece that could not be fetched, and those behind it; answers which.
  mutating func failed(_ piece: Range<Int64>) -> [Range<Int64>] {
    guard let position = pieces.firstIndex(of: piece) else { return [] }
    let lost = Array(pieces[position...])
    pieces.removeSubrange(position...)
    return lost
  }

  /// Where the pieces end.
  private var end: Int64 { pieces.last?.upperBound ?? 0 }
}
