// What every store must keep of the contracts of `ObjectStore`, as checks that any test target can run.
//
// Invariants: a check uses only keys below its subject's prefix, needs no clock, and says in one sentence what is broken.

import ObjectStore

/// One contract, checked on a store.
public struct ConformanceCheck: Sendable, CustomStringConvertible {
  /// What must hold, as a sentence without full stop; also what a test shows.
  public let name: String
  /// Does it; throws ``ConformanceFailure`` when it does not hold, or whatever the store throws unexpectedly.
  public let run: @Sendable (_ subject: ConformanceSubject) async throws -> Void

  /// Makes a check.
  public init(_ name: String, _ run: @escaping @Sendable (_ subject: ConformanceSubject) async throws -> Void) {
    self.name = name
    self.run = run
  }

  /// The name.
  public var description: String { name }

  /// Runs the check and removes what it left below the subject's prefix, whatever the outcome.
  public func perform(on subject: ConformanceSubject) async throws {
    do {
      try await run(subject)
    } catch {
      // The first error is the one to tell.
      try? await subject.removeEverything()
      throw error
    }
    try await subject.removeEverything()
  }
}

/// A contract that does not hold.
public struct ConformanceFailure: Error, Sendable, CustomStringConvertible {
  /// What was seen, and what should have been.
  public let description: String

  /// Makes a failure.
  public init(_ description: String) { self.description = description }
}

/// All contracts.
public enum Conformance {
  /// Every check, in the order of the protocol's calls.
  public static let all: [ConformanceCheck] =
    objects + conditions + listings + keys + copies + uploads + streamedParts + deletions + cancellations
}
