// How many bytes of a large body have to be there before the engine's thread is woken: a value without clock or I/O.
//
// Left alone the kernel wakes a reader for every few segments, and what that costs is most of what receiving costs: 1 GiB
// over a loopback took a bare recv loop 0.67 s of CPU without a threshold and 0.16 to 0.25 s with one of 512 KiB.
//
// Invariants: the threshold never exceeds what is still to come (less what TLS may have read already), so the end of a body
// is never waited for; and not what came in the last `delay` on average, so nobody waits noticeably longer for bytes.
// A sender that falls silent is noticed by `relax`.

/// The low-water mark of one connection's socket (SO_RCVLOWAT, socket(7)) while a body is received.
struct ReceiveThreshold {
  /// What a socket has when it is new.
  static let none = 1
  /// The largest threshold in bytes: as much as one `recv` takes.
  static let largest = 512 << 10
  /// Smaller ones are not worth the system call.
  private static let smallest = 64 << 10
  /// The longest time in seconds that the threshold may take to be reached.
  private static let delay = 0.02
  /// What TLS may have taken from the socket without handing it on: some records of 16 KiB.
  private static let margin = 64 << 10
  /// Bytes between two looks.
  private static let step = 128 << 10

  /// What the socket has now.
  private(set) var bytes = ReceiveThreshold.none
  /// Bytes per second: of this body so far, or of the one before; 0 if unknown.
  private(set) var rate: Double
  private var began: Double?
  private var nextLook = 0
  private var lastReceived = 0
  private var lastBytes = 0

  /// - Parameter rate: at which the body before came, in bytes per second; 0 if there was none.
  init(rate: Double = 0) { self.rate = rate }

  /// Whether it is time to look: at the beginning, after each step, and near the end.
  func isDue(received: Int, remaining: Int) -> Bool {
    received >= nextLook || bytes > Self.none && remaining - Self.margin < bytes
  }

  /// Takes note of what has come.
  /// - Parameters:
  ///   - now: seconds of a clock that never goes back.
  /// - Returns: the threshold that the socket is to have; nil if it is what it has.
  mutating func update(received: Int, remaining: Int, now: Double) -> Int? {
    nextLook = received + Self.step
    lastReceived = received
    if let began {
      // What came first may have waited in the socket.
      rate = Double(received) / max(now - began, 0.001)
    } else {
      began = now
    }
    let bound = min(Self.largest, remaining - Self.margin, Int(min(rate * Self.delay, Double(Self.largest))))
    // In powers of two, so that the end of a body takes few steps and a rate that varies none.
    var wanted = Self.largest
    while wanted > bound, wanted >= Self.smallest { wanted /= 2 }
    if wanted < Self.smallest { wanted = Self.none }
    guard wanted != bytes else { return nil }
    bytes = wanted
    return bytes
  }

  /// To be called about once a second: gives up on a threshold that was not reached since the last time.
  /// - Returns: the threshold that the socket is to have; nil if it is what it has.
  mutating func relax() -> Int? {
    defer { lastBytes = lastReceived }
    guard bytes > Self.none, lastReceived == lastBytes else { return nil }
    // For this body the sender has lost its credit.
    nextLook = .max
    rate = 0
    bytes = Self.none
    return bytes
  }
}
