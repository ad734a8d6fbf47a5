// The calls that a server has to be able to answer, counted for the whole process.
//
// A process that ends in the middle of one brings Milvus 2.3.5 down; see MilvusClient+Import.swift. Nothing helps against
// SIGKILL, but who ends by itself says `endAll` and looks at `isIdle` for a moment first.

internal import Synchronization

/// Counts calls whose caller must not go away before their answer.
public final class CallsToFinish: Sendable {
  /// Those of this process.
  public static let ofProcess = CallsToFinish()

  private struct State {
    var underWay = 0
    var isClosed = false
  }
  private let state = Mutex(State())

  init() {}

  /// Whether no such call waits for its answer.
  public var isIdle: Bool { state.withLock { $0.underWay == 0 } }

  /// Has all later ones refused; those under way go on. For a process that is about to end: there is no way back.
  public func endAll() {
    state.withLock { $0.isClosed = true }
  }

  /// Counts a call that is about to be sent; false after `endAll`: then it must not be.
  func begin() -> Bool {
    state.withLock {
      guard !$0.isClosed else { return false }
      $0.underWay += 1
      return true
    }
  }

  /// Each `begin` that was true is followed by one.
  func end() {
    state.withLock { $0.underWay -= 1 }
  }
}
