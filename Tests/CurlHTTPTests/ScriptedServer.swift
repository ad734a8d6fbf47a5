// A TCP server that does exactly what a test wants, right or wrong: raw sockets, one thread per connection.

import Glibc
import Synchronization

/// One accepted connection. Calls block.
struct ServerConnection: Sendable {
  let socket: Int32
  /// 0 for the first connection that the server accepted.
  let number: Int

  struct Request: Sendable {
    /// Request line and headers, without the empty line.
    var head: String
    var body: [UInt8]

    /// The path and query as sent.
    var target: String { String(head.split(separator: " ", maxSplits: 2)[1]) }

    /// The first value of a header.
    func header(_ name: String) -> String? {
      for line in head.split(separator: "\r\n").dropFirst() {
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, parts[0].lowercased() == name.lowercased() {
          return parts[1].trimmingPrefix { $0 == " " }.description
        }
      }
      return nil
    }
  }

  /// The next request without its body, which is left to be read; nil when the client has hung up.
  func readHead() -> Request? {
    var head: [UInt8] = []
    while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
      var byte: UInt8 = 0
      guard recv(socket, &byte, 1, 0) == 1 else { return nil }
      head.append(byte)
    }
    return Request(head: String(decoding: head.dropLast(4), as: UTF8.self), body: [])
  }

  /// The next request with its whole body; nil when the client has hung up.
  func readRequest() -> Request? {
    guard var request = readHead() else { return nil }
    let length = request.header("Content-Length").flatMap { Int($0) } ?? 0
    while request.body.count < length {
      var chunk = [UInt8](repeating: 0, count: min(65_536, length - request.body.count))
      let count = recv(socket, &chunk, chunk.count, 0)
      guard count > 0 else { return nil }
      request.body += chunk.prefix(count)
    }
    return request
  }

  /// Takes a few of the bytes that have come.
  func readSome() {
    var chunk = [UInt8](repeating: 0, count: 1024)
    _ = recv(socket, &chunk, chunk.count, 0)
  }

  /// Waits until the client has hung up, and throws away what it still sends.
  func waitForEnd() {
    var chunk = [UInt8](repeating: 0, count: 4096)
    while recv(socket, &chunk, chunk.count, 0) > 0 {}
  }

  func send(_ text: String) { send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  func answer(_ body: String, status: String = "200 OK", headers: String = "") {
    send("HTTP/1.1 \(status)\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
  }

  /// Closes so that the client sees a reset instead of an orderly end.
  func reset() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
  }
}

final class ScriptedServer: Sendable {
  struct SetupFailure: Error {}

  typealias Script = @Sendable (ServerConnection) -> Void

  let port: Int
  private let listener: Int32
  private let script: Script
  private let accepted = Mutex(0)

  /// Connections accepted so far.
  var connectionCount: Int { accepted.withLock { $0 } }

  /// Listens on a free port of 127.0.0.1; `script` runs once per connection, which is closed afterwards.
  init(_ script: @escaping Script) throws {
    self.script = script
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listenerSocket = listener
    let isListening = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(listenerSocket, pointer, size) == 0 && listen(listenerSocket, 256) == 0
          && getsockname(listenerSocket, pointer, &size) == 0
      }
    }
    port = Int(UInt16(bigEndian: address.sin_port))
    guard isListening else { throw SetupFailure() }
    runOnThread { [self] in acceptConnections() }
  }

  /// Accepts no further connections.
  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
  }

  var url: String { "http://127.0.0.1:\(port)" }

  private func acceptConnections() {
    while true {
      let socket = accept(listener, nil, nil)
      guard socket >= 0 else { break }
      var yes: Int32 = 1
      setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
      let number = accepted.withLock { count in
        defer { count += 1 }
        return count
      }
      runOnThread { [script] in
        script(ServerConnection(socket: socket, number: number))
        close(socket)
      }
    }
    close(listener)
  }
}

/// Runs a blocking function on a thread of its own.
func runOnThread(_ body: @escaping @Sendable () -> Void) {
  final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  var thread = pthread_t()
  let box = Unmanaged.passRetained(Box(body))
  pthread_create(
    &thread, nil,
    { context in
      if let context { Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body() }
      return nil
    }, box.toOpaque())
  pthread_detach(thread)
}

/// A port on which nobody listens.
func closedPort() throws -> Int {
  let server = try ScriptedServer { _ in }
  server.stop()
  return server.port
}

/// A server without script of its own: answers every request with its target as the body.
func echoServer() throws -> ScriptedServer {
  try ScriptedServer { connection in
    while let request = connection.readRequest() { connection.answer(request.target) }
  }
}

/// An event that threads and tasks wait for.
final class Gate: Sendable {
  private let isOpen = Mutex(false)

  func open() { isOpen.withLock { $0 = true } }

  /// Blocks the calling thread.
  func wait() {
    while !isOpen.withLock({ $0 }) { usleep(1000) }
  }

  /// Suspends the calling task.
  func reached() async {
    while !isOpen.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(1)) }
  }
}
