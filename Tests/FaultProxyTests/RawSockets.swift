// A client and a server that know nothing of the proxy's code: blocking sockets, and bytes as they come.

import Glibc
import Synchronization

/// One end of a connection. Calls block, reads for ten seconds at most.
final class RawSocket: Sendable {
  /// How reading ended.
  enum End: Equatable { case closed, reset, silent }

  let descriptor: Int32

  init(owning descriptor: Int32) {
    self.descriptor = descriptor
    setTimeout(10)
  }

  deinit { close(descriptor) }

  /// Connects to a port of 127.0.0.1.
  convenience init(port: Int) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    self.init(owning: descriptor)
    var address = loopback(port)
    let status = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else { throw RawFailure(what: "connect: \(errno)") }
  }

  func setTimeout(_ seconds: Int) {
    var time = timeval(tv_sec: seconds, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
  }

  func send(_ text: String) { send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  /// Sends without waiting until no more fits; how much went.
  func sendWhatFits(limit: Int) -> Int {
    let chunk = [UInt8](repeating: 1, count: 1 << 16)
    var sent = 0
    var misses = 0
    while sent < limit, misses < 20 {
      let count = Glibc.send(descriptor, chunk, chunk.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
      if count > 0 {
        sent += count
        misses = 0
      } else {
        misses += 1
        usleep(50_000)
      }
    }
    return sent
  }

  /// Some bytes, or how it ended.
  func receive(atMost limit: Int = 65_536) -> Result<[UInt8], RawEnd> {
    var chunk = [UInt8](repeating: 0, count: limit)
    let count = recv(descriptor, &chunk, limit, 0)
    if count > 0 { return .success(Array(chunk.prefix(count))) }
    if count == 0 { return .failure(RawEnd(end: .closed)) }
    return .failure(RawEnd(end: errno == ECONNRESET ? .reset : .silent))
  }

  /// Everything until the end, and which one it was.
  func readAll() -> (bytes: [UInt8], end: End) {
    var bytes: [UInt8] = []
    while true {
      switch receive() {
      case .success(let more): bytes += more
      case .failure(let end): return (bytes, end.end)
      }
    }
  }

  /// One message: its head as text, and as many bytes as its Content-Length says.
  func readMessage(hasBody: Bool = true) throws -> RawMessage {
    var head: [UInt8] = []
    while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) { head += try receive(atMost: 1).get() }
    var message = RawMessage(head: String(decoding: head, as: UTF8.self), body: [])
    let length = hasBody ? message.header("content-length").flatMap { Int($0) } ?? 0 : 0
    while message.body.count < length {
      message.body += try receive(atMost: min(65_536, length - message.body.count)).get()
    }
    return message
  }

  /// The next close of this end is a reset.
  func resetOnClose() {
    var hard = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
  }
}

struct RawMessage: Sendable, Equatable {
  var head: String
  var body: [UInt8]

  var text: String { String(decoding: body, as: UTF8.self) }
  var firstLine: String { String(head.split(separator: "\r\n").first ?? "") }

  func header(_ name: String) -> String? {
    for line in head.split(separator: "\r\n").dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2, parts[0].lowercased() == name {
        return String(parts[1].drop { $0 == " " })
      }
    }
    return nil
  }
}

struct RawEnd: Error, Equatable { var end: RawSocket.End }
struct RawFailure: Error { var what: String }

func loopback(_ port: Int) -> sockaddr_in {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
  address.sin_port = UInt16(port).bigEndian
  return address
}

/// A store that does what a closure says with each connection, on a thread of its own.
final class RawServer: Sendable {
  typealias Script = @Sendable (RawServer, RawSocket) -> Void

  let port: Int
  private let listener: Int32
  private let state = Mutex((connections: 0, requests: [RawMessage]()))

  /// Without a script, every request is answered with its own body, or with its target if it has none.
  init(_ script: @escaping Script = { $0.echo($1) }) throws {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = loopback(0)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = listener
    let status = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(descriptor, pointer, size) | listen(descriptor, 512) | getsockname(descriptor, pointer, &size)
      }
    }
    port = Int(UInt16(bigEndian: address.sin_port))
    guard status == 0 else { throw RawFailure(what: "listen: \(errno)") }
    onThread { [self] in
      while true {
        let accepted = accept(descriptor, nil, nil)
        guard accepted >= 0 else { break }
        var yes: Int32 = 1
        setsockopt(accepted, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        state.withLock { $0.connections += 1 }
        let connection = RawSocket(owning: accepted)
        onThread { script(self, connection) }
      }
      close(descriptor)
    }
  }

  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  var connections: Int { state.withLock { $0.connections } }
  /// All requests read by `next`.
  var requests: [RawMessage] { state.withLock { $0.requests } }

  /// Reads and notes a request; nil at the end of the connection.
  func next(_ connection: RawSocket) -> RawMessage? {
    guard let request = try? connection.readMessage() else { return nil }
    state.withLock { $0.requests.append(request) }
    return request
  }

  func echo(_ connection: RawSocket) {
    while let request = next(connection) {
      let words = request.firstLine.split(separator: " ")
      let body = request.body.isEmpty ? Array(words[1].utf8) : request.body
      let head = "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: \(body.count)\r\n\r\n"
      connection.send(Array(head.utf8) + (words[0] == "HEAD" ? [] : body))
    }
  }
}

/// Runs a blocking function on a thread of its own.
func onThread(_ body: @escaping @Sendable () -> Void) {
  final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  var thread = pthread_t()
  pthread_create(
    &thread, nil,
    { context in
      if let context { Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body() }
      return nil
    }, Unmanaged.passRetained(Box(body)).toOpaque())
  pthread_detach(thread)
}

/// Waits for something that another thread does, up to ten seconds.
func eventually(_ condition: () -> Bool) async -> Bool {
  for _ in 0..<1000 where !condition() { try? await Task.sleep(for: .milliseconds(10)) }
  return condition()
}
