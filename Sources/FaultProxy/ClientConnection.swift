// One client's connection: reads requests, asks the script, and carries out what it says. What passes between client
// and store is in `Exchange`.
//
// Invariants: belongs to one thread. The connection to the store is made with the first request that goes there, and
// ends with the client's: a client sees an idle connection closed exactly when the store closes it.

import Glibc
import Synchronization

final class ClientConnection {
  /// Longest wait for the store to accept a connection, in seconds.
  static let connectPatience: Double = 10
  /// Longest wait for a client to take note of an orderly close, in seconds.
  private static let lingerPatience: Double = 2

  let client: Socket
  let core: ProxyCore
  /// What the client has sent.
  let fromClient = ByteWindow()
  /// What the store has sent.
  let fromStore = ByteWindow()
  private(set) var store: Socket?

  init(_ client: Socket, core: ProxyCore) {
    self.client = client
    self.core = core
  }

  /// Serves requests until one side is done.
  func run() {
    defer { closeStore(resetting: false) }
    while let head = readHead() {
      let request = S3Request(head)
      let number = core.log.note(request)
      let decision = core.script.withLock { $0.decide(request) }
      if decision.delay > 0, !pause(decision.delay) { return }
      let report = FaultReport(
        log: core.log, request: request, number: number, fault: decision.fault, rule: decision.rule)
      guard perform(decision.fault, head, report) else { return }
    }
  }

  /// Carries out one request. False when the connection is over.
  private func perform(_ fault: Fault?, _ head: HTTPHead, _ report: FaultReport) -> Bool {
    switch fault {
    case .refuse(let code, let status, let retryAfter, let region):
      let error = ErrorAnswer(code: code, status: status, retryAfter: retryAfter, region: region)
      // One who waits for leave to send the body gets the answer instead, and may or may not send it then.
      let closing = head.waitsForContinue
      guard closing || drainRequest(head.requestFraming) else { return false }
      report.applied()
      guard send(error.bytes(to: report.request, date: HTTPDate.now, closing: closing)) else { return false }
      if closing { linger() }
      return !closing
    case .reset:
      report.applied()
      client.reset()
      return false
    case .close:
      report.applied()
      linger()
      return false
    case .stall(let seconds):
      report.applied()
      return pause(seconds) && forward(head, nil, report)
    default:
      return forward(head, fault, report)
    }
  }

  private func forward(_ head: HTTPHead, _ fault: Fault?, _ report: FaultReport) -> Bool {
    guard let store = connectToStore() else {
      core.log.count { $0.unreachable += 1 }
      client.reset()
      return false
    }
    let exchange = Exchange(self, store: store, head: head, fault: fault, report: report)
    switch exchange.run() {
    case .goesOn: return true
    case .over:
      linger()
    case .reset:
      closeStore(resetting: true)
      client.reset()
    }
    return false
  }

  // MARK: - The client's side

  /// The next request; nil when the client or the store has closed.
  private func readHead() -> HTTPHead? {
    while true {
      if let bytes = fromClient.takeHead() { return HTTPHead(bytes) }
      guard fromClient.count < HTTPHead.limit else { return nil }
      var wanted: [(Socket, Socket.Events)] = [(client, .readable)]
      // Between answers a store has nothing to say but that it closes.
      if let store { wanted.append((store, .readable)) }
      let came = Socket.wait(for: wanted, seconds: nil)
      if came.count > 1, !came[1].isEmpty { return nil }
      if fromClient.fill(from: client) == .ended { return nil }
    }
  }

  /// Reads a request's body and throws it away. False when the client went away before its end.
  private func drainRequest(_ framing: BodyFraming) -> Bool {
    var framing = framing
    while true {
      fromClient.drop(framing.consume(UnsafeRawBufferPointer(fromClient.bytes)).count)
      if framing.isEnded { return true }
      _ = Socket.wait(for: [(client, .readable)], seconds: nil)
      if fromClient.fill(from: client) == .ended { return false }
    }
  }

  /// Waits. False when the client hung up meanwhile, or the proxy stops.
  func pause(_ seconds: Double?) -> Bool {
    Socket.wait(for: [(client, .hungUp)], seconds: seconds).allSatisfy(\.isEmpty)
  }

  /// Sends all of it to the client. False when it has gone away.
  func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      switch bytes.withUnsafeBytes({ client.send(UnsafeRawBufferPointer(rebasing: $0[sent...])) }) {
      case .bytes(let count): sent += count
      case .nothing: _ = Socket.wait(for: [(client, .writable)], seconds: nil)
      case .ended: return false
      }
    }
    return true
  }

  /// A request with its whole body, at most `HTTPHead.limit` bytes of it: for what does not go on to the store.
  func readMessage() -> (head: HTTPHead, body: [UInt8])? {
    guard let head = readHead(), head.contentLength ?? 0 <= HTTPHead.limit else { return nil }
    var framing = head.requestFraming
    var body: [UInt8] = []
    while true {
      let piece = framing.consume(UnsafeRawBufferPointer(fromClient.bytes))
      for range in piece.content { body += fromClient.bytes[range] }
      fromClient.drop(piece.count)
      if framing.isEnded { return (head, body) }
      _ = Socket.wait(for: [(client, .readable)], seconds: nil)
      guard body.count <= HTTPHead.limit, fromClient.fill(from: client) != .ended else { return nil }
    }
  }

  /// Closes in an orderly way: had the client sent more than was read, the system would send a reset, which can
  /// overtake what the client has not read yet.
  func linger() {
    client.finish()
    let begin = ContinuousClock.now
    while true {
      let left = Self.lingerPatience - (ContinuousClock.now - begin) / .seconds(1)
      guard left > 0, Socket.wait(for: [(client, .readable)], seconds: left) != [[]] else { return }
      fromClient.drop(fromClient.count)
      if fromClient.fill(from: client) == .ended { return }
    }
  }

  // MARK: - The store's side

  private func connectToStore() -> Socket? {
    if let store { return store }
    guard let store = Socket.connected(to: core.target, within: Self.connectPatience), core.register(store) else {
      return nil
    }
    self.store = store
    return store
  }

  private func closeStore(resetting: Bool) {
    guard let store else { return }
    core.release(store)
    if resetting { store.reset() } else { store.close() }
    self.store = nil
  }
}

/// What becomes of one request's fault, on its way to the log.
struct FaultReport {
  let log: FaultLog
  let request: S3Request
  let number: Int
  let fault: Fault?
  let rule: Int?

  /// Takes note right before the fault can be seen from outside, so that whoever saw it finds it in the log.
  func applied(_ isApplicable: Bool = true) {
    guard let fault, let rule else { return }
    log.note(
      FaultEvent(
        request: number, operation: request.operation, key: request.key, fault: fault, rule: rule,
        isApplicable: isApplicable))
  }
}

/// The time as HTTP writes it.
enum HTTPDate {
  static var now: String {
    var seconds = time(nil)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let day = "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900)"
    return "\(day) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
  }
}
