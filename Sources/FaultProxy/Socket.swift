// A TCP socket with exactly what the proxy needs of it. Reading and sending never block; waiting is `poll`.
//
// Invariants: the descriptor is closed once, by its owner or when the last reference goes; `interrupt` may come from any
// thread, and ends every wait on the socket without closing the descriptor under its owner's feet.

import Glibc
import Synchronization

/// A TCP socket.
final class Socket: Sendable {
  /// What to wait for, and what came.
  struct Events: OptionSet {
    let rawValue: Int16
    static let readable = Events(rawValue: Int16(POLLIN))
    static let writable = Events(rawValue: Int16(POLLOUT))
    /// The other side has closed, or the connection is broken or interrupted. Reported whether asked for or not, except
    /// for an orderly close, which has to be asked for.
    static let hungUp = Events(rawValue: Int16(0x2000 /* POLLRDHUP */ | POLLHUP | POLLERR | POLLNVAL))
  }

  /// What a read or a send came to.
  enum Transfer: Equatable {
    case bytes(Int)
    /// Nothing at the moment.
    case nothing
    /// An orderly end or a broken connection.
    case ended
  }

  let descriptor: Int32
  private let isOpen = Mutex(true)

  init(owning descriptor: Int32) {
    self.descriptor = descriptor
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }

  deinit { close() }

  /// Listens at an address.
  static func listening(at address: SocketAddress) throws(FaultProxyError) -> Socket {
    let descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw FaultProxyError("no socket: \(String(cString: strerror(errno)))") }
    let listener = Socket(owning: descriptor)
    listener.set(SOL_SOCKET, SO_REUSEADDR, Int32(1))
    guard address.withPointer({ Glibc.bind(descriptor, $0, $1) }) == 0, Glibc.listen(descriptor, 1024) == 0 else {
      throw FaultProxyError("cannot listen at \(address): \(String(cString: strerror(errno)))")
    }
    return listener
  }

  /// The next connection; nil when none is waiting. Ends with nil as well when the listener was interrupted.
  func accept() -> Socket? {
    let accepted = Glibc.accept(descriptor, nil, nil)
    guard accepted >= 0 else { return nil }
    let socket = Socket(owning: accepted)
    socket.set(Int32(IPPROTO_TCP), TCP_NODELAY, Int32(1))
    return socket
  }

  /// Connects, waiting at most so many seconds. Nil when nobody answers.
  static func connected(to address: SocketAddress, within seconds: Double) -> Socket? {
    let descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    let connection = Socket(owning: descriptor)
    connection.set(Int32(IPPROTO_TCP), TCP_NODELAY, Int32(1))
    if address.withPointer({ Glibc.connect(descriptor, $0, $1) }) != 0 {
      guard errno == EINPROGRESS else { return nil }
      _ = Socket.wait(for: [(connection, .writable)], seconds: seconds)
      var status: Int32 = 0
      var size = socklen_t(MemoryLayout<Int32>.size)
      guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &status, &size) == 0, status == 0 else { return nil }
      guard getpeername(descriptor, nil, &size) == 0 || errno == EFAULT else { return nil }
    }
    return connection
  }

  /// The port that the socket is bound to.
  var port: Int {
    var storage = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let isKnown = withUnsafeMutableBytes(of: &storage) { bytes in
      guard let base = bytes.baseAddress else { return false }
      return getsockname(descriptor, base.assumingMemoryBound(to: sockaddr.self), &size) == 0
    }
    guard isKnown else { return 0 }
    // Both families have the port, most significant byte first, behind the family.
    return withUnsafeBytes(of: storage) { Int($0[2]) << 8 | Int($0[3]) }
  }

  /// Reads what is there.
  func receive(into space: UnsafeMutableRawBufferPointer) -> Transfer {
    let count = recv(descriptor, space.baseAddress, space.count, 0)
    if count > 0 { return .bytes(count) }
    return count < 0 && (errno == EAGAIN || errno == EINTR) ? .nothing : .ended
  }

  /// Sends what fits.
  func send(_ bytes: UnsafeRawBufferPointer) -> Transfer {
    let count = Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    if count >= 0 { return .bytes(count) }
    return errno == EAGAIN || errno == EINTR ? .nothing : .ended
  }

  /// Sends no more; the other side sees an orderly end.
  func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Closes so that the other side sees a reset, whatever it has received.
  func reset() {
    let hard = linger(l_onoff: 1, l_linger: 0)
    set(SOL_SOCKET, SO_LINGER, hard)
    close()
  }

  /// Gives the descriptor back. Idempotent.
  func close() {
    isOpen.withLock { isOpen in
      if isOpen { Glibc.close(descriptor) }
      isOpen = false
    }
  }

  /// Ends every wait, read and send, from any thread.
  func interrupt() {
    isOpen.withLock { isOpen in
      if isOpen { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
  }

  /// Waits for events on sockets, at most so many seconds; nil waits without end. What came, in the same order: all
  /// empty when the time was up.
  static func wait(for wanted: [(socket: Socket, events: Events)], seconds: Double?) -> [Events] {
    // A negative descriptor is skipped: even a wait for nothing would end with a broken connection.
    var entries = wanted.map { item in
      pollfd(fd: item.events.isEmpty ? -1 : item.socket.descriptor, events: item.events.rawValue, revents: 0)
    }
    let begin = ContinuousClock.now
    while true {
      let left = seconds.map { $0 - (ContinuousClock.now - begin) / .seconds(1) }
      let milliseconds = left.map { Int32(max(0, min(86_400_000, ($0 * 1000).rounded(.up)))) } ?? -1
      let count = poll(&entries, nfds_t(entries.count), milliseconds)
      if count > 0 || milliseconds == 0 || (count < 0 && errno != EINTR) { break }
    }
    return entries.map { Events(rawValue: $0.revents) }
  }

  private func set<Value: BitwiseCopyable>(_ level: Int32, _ option: Int32, _ value: Value) {
    var value = value
    setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Value>.size))
  }
}
