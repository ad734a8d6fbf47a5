// The face of the proxy: listens, hands each connection to a thread of its own, and lets rules be changed meanwhile.
//
// Why threads and plain sockets: each fault is a matter of single system calls (a reset instead of a close, a byte less
// than announced), and a thread that waits in `poll` can stall a connection without holding up any other.
//
// Invariants: after `stop()` no thread of the proxy runs and no descriptor is open.

import Glibc
import Synchronization

/// An HTTP/1.1 proxy in front of one S3 service that forwards byte for byte, and fails where a script says so.
///
/// Clients speak to it as to the service itself, in path style; the Host header goes on as they sent it, since it is
/// signed. Each client's connection has one to the service, and the two end together.
public final class FaultProxy: Sendable {
  /// The port on which it listens.
  public let port: Int

  private let listener: Socket
  private let core: ProxyCore
  private let acceptor: Mutex<WorkerThread?>

  /// Starts a proxy.
  /// - Parameters:
  ///   - target: the service.
  ///   - listening: where; nil for any free port of 127.0.0.1.
  /// - Throws: `FaultProxyError` when the address cannot be listened at.
  public init(
    to target: SocketAddress, at listening: SocketAddress? = nil, rules: [FaultRule] = [], seed: UInt64 = 1
  ) throws(FaultProxyError) {
    let address = if let listening { listening } else { try SocketAddress(host: "127.0.0.1", port: 0) }
    listener = try Socket.listening(at: address)
    port = listener.port
    core = ProxyCore(target: target, script: FaultScript(rules: rules, seed: seed))
    acceptor = Mutex(nil)
    let (listener, core) = (listener, core)
    let thread = try WorkerThread { core.acceptConnections(of: listener) { ClientConnection($0, core: core).run() } }
    acceptor.withLock { $0 = thread }
  }

  deinit { stop() }

  /// The rules in force.
  public var rules: [FaultRule] { core.script.withLock { $0.rules } }

  /// Replaces all rules; counting begins anew. Requests under way are finished under the old ones.
  public func setRules(_ rules: [FaultRule], seed: UInt64 = 1) {
    core.script.withLock { $0 = FaultScript(rules: rules, seed: seed) }
  }

  /// The faults applied so far, the latest 100,000.
  public var events: [FaultEvent] { core.log.events }

  /// Forgets the events, not the counters.
  public func clearEvents() { core.log.clear() }

  /// Counts since the beginning.
  public var counters: FaultCounters { core.log.counters }

  /// Breaks all connections and waits until every thread has ended. Idempotent.
  public func stop() {
    core.interrupt()
    listener.interrupt()
    let thread = acceptor.withLock { thread in
      defer { thread = nil }
      return thread
    }
    thread?.join()
    core.waitForConnections()
    listener.close()
  }
}

/// What all connections of a listener share.
final class ProxyCore: Sendable {
  private struct Connections {
    var isStopping = false
    var sockets: [ObjectIdentifier: Socket] = [:]
    var threads = 0
  }

  let target: SocketAddress
  let script: Mutex<FaultScript>
  let log = FaultLog()
  private let connections = Mutex(Connections())

  init(target: SocketAddress, script: FaultScript) {
    self.target = target
    self.script = Mutex(script)
  }

  /// Serves connections, each on a thread of its own, until the listener is interrupted.
  func acceptConnections(of listener: Socket, serve: @escaping @Sendable (Socket) -> Void) {
    while !isStopping {
      _ = Socket.wait(for: [(listener, .readable)], seconds: nil)
      while let socket = listener.accept() {
        guard register(socket) else { return }
        connections.withLock { $0.threads += 1 }
        log.count { counters in
          counters.connections += 1
          counters.open += 1
        }
        let end: @Sendable () -> Void = { [self] in
          release(socket)
          socket.close()
          log.count { $0.open -= 1 }
          connections.withLock { $0.threads -= 1 }
        }
        do throws(FaultProxyError) {
          try WorkerThread {
            serve(socket)
            end()
          }.detach()
        } catch {
          end()
        }
      }
    }
  }

  private var isStopping: Bool { connections.withLock { $0.isStopping } }

  /// Makes a socket end with the proxy. False when that has stopped already.
  func register(_ socket: Socket) -> Bool {
    connections.withLock { connections in
      guard !connections.isStopping else { return false }
      connections.sockets[ObjectIdentifier(socket)] = socket
      return true
    }
  }

  func release(_ socket: Socket) {
    connections.withLock { _ = $0.sockets.removeValue(forKey: ObjectIdentifier(socket)) }
  }

  /// Ends every wait of every connection.
  func interrupt() {
    let sockets = connections.withLock { connections in
      connections.isStopping = true
      return Array(connections.sockets.values)
    }
    for socket in sockets { socket.interrupt() }
  }

  func waitForConnections() {
    while connections.withLock({ $0.threads }) > 0 { usleep(1000) }
  }
}
