import ObjectStore
import Synchronization

/// Transient failures at regular intervals. A call whose repetition finds something else than the first one, by its
/// nature, is let pass: conditions met by a lost write are what `RetryTests` are about.
final class Faults: Sendable {
  private let calls = Mutex(0)

  func pass(_ operation: StoreOperation, _ key: ObjectKey, lot: Int) throws {
    guard operation != .beginUpload else { return }
    let number = calls.withLock { calls in
      calls += 1
      return calls
    }
    guard number % 5 == lot else { return }
    throw StoreError(
      .connectionLost, operation: "\(operation)", key: key,
      location: StoreLocation(provider: "memory", endpoint: "memory", bucket: "bucket"), reason: "made up",
      isTransient: true)
  }
}
