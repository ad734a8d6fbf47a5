// The sockets that libcurl waits for, in a set of epoll(7), and its next timer.
//
// Between two requests on one connection libcurl says "not this socket any more" and soon "this socket again". To follow
// it to the letter costs two system calls a request, as much as is saved by not asking every socket in each turn. So a
// connection stays in the set until it is closed, or until it has an event that nobody waits for.
//
// Invariants: everything here belongs to the engine's thread. An entry is about the socket that has the number now:
// connections are opened and closed by our own callbacks, which reset it; sockets that libcurl makes itself (of its
// resolver) are followed to the letter.

import CCurl
import Glibc

final class SocketWatch {
  private struct Socket {
    /// Events that the kernel looks for; 0 when it is not in the set.
    var registered: UInt32 = 0
    /// Events that libcurl waits for.
    var wanted: UInt32 = 0
    /// Its beginning and its end are seen, by `opened` and `closed`.
    var isConnection = false
    /// How many sockets have had this number.
    var generation = 0
  }

  private struct Event {
    let socket: Int32
    let generation: Int
    let flags: Int32
  }

  static let (input, output) = (EPOLLIN.rawValue, EPOLLOUT.rawValue)
  private static let eventsAtOnce = 64

  /// What `wait` found, and how much of it `nextReady` has looked at.
  private var found: [Event] = []
  private var looked = 0
  /// When libcurl wants to be called, whatever happens.
  private var deadline: ContinuousClock.Instant?

  private let descriptors: EngineDescriptors
  private var sockets: [Socket] = []
  private var events = [epoll_event](repeating: epoll_event(), count: SocketWatch.eventsAtOnce)

  init(_ descriptors: EngineDescriptors) {
    self.descriptors = descriptors
  }

  /// Lets a multi handle tell us what it waits for. It must not outlive us.
  func attach(to multi: UnsafeMutableRawPointer) {
    let context = Unmanaged.passUnretained(self).toOpaque()
    _ = ccurl_multi_set_socket_function(multi, Self.onSocket, context)
    _ = ccurl_multi_set_timer_function(multi, Self.onTimer, context)
  }

  /// Makes the connections of an easy handle known to us. They must not outlive us.
  func attach(toConnectionsOf easy: UnsafeMutableRawPointer) {
    let context = Unmanaged.passUnretained(self).toOpaque()
    _ = ccurl_set_open_socket_function(easy, Self.onOpen)
    _ = ccurl_set_pointer(easy, CURLOPT_OPENSOCKETDATA, context)
    _ = ccurl_set_close_socket_function(easy, Self.onClose)
    _ = ccurl_set_pointer(easy, CURLOPT_CLOSESOCKETDATA, context)
  }

  /// Whether libcurl's timer has come; it is taken then.
  func takeTimer() -> Bool {
    guard let deadline, deadline <= .now else { return false }
    self.deadline = nil
    return true
  }

  /// Waits for sockets, for the timer or to be woken; `nextReady` says for which.
  func wait() {
    found.removeAll(keepingCapacity: true)
    looked = 0
    let count = epoll_wait(descriptors.set, &events, Int32(events.count), timeout)
    guard count > 0 else {
      // Only a signal ends it early, and all are blocked; a nap keeps what cannot happen from spinning.
      if count < 0, errno != EINTR { usleep(10_000) }
      return
    }
    for event in events[..<Int(count)] {
      let number = event.data.fd
      if number == descriptors.wake {
        descriptors.calm()
      } else if entry(number).wanted == 0 {
        // A connection that is idle and was closed by its other end, or got what it did not ask for.
        entry(number).isConnection ? register(0, for: number) : follow(0, of: number)
      } else {
        found.append(
          Event(socket: number, generation: entry(number).generation, flags: Self.forCurl(event.events)))
      }
    }
  }

  /// The next socket that the last `wait` found, with libcurl's flags for it.
  ///
  /// What libcurl does about one may close another and give its number to a new connection: an event of the old one is
  /// left out then. One that nobody waits for any more libcurl ignores itself.
  func nextReady() -> (socket: Int32, flags: Int32)? {
    while looked < found.count {
      let event = found[looked]
      looked += 1
      if event.generation == entry(event.socket).generation { return (event.socket, event.flags) }
    }
    return nil
  }

