import Testing

@testable import MilvusClient

@Suite struct ChannelRosterTests {
  private final class Channel: Sendable {}

  @Test func `after so many calls there is another channel, and the old one ends with its last call`() {
    let (first, second) = (Channel(), Channel())
    var roster = ChannelRoster(first, maxCalls: 3)
    for _ in 0..<3 { #expect(roster.take { nil } === first) }
    #expect(roster.giveBack(first).isEmpty)
    #expect(roster.take { second } === second)
    #expect(roster.take { Channel() } === second)
    #expect(roster.channels.count == 2)
    #expect(roster.giveBack(second).isEmpty && roster.giveBack(first).isEmpty)
    let ended = roster.giveBack(first)
    #expect(ended.count == 1 && ended.first === first)
    #expect(roster.channels.count == 1 && roster.channels.first === second)
  }

  @Test func `a channel that is used up goes on when there can be no other, and never ends while it is the last`() {
    let first = Channel()
    var roster = ChannelRoster(first, maxCalls: 1)
    for _ in 0..<5 {
      #expect(roster.take { nil } === first)
      #expect(roster.giveBack(first).isEmpty)
    }
  }
}
