// What the engine hears about its sockets, with real ones in a real set.

import Glibc
import Testing

@testable import CurlHTTP

@Suite struct SocketWatchTests {
  /// Two connected sockets; what `far` writes makes `near` ready.
  private struct Pair: ~Copyable {
    let near: Int32
    let far: Int32

    init() {
      var ends: [Int32] = [-1, -1]
      socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends)
      (near, far) = (ends[0], ends[1])
    }

    func say() { write(far, "x", 1) }

    deinit {
      close(near)
      close(far)
    }
  }

  private let watch: SocketWatch
  /// Rung before each wait, so that none of them sleeps when a test fails.
  private let descriptors: EngineDescriptors

  init() throws {
    descriptors = try EngineDescriptors()
    watch = SocketWatch(descriptors)
  }

  /// What libcurl does with a connection that it will hear from.
  private func connect(_ number: Int32) {
    watch.opened(number)
    watch.want(SocketWatch.input, of: number)
  }

  private func readable() -> [Int32] {
    descriptors.ring()
    watch.wait()
    var sockets: [Int32] = []
    while let (socket, _) = watch.nextReady() { sockets.append(socket) }
    return sockets
  }

  @Test func whatIsWaitedForIsHeard() {
    let one = Pair()
    let other = Pair()
    for number in [one.near, other.near] { connect(number) }
    #expect(readable().isEmpty)
    one.say()
    other.say()
    #expect(Set(readable()) == [one.near, other.near])
  }

  @Test func anEventOfAClosedConnectionIsNotHeardByTheNextWithItsNumber() {
    let one = Pair()
    let other = Pair()
    for number in [one.near, other.near] { connect(number) }
    one.say()
    other.say()
    descriptors.ring()
    watch.wait()
    guard let (first, _) = watch.nextReady() else {
      Issue.record("nothing was heard")
      return
    }
    // What libcurl does about the first closes the other and opens a new connection, which gets the number.
    let second = first == one.near ? other.near : one.near
    watch.closed(second)
    connect(second)
    #expect(watch.nextReady() == nil)
  }

  @Test func anIdleConnectionIsHeardAgainWhenItIsWaitedFor() {
    let pair = Pair()
    connect(pair.near)
    watch.want(0, of: pair.near)
    pair.say()
    #expect(readable().isEmpty)
    watch.want(SocketWatch.input, of: pair.near)
    #expect(readable() == [pair.near])
  }

  @Test func aSocketOfLibcurlsOwnIsFollowedToTheLetter() {
    let pair = Pair()
    watch.want(SocketWatch.input, of: pair.near)
    pair.say()
    #expect(readable() == [pair.near])
    watch.want(0, of: pair.near)
    #expect(readable().isEmpty)
    watch.want(SocketWatch.input, of: pair.near)
    #expect(readable() == [pair.near])
  }
}
