import Testing

@testable import BackupFileSystem

@Suite struct ReadWindowTests {
  private let mebibyte: Int64 = 1 << 20

  /// Plans a read and starts everything that was planned.
  private func read(_ window: inout ReadWindow, _ offset: Int64, _ count: Int64) -> ReadWindow.Plan {
    let plan = window.plan(offset..<offset + count)
    for piece in plan.candidates { window.started(piece) }
    return plan
  }

  @Test func aSmallObjectIsOnePiece() {
    var window = ReadWindow(size: 600_000)
    #expect(read(&window, 0, 4096).candidates == [0..<600_000])
    #expect(read(&window, 4096, 4096).candidates == [])
  }

  @Test func theBeginningOfALargeObjectCostsLittle() {
    var window = ReadWindow(size: 1 << 30)
    let fetched = read(&window, 0, 4096).candidates.reduce(0) { $0 + $1.count }
    #expect(fetched <= 3 << 20)
  }

  @Test func theWindowGrowsWithASequentialReaderUpToItsBound() {
    let size: Int64 = 1 << 30
    var window = ReadWindow(size: size)
    var end: Int64 = 0
    var largest: Int64 = 0
    var requests = 0
    for offset in stride(from: 0, to: size, by: 131_072) {
      let plan = read(&window, offset, 131_072)
      for piece in plan.candidates {
        #expect(piece.lowerBound == end, "no gap, nothing twice")
        end = piece.upperBound
        requests += 1
      }
      #expect(window.cover(offset..<offset + 131_072) != nil)
      largest = max(largest, end - offset)
    }
    #expect(end == size)
    #expect(largest > 24 * mebibyte && largest <= ReadWindow.largestWindow + ReadWindow.largestPiece)
    #expect(requests < 150, "pieces grow: \(requests)")
  }

  @Test func whatLiesBehindIsDropped() {
    var window = ReadWindow(size: 1 << 30)
    var dropped: Int64 = 0
    for offset in stride(from: Int64(0), to: 100 * mebibyte, by: 131_072) {
      dropped += read(&window, offset, 131_072).dropped.reduce(0) { $0 + Int64($1.count) }
    }
    #expect(dropped > 80 * mebibyte)
  }

  @Test func aJumpFetchesNothingAheadAndLetsTheWindowGo() {
    var window = ReadWindow(size: 1 << 30)
    _ = read(&window, 0, 131_072)
    let jump = read(&window, 500 * mebibyte, 4096)
    #expect(jump.candidates == [] && !jump.dropped.isEmpty && window.pieces.isEmpty)
    #expect(window.cover(500 * mebibyte..<500 * mebibyte + 4096) == nil)
    // One neighbour may be chance among random reads; whoever goes on from there is a sequential reader again.
    #expect(read(&window, 500 * mebibyte + 4096, 4096).candidates == [])
    #expect(read(&window, 500 * mebibyte + 8192, 4096).candidates.first?.lowerBound == 500 * mebibyte + 8192)
    #expect(read(&window, 100 * mebibyte, 4096).candidates == [])
    #expect(read(&window, 100 * mebibyte + 4096, 4096).candidates == [], "after each jump anew")
  }

  @Test func neighboursInAnyOrderAreSequential() {
    var window = ReadWindow(size: 1 << 30)
    _ = read(&window, 0, 131_072)
    #expect(read(&window, 262_144, 131_072).dropped == [])
    #expect(read(&window, 131_072, 131_072).dropped == [])
    #expect(window.cover(131_072..<262_144) != nil)
  }

  @Test func aPieceThatFailedIsFetchedAgain() {
    var window = ReadWindow(size: 10 * mebibyte)
    let first = read(&window, 0, 4096).candidates
    #expect(window.failed(first[0]) == first)
    #expect(window.cover(0..<4096) == nil)
    #expect(read(&window, 0, 4096).candidates == first)
  }
}
