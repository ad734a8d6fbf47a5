// Files that are fetched before they are opened, for threads that read a tree file by file.
//
// Invariants: a session is handed to the thread it was begun for, or closed: when the thread leaves its trail, when the file
// has another version by then, or when the thread has read nothing for `patience`. What is ahead leaves a quarter of the
// read budget to files that are open.

import ObjectStore
import Synchronization

/// All trails, and the sessions begun for them.
final class ReadAhead: Sendable {
  /// Threads remembered; the one unused for longest is forgotten first.
  private static let capacity = 32
  /// How long what is ahead waits for its reader.
  private static let patience = Duration.seconds(2)

  private struct Follower {
    var trail = ReadTrail()
    var sessions: [InodeNumber: ReadSession] = [:]
    var lastRead = ContinuousClock.now
  }

  private struct State {
    var followers: [Int32: Follower] = [:]
    var isSweeping = false
  }

  private let state = Mutex(State())

  /// Takes note that a thread begins to read a file.
  /// - Parameters:
  ///   - tree: as it is now; nothing waits here.
  ///   - waitsAt: tells of a directory whether what lies in it is still to be listed.
  ///   - session: makes a session for a file.
  /// - Returns: sessions to begin with, in order.
  func reads(
    _ inode: InodeNumber, by thread: Int32, in tree: Tree, waitsAt: (InodeNumber) -> Bool,
    session: (TreeCursor.File) -> ReadSession?
  ) -> [ReadSession] {
    guard thread > 0 else { return [] }
    let (begun, gone) = state.withLock { state -> ([ReadSession], [ReadSession]) in
      var gone: [ReadSession] = []
      if state.followers[thread] == nil, state.followers.count >= Self.capacity,
        let oldest = state.followers.min(by: { $0.value.lastRead < $1.value.lastRead })
      {
        gone += oldest.value.sessions.values
        state.followers[oldest.key] = nil
      }
      var follower = state.followers[thread] ?? Follower()
      follower.lastRead = .now
      let plan = follower.trail.reads(inode, in: tree, waitsAt: waitsAt)
      gone += plan.dropped.compactMap { follower.sessions.removeValue(forKey: $0) }
      var begun: [ReadSession] = []
      for file in plan.begun {
        guard let session = session(file) else { continue }
        follower.sessions[file.inode] = session
        begun.append(session)
      }
      state.followers[thread] = follower
      return (begun, gone)
    }
    for session in gone { session.close() }
    if !begun.isEmpty { sweepWhileNeeded() }
    return begun
  }

  /// Whether a thread follows a trail, and has begun to read a file not longer ago than this.
  func isFollowing(_ thread: Int32, within time: Duration) -> Bool {
    state.withLock { state in
      guard let follower = state.followers[thread] else { return false }
      return follower.trail.isFollowed && ContinuousClock.now - follower.lastRead < time
    }
  }

  /// The session that was begun for a thread's next file; nil if there is none of this version.
  func take(_ inode: InodeNumber, version: ETag, by thread: Int32) -> ReadSession? {
    guard let session = state.withLock({ $0.followers[thread]?.sessions.removeValue(forKey: inode) }) else {
      return nil
    }
    guard session.object.etag == version else {
      session.close()
      return nil
    }
    return session
  }

  /// Closes what nobody came for, until nothing is ahead any more.
  private func sweepWhileNeeded() {
    let mustStart = state.withLock { state in
      defer { state.isSweeping = true }
      return !state.isSweeping
    }
    guard mustStart else { return }
    Task { [weak self] in
      while let self, self.sweep() { try? await Task.sleep(for: .milliseconds(500)) }
    }
  }

  /// Closes what waited too long.
  /// - Returns: whether there is more to come.
  private func sweep() -> Bool {
    let now = ContinuousClock.now
    let (gone, isNeeded) = state.withLock { state -> ([ReadSession], Bool) in
      var gone: [ReadSession] = []
      for (thread, follower) in state.followers where now - follower.lastRead > Self.patience {
        gone += follower.sessions.values
        state.followers[thread] = nil
      }
      state.isSweeping = state.followers.contains { !$0.value.sessions.isEmpty }
      return (gone, state.isSweeping)
    }
    for session in gone { session.close() }
    return isNeeded
  }
}
