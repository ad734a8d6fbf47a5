// The one error of this module: why a job was refused or failed, in sentences for the one who has to act on it.
//
// Invariants: the message names the object, the operation, the cause and, where there is one, the remedy; the place
// (bucket and endpoint, or Milvus' host and port) is never lost on the way up; no secret is ever in it.

import MilvusClient
import ObjectStore

/// Why a backup or a restore was refused, failed or was cancelled.
public struct EngineError: Error, Sendable, CustomStringConvertible {
  /// What kind of failure it is. An open set: compare with the constants, and keep a default branch.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    /// Stable word for logs and tests.
    public let description: String
    init(_ description: String) { self.description = description }

    /// The request cannot be carried out by anyone: a bad name, options that exclude each other, two equal targets.
    public static let invalidRequest = Code("invalidRequest")
    /// The backup, a collection of it, or a collection in Milvus does not exist.
    public static let notFound = Code("notFound")
    /// A backup of that name, or a target collection, exists.
    public static let alreadyExists = Code("alreadyExists")
    /// The backup is not complete: no metadata, or objects that the metadata promises are missing.
    public static let incomplete = Code("incomplete")
    /// The backup contradicts itself, or holds what does not belong to it.
    public static let corrupted = Code("corrupted")
    /// Another job works on the same backup or the same target collection.
    public static let busy = Code("busy")
    /// Object store or Milvus refused the credentials or the right.
    public static let accessDenied = Code("accessDenied")
    /// No connection to the object store or to Milvus.
    public static let unreachable = Code("unreachable")
    /// Something that was waited for did not happen in time.
    public static let timedOut = Code("timedOut")
    /// The object store is full, or a quota is used up.
    public static let noSpace = Code("noSpace")
    /// This server, or this program, cannot do it.
    public static let unsupported = Code("unsupported")
    /// Milvus failed, or refused for another reason.
    public static let milvus = Code("milvus")
    /// The object store failed for another reason.
    public static let store = Code("store")
    /// Milvus brought back fewer or other rows than the backup holds.
    public static let rowsMissing = Code("rowsMissing")
    /// The data kept changing while it was being read.
    public static let changed = Code("changed")
    /// The job was cancelled.
    public static let cancelled = Code("cancelled")
  }

  /// The kind of failure.
  public var code: Code
  /// What was being done, to which object, and why it failed; whole sentences.
  public var message: String
  /// What the job undid, what it left behind, and what to do about it; whole sentences, empty if nothing was touched.
  public var aftermath: String
  /// The failure of the object store or of Milvus below it (`StoreError`, `MilvusError`), if there is one.
  public var cause: (any Error)?

  /// Makes an error.
  public init(_ code: Code, _ message: String, aftermath: String = "", cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.aftermath = aftermath
    self.cause = cause
  }

  /// The message, then what was left behind.
  public var description: String {
    aftermath.isEmpty ? message : "\(message) \(aftermath)"
  }

  /// The same error with something more to say about what was left behind.
  func adding(aftermath more: String) -> EngineError {
    guard !more.isEmpty else { return self }
    var copy = self
    copy.aftermath = aftermath.isEmpty ? more : "\(aftermath) \(more)"
    return copy
  }
}
