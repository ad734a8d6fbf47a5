// What a service turned out not to know, so that it is asked only once.
//
// Invariant: nothing is believed missing because of one refusal alone: the same call without it must have been accepted.
// A refusal that says that the bytes were damaged is never taken for a lack of checksums.

import ObjectStore
import Synchronization

/// What one service can do, as far as its answers have shown.
final class S3Abilities: Sendable {
  private struct State {
    var takesChecksums: Bool
    var deletesBatches = true
    var tagsPartsByMD5: Bool?
  }

  private let state: Mutex<State>

  init(takesChecksums: Bool) { state = Mutex(State(takesChecksums: takesChecksums)) }

  /// Whether uploads bring a CRC32C and downloads ask for one.
  var takesChecksums: Bool { state.withLock { $0.takesChecksums } }

  /// Whether DeleteObjects is known.
  var deletesBatches: Bool { state.withLock { $0.deletesBatches } }

  /// Whether the ETag of a part is the part's MD5; nil as long as nothing has shown it.
  var tagsPartsByMD5: Bool? {
    get { state.withLock { $0.tagsPartsByMD5 } }
    set { state.withLock { $0.tagsPartsByMD5 = newValue } }
  }

  /// The service accepted without a checksum what it had refused with one.
  func lacksChecksums() { state.withLock { $0.takesChecksums = false } }

  /// The service does not know DeleteObjects.
  func lacksBatches() { state.withLock { $0.deletesBatches = false } }
}

extension S3Store {
  /// The same for calls that are sent in the usual way.
  func answer(_ make: (_ withChecksums: Bool) -> S3Call) async throws(StoreError) -> (Answer, withChecksums: Bool) {
    try await answer(make) { call throws(StoreError) in try await self.answer(to: call) }
  }

  /// Carries out a call that comes with or without checksums: with, unless the service is known to refuse them; without
  /// when it refuses the call in a way that can be due to them.
  /// - Parameter make: makes the call; true with checksums.
  /// - Returns: the answer, and whether the call that was answered came with checksums.
  func answer(
    _ make: (_ withChecksums: Bool) -> S3Call, send: (S3Call) async throws(StoreError) -> Answer
  ) async throws(StoreError) -> (Answer, withChecksums: Bool) {
    guard abilities.takesChecksums else { return (try await send(make(false)), false) }
    let first = try await send(make(true))
    guard case .refusal(let refusal) = first, refusal.mayBeAboutChecksums else { return (first, true) }
    let second = try await send(make(false))
    guard case .success = second else { return (first, true) }
    abilities.lacksChecksums()
    return (second, false)
  }
}

extension S3Refusal {
  /// Whether a service that does not know checksum headers may answer so. Not when it found the body damaged.
  var mayBeAboutChecksums: Bool {
    switch code {
    case "NotImplemented", "InvalidRequest", "InvalidArgument", "MalformedXML", "UnsupportedHeader",
      "UnsupportedArgument", "UnsupportedParameter":
      true
    default: status == 501
    }
  }
}
