// A second port on which scripts read what the proxy did and change what it does: JSON over HTTP/1.1, one request a
// connection.
//
//   GET /rules      the rules in force          GET /events     the faults applied so far
//   PUT /rules      new rules                   DELETE /events  forget them
//   GET /counters   counts since the beginning

import FoundationEssentials
import Synchronization

/// Controls a proxy over HTTP.
public final class ControlServer: Sendable {
  /// The port on which it listens.
  public let port: Int

  private let listener: Socket
  private let core: ProxyCore
  private let acceptor: Mutex<WorkerThread?>

  /// Starts it. Bound to the life of neither: stop both.
  /// - Throws: `FaultProxyError` when the address cannot be listened at.
  public init(of proxy: FaultProxy, at listening: SocketAddress) throws(FaultProxyError) {
    listener = try Socket.listening(at: listening)
    port = listener.port
    core = ProxyCore(target: listening, script: FaultScript(rules: []))
    acceptor = Mutex(nil)
    let (listener, core) = (listener, core)
    let thread = try WorkerThread {
      core.acceptConnections(of: listener) { Self.serve(ClientConnection($0, core: core), proxy) }
    }
    acceptor.withLock { $0 = thread }
  }

  deinit { stop() }

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

  private static func serve(_ connection: ClientConnection, _ proxy: FaultProxy) {
    guard let (head, body) = connection.readMessage() else { return }
    let answer: (status: String, body: [UInt8])
    do {
      answer = try Self.answer("\(head.method) \(head.target)", body, proxy)
    } catch {
      answer = ("400 Bad Request", Array("\(error)\n".utf8))
    }
    let lines = ["HTTP/1.1 \(answer.status)", "Content-Length: \(answer.body.count)", "Connection: close", "", ""]
    _ = connection.send(Array(lines.joined(separator: "\r\n").utf8) + answer.body)
    connection.linger()
  }

  private static func answer(
    _ request: String, _ body: [UInt8], _ proxy: FaultProxy
  ) throws -> (status: String, body: [UInt8]) {
    func json(_ value: some Encodable) throws -> (String, [UInt8]) {
      ("200 OK", Array(try JSONEncoder().encode(value)) + [10])
    }
    switch request {
    case "GET /rules": return try json(proxy.rules)
    case "PUT /rules":
      proxy.setRules(try FaultRule.list(fromJSON: body))
      return try json(proxy.rules)
    case "GET /events": return try json(proxy.events)
    case "DELETE /events":
      proxy.clearEvents()
      return ("204 No Content", [])
    case "GET /counters": return try json(proxy.counters)
    default: return ("404 Not Found", Array("There is no \(request).\n".utf8))
    }
  }
}

extension FaultRule {
  /// Reads a list of rules.
  /// - Throws: `FaultProxyError` that names the place of the mistake.
  public static func list(fromJSON bytes: [UInt8]) throws(FaultProxyError) -> [FaultRule] {
    do {
      return try JSONDecoder().decode([FaultRule].self, from: Data(bytes))
    } catch {
      throw FaultProxyError("the rules are not what they should be: \(error)")
    }
  }
}
