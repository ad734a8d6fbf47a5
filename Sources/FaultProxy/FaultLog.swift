// What the proxy has done, for tests that have to know that a fault really happened.

import Synchronization

/// One fault that was applied.
public struct FaultEvent: Sendable, Hashable, Codable {
  /// Number of the request since the proxy began, from 1.
  public var request: Int
  /// S3's name of the operation.
  public var operation: String
  /// Key of the request.
  public var key: String
  /// The fault.
  public var fault: Fault
  /// Which rule ordered it.
  public var rule: Int
  /// Whether it could be done: false when the request or the answer was not one that can fail so.
  public var isApplicable: Bool
}

/// Counts since the proxy began.
public struct FaultCounters: Sendable, Hashable, Codable {
  /// Connections accepted.
  public var connections = 0
  /// Connections open at the moment.
  public var open = 0
  /// Requests read.
  public var requests = 0
  /// Requests by S3's name of the operation.
  public var operations: [String: Int] = [:]
  /// Faults applied, pauses not counted.
  public var faults = 0
  /// Requests for which the store could not be reached.
  public var unreachable = 0
}

/// Events and counters, shared by all connections.
final class FaultLog: Sendable {
  /// Older events are forgotten.
  private static let limit = 100_000

  private struct State {
    var counters = FaultCounters()
    var events: [FaultEvent] = []
  }

  private let state = Mutex(State())

  var counters: FaultCounters { state.withLock { $0.counters } }
  var events: [FaultEvent] { state.withLock { $0.events } }

  func clear() { state.withLock { $0.events = [] } }

  func count(_ change: (inout FaultCounters) -> Void) { state.withLock { change(&$0.counters) } }

  /// Numbers a request.
  func note(_ request: S3Request) -> Int {
    state.withLock { state in
      state.counters.requests += 1
      state.counters.operations[request.operation, default: 0] += 1
      return state.counters.requests
    }
  }

  func note(_ event: FaultEvent) {
    state.withLock { state in
      if event.isApplicable { state.counters.faults += 1 }
      if state.events.count >= Self.limit { state.events.removeFirst(Self.limit / 10) }
      state.events.append(event)
    }
  }
}