  /// A connection has got this number.
  func opened(_ number: Int32) { renew(number, isConnection: true) }

  /// The connection with this number is closed next: the kernel takes it out of the set then.
  func closed(_ number: Int32) { renew(number, isConnection: false) }

  private func renew(_ number: Int32, isConnection: Bool) {
    change(number) { $0 = Socket(isConnection: isConnection, generation: $0.generation + 1) }
  }

  /// What libcurl waits for at a socket from now on: events of epoll, or 0 for none.
  func want(_ wanted: UInt32, of number: Int32) {
    change(number) { $0.wanted = wanted }
    guard entry(number).isConnection else { return follow(wanted, of: number) }
    if wanted != 0 { register(wanted, for: number) }
  }

  /// Milliseconds until the timer, rounded up so that it has come then; at most a minute.
  private var timeout: Int32 {
    guard let deadline else { return 60_000 }
    let left = ContinuousClock.now.duration(to: deadline) / .milliseconds(1)
    return Int32(min(60_000, max(0, left.rounded(.up))))
  }

  private static func forCurl(_ events: UInt32) -> Int32 {
    var flags: Int32 = 0
    if events & input != 0 { flags |= CURL_CSELECT_IN }
    if events & output != 0 { flags |= CURL_CSELECT_OUT }
    if events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { flags |= CURL_CSELECT_ERR }
    return flags
  }

  private func entry(_ number: Int32) -> Socket {
    sockets.indices.contains(Int(number)) ? sockets[Int(number)] : Socket()
  }

  private func change(_ number: Int32, _ body: (inout Socket) -> Void) {
    while sockets.count <= Int(number) { sockets.append(Socket()) }
    body(&sockets[Int(number)])
  }

  private func register(_ wanted: UInt32, for number: Int32) {
    let present = entry(number).registered
    guard wanted != present else { return }
    let isDone = control(wanted == 0 ? EPOLL_CTL_DEL : present == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, wanted, number)
    // A socket that cannot be added is looked at when libcurl's timers come: its timeouts end the transfer.
    change(number) { $0.registered = isDone ? wanted : 0 }
  }

  /// Of a socket that libcurl made its end is not seen: whether its number is in the set only the kernel knows.
  private func follow(_ wanted: UInt32, of number: Int32) {
    if wanted == 0 {
      _ = control(EPOLL_CTL_DEL, 0, number)
    } else if !control(EPOLL_CTL_ADD, wanted, number) {
      _ = control(EPOLL_CTL_MOD, wanted, number)
    }
  }

  private func control(_ operation: Int32, _ wanted: UInt32, _ number: Int32) -> Bool {
    var event = epoll_event(events: wanted, data: epoll_data_t(fd: number))
    return epoll_ctl(descriptors.set, operation, number, &event) == 0
  }
}

// MARK: - Callbacks

extension SocketWatch {
  private static let onSocket: ccurl_socket_function = { _, socket, wanted, context, _ in
    guard let context else { return 0 }
    var events: UInt32 = 0
    if wanted == CURL_POLL_IN || wanted == CURL_POLL_INOUT { events |= input }
    if wanted == CURL_POLL_OUT || wanted == CURL_POLL_INOUT { events |= output }
    Unmanaged<SocketWatch>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.want(events, of: socket) }
    return 0
  }

  private static let onTimer: ccurl_timer_function = { _, milliseconds, context in
    guard let context else { return 0 }
    Unmanaged<SocketWatch>.fromOpaque(context)._withUnsafeGuaranteedRef {
      $0.deadline = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
    }
    return 0
  }

  private static let onOpen: ccurl_open_socket_function = { context, _, address in
    guard let context, let address else { return -1 }
    let wanted = address.pointee
    let number = socket(wanted.family, wanted.socktype | Int32(SOCK_CLOEXEC.rawValue), wanted.protocol)
    if number >= 0 {
      Unmanaged<SocketWatch>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.opened(number) }
    }
    return number
  }

  private static let onClose: ccurl_close_socket_function = { context, number in
    guard let context else { return 0 }
    Unmanaged<SocketWatch>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.closed(number) }
    return close(number)
  }
}
