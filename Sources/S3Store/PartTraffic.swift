// Which uploads may still get parts although nobody waits for them: those of which a part's request ended without an
// answer. The service may have taken that part whole and write it down after it has been told to drop the upload (S3 API
// reference, AbortMultipartUpload: "if any part uploads are currently in progress, those part uploads might or might not
// succeed").
//
// Invariant: an upload whose parts were all answered is not kept here, so memory does not grow with the work done.

import Synchronization

/// The parts under way, by upload.
final class PartTraffic: Sendable {
  private struct Entry {
    var underWay = 0
    /// A request ended without an answer.
    var hasLoss = false
  }

  private let entries = Mutex<[String: Entry]>([:])

  /// A part's request begins.
  func begin(_ upload: String) {
    entries.withLock { $0[upload, default: Entry()].underWay += 1 }
  }

  /// A part's request has ended, with an answer of the service or without.
  func end(_ upload: String, wasAnswered: Bool) {
    entries.withLock { entries in
      guard var entry = entries[upload] else { return }
      entry.underWay -= 1
      if !wasAnswered { entry.hasLoss = true }
      entries[upload] = entry.underWay > 0 || entry.hasLoss ? entry : nil
    }
  }

  /// Whether a part may arrive at the service from now on.
  func isOpen(_ upload: String) -> Bool { entries.withLock { $0[upload] != nil } }

  /// The upload is over.
  func forget(_ upload: String) {
    entries.withLock { entries in
      guard var entry = entries[upload] else { return }
      entry.hasLoss = false
      entries[upload] = entry.underWay > 0 ? entry : nil
    }
  }
}
