// Which channel a call takes, and when a channel is given up. Logic without I/O.
//
// Invariant: the last channel is the one for new calls; those before it have calls under way.

/// The channels of a connection: one for new calls, and those before it that still have calls under way.
struct ChannelRoster<Channel: AnyObject> {
  private struct Slot {
    let channel: Channel
    var calls = 0
    var underWay = 0
  }

  private let maxCalls: Int
  private var slots: [Slot]

  init(_ first: Channel, maxCalls: Int) {
    self.maxCalls = maxCalls
    slots = [Slot(channel: first)]
  }

  /// All channels that have not been given up.
  var channels: [Channel] { slots.map(\.channel) }

  /// The channel for one more call.
  /// - Parameter make: makes a channel; nil if it cannot, then the present one goes on.
  mutating func take(_ make: () -> Channel?) -> Channel {
    if slots[slots.count - 1].calls >= maxCalls, let new = make() { slots.append(Slot(channel: new)) }
    slots[slots.count - 1].calls += 1
    slots[slots.count - 1].underWay += 1
    return slots[slots.count - 1].channel
  }

  /// A call has ended.
  /// - Returns: the channels that nobody needs any more.
  mutating func giveBack(_ channel: Channel) -> [Channel] {
    if let index = slots.firstIndex(where: { $0.channel === channel }) { slots[index].underWay -= 1 }
    let idle = slots.dropLast().filter { $0.underWay == 0 }.map(\.channel)
    let last = slots.count - 1
    slots = slots.enumerated().filter { $0.offset == last || $0.element.underWay > 0 }.map(\.element)
    return idle
  }
}
