// Counts of what was asked of a store: values, their names and units, and the place where they are kept.

import Synchronization

/// What is counted for each operation. The raw value is the metric's name, the unit being its last word.
public enum StoreMetric: String, Sendable, Hashable, CaseIterable {
  /// Calls that have ended, well or not.
  case requests = "store_requests_total"
  /// Calls that failed; by error code.
  case failures = "store_failures_total"
  /// Bytes of bodies received.
  case received = "store_received_bytes"
  /// Bytes of bodies sent, those of failed calls included.
  case sent = "store_sent_bytes"
  /// Calls under way now.
  case inFlight = "store_in_flight_requests"
  /// Time that ended calls took, all added up.
  case duration = "store_duration_seconds"

  /// The unit of the values.
  public var unit: String {
    switch self {
    case .requests, .failures, .inFlight: "requests"
    case .received, .sent: "bytes"
    case .duration: "seconds"
    }
  }
}

/// The counts of one operation.
public struct OperationMetrics: Sendable, Hashable {
  /// Calls that have ended.
  public var requests = 0
  /// Those of them that failed, by what happened. What is no `StoreError` is not in here.
  public var failures: [StoreError.Code: Int] = [:]
  /// Bytes of bodies received.
  public var received: Int64 = 0
  /// Bytes of bodies sent.
  public var sent: Int64 = 0
  /// Calls under way.
  public var inFlight = 0
  /// Seconds that ended calls took, all added up.
  public var seconds = 0.0

  /// Makes counts of nothing.
  public init() {}

  /// The value of a metric; failures of all codes together.
  public func value(of metric: StoreMetric) -> Double {
    switch metric {
    case .requests: Double(requests)
    case .failures: Double(failures.values.reduce(0, +))
    case .received: Double(received)
    case .sent: Double(sent)
    case .inFlight: Double(inFlight)
    case .duration: seconds
    }
  }
}

/// The counts of one or more stores, shared by everybody who counts and everybody who looks.
public final class StoreMetrics: Sendable {
  private let operations = Mutex<[StoreOperation: OperationMetrics]>([:])

  /// Makes counts of nothing.
  public init() {}

  /// The counts at this moment. Operations that were never called are absent.
  public var snapshot: [StoreOperation: OperationMetrics] { operations.withLock { $0 } }

  /// How often the store has asked for fewer requests; each try counts, also those that a retry has made good.
  public var throttles: Int {
    operations.withLock { $0.values.reduce(0) { $0 + ($1.failures[.throttled] ?? 0) } }
  }

  /// Takes note that a call begins.
  func began(_ operation: StoreOperation, sending bytes: Int) {
    operations.withLock { operations in
      operations[operation, default: OperationMetrics()].inFlight += 1
      operations[operation, default: OperationMetrics()].sent += Int64(bytes)
    }
  }

  /// Takes note of bytes that a call under way goes on to send.
  func sent(_ operation: StoreOperation, bytes: Int) {
    operations.withLock { $0[operation, default: OperationMetrics()].sent += Int64(bytes) }
  }

  /// Takes note that a call has ended.
  func ended(_ operation: StoreOperation, receiving bytes: Int, seconds: Double, failure: (any Error)?) {
    operations.withLock { operations in
      var counts = operations[operation, default: OperationMetrics()]
      counts.inFlight -= 1
      counts.requests += 1
      counts.received += Int64(bytes)
      counts.seconds += seconds
      if let failure = failure as? StoreError { counts.failures[failure.code, default: 0] += 1 }
      operations[operation] = counts
    }
  }
}
