// How large libcurl's buffers are: each transfer has one for what it sends and one for what it receives, beside the bodies.
//
// Invariant: few transfers get what is best for them; however many there are, all buffers together stay near `capacity`.
// Half a mebibyte for each would be 48 MiB for 96 objects under way; a daemon that gave as much had once taken 144 MiB.

/// Shares memory out to transfers, each a part of what is left.
struct BufferShares {
  /// Bytes of all buffers, but for what the smallest ones of very many transfers take.
  static let capacity = 8 << 20
  /// Smallest buffer for whoever wants more.
  static let least = 64 << 10

  private(set) var used = 0

  /// The size of a buffer, at most what is wanted.
  mutating func take(_ wanted: Int) -> Int {
    let granted = min(wanted, max((Self.capacity - used) / 8, Self.least))
    used += granted
    return granted
  }

  /// A buffer, or several, are free again.
  mutating func giveBack(_ bytes: Int) { used -= bytes }
}
