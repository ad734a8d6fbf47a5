import Testing

@testable import CurlHTTP

/// Sharing memory out to the buffers of transfers.
@Suite struct BufferSharesTests {
  private static let wanted = 512 << 10

  @Test func fewTransfersGetWhatTheyWant() {
    var shares = BufferShares()
    let taken = (0..<8).map { _ in shares.take(Self.wanted) }
    #expect(taken == Array(repeating: Self.wanted, count: 8))
  }

  @Test func manyStayNearTheCapacityAndNoneGoesWithout() {
    var shares = BufferShares()
    let taken = (0..<128).map { _ in shares.take(Self.wanted) }
    #expect(taken.min() == BufferShares.least)
    #expect(shares.used == taken.reduce(0, +))
    #expect(shares.used <= BufferShares.capacity + 128 * BufferShares.least)
  }

  @Test func whoWantsLittleGetsThat() {
    var shares = BufferShares()
    #expect(shares.take(16 << 10) == 16 << 10)
    #expect(shares.used == 16 << 10)
  }

  @Test func whatIsGivenBackIsHadAgain() {
    var shares = BufferShares()
    let taken = (0..<100).map { _ in shares.take(Self.wanted) }
    for bytes in taken { shares.giveBack(bytes) }
    #expect(shares.used == 0)
    #expect(shares.take(Self.wanted) == Self.wanted)
  }
}
