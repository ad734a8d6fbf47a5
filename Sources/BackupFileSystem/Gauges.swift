// What is open and held at the moment: the figures of `.milvus-backupfs/stats`. All but the last two are back at zero when
// nobody uses the mount.

import ObjectStore
import Synchronization

/// Counts of what the file system holds. It has a lock of its own, so that figures can be read while the tree is locked.
final class Gauges: Sendable {
  /// The figures at one moment.
  struct Values {
    /// Files open for reading.
    var readers = 0
    /// Files open for writing.
    var writers = 0
    /// Directories open.
    var directories = 0
    /// Control files open.
    var controls = 0
    /// Multipart uploads neither completed nor aborted.
    var uploads = 0
    /// Tells the requests of programs that wait for a store.
    var requests: @Sendable () -> Int = { 0 }
    /// Names known.
    var inodes = 0
    /// Objects that no path can carry, by the listing that showed them.
    var hidden: [InodeNumber: Int] = [:]
  }

  private let values = Mutex(Values())

  /// The figures now.
  var now: Values { values.withLock { $0 } }

  /// Changes figures.
  func update(_ change: (inout Values) -> Void) { values.withLock { change(&$0) } }
}

extension Gauges.Values {
  /// Counts something that was opened (+1) or closed (-1).
  mutating func count(_ handle: BackupFileSystem.Handle, _ change: Int) {
    switch handle {
    case .reader: readers += change
    case .writer: writers += change
    case .directory: directories += change
    case .control: controls += change
    }
  }
}

extension BackupFileSystem {
  /// Says where the number of requests under way is to be had; only the server that takes them knows it.
  public func countRequests(by count: @escaping @Sendable () -> Int) { gauges.update { $0.requests = count } }

  /// The figures as lines of `name value`, each ended by a newline.
  func statisticsText() -> String {
    let values = gauges.now
    let lines: [(String, Int)] = [
      ("open_files_reading", values.readers), ("open_files_writing", values.writers),
      ("open_directories", values.directories), ("open_control_files", values.controls),
      ("uploads", values.uploads), ("requests", values.requests()),
      ("read_buffer_bytes", readBudget.used), ("read_buffer_limit_bytes", readBudget.capacity),
      ("write_memory_bytes", memoryBudget.used), ("write_memory_limit_bytes", memoryBudget.capacity),
      ("transfer_buffer_bytes", transferBudget.used), ("transfer_buffer_limit_bytes", transferBudget.capacity),
      ("write_behind_files", behind?.counts.pending ?? 0), ("write_behind_failures", behind?.counts.failures ?? 0),
      ("inodes", values.inodes), ("hidden_objects", values.hidden.values.reduce(0, +)),
    ]
    return lines.map { "\($0.0) \($0.1)\n" }.joined() + controls.text(of: .stats)
  }
}
