// What a crash leaves behind: files that never became objects, and uploads that were being begun or removed. Uploads
// that are whole are listed by `listUploads`; whether they are abandoned is for its caller to judge.

import Glibc
import ObjectStore

extension LocalStore {
  /// Removes leftovers of crashed processes below the root.
  /// - Parameter age: seconds since something was last written to; must exceed the longest write under way, for a file
  ///   that is being written looks like one that was left.
  /// - Returns: how many files and upload directories were removed.
  /// - Throws: `StoreError`, the first of all; the rest was tried nevertheless.
  @discardableResult
  public func removeLeftovers(olderThan age: Int64) async throws -> Int {
    try await perform("removing leftovers", nil) { root, cancellation in
      var sweep = Sweep(before: Int64(time(nil)) - age, store: self, cancellation: cancellation)
      try sweep.uploads(root)
      try sweep.directory(try root.openDirectory(""), path: [], root: root)
      if let error = sweep.firstError { throw error }
      return sweep.removed
    }
  }

  private struct Sweep {
    let before: Int64
    let store: LocalStore
    let cancellation: Cancellation
    var removed = 0
    var firstError: SystemFailure?

    init(before: Int64, store: LocalStore, cancellation: Cancellation) {
      self.before = before
      self.store = store
      self.cancellation = cancellation
    }

    private func isOld(_ status: FileStatus) -> Bool { status.modified / 1_000_000_000 < before }

    mutating func uploads(_ root: Descriptor) throws {
      guard let all = try store.uploads(in: root) else { return }
      for entry in try all.entries() where entry.isDirectory {
        try cancellation.check()
        let isEnded = !UploadID.isValid(entry.name)
        guard isEnded || (try? all.openFile("\(entry.name)/key")) == nil,
          let status = try? all.status(of: entry.name), isOld(status)
        else { continue }
        do throws(SystemFailure) {
          try store.removeUploadDirectory(entry.name, in: all)
          removed += 1
        } catch {
          firstError = firstError ?? error
        }
      }
      try? root.removeDirectory(LocalStore.uploadsDirectory)
    }

    mutating func directory(_ directory: Descriptor, path: [String], root: Descriptor) throws {
      try cancellation.check()
      for entry in try directory.entries() {
        if entry.isDirectory {
          guard !entry.name.hasPrefix(LocalPath.reservedPrefix), let below = try? directory.openDirectory(entry.name)
          else { continue }
          try self.directory(below, path: path + [entry.name], root: root)
        } else if entry.name.hasPrefix(PendingFile.prefix), let status = try? directory.status(of: entry.name),
          isOld(status)
        {
          do throws(SystemFailure) {
            try directory.removeFile(entry.name)
            removed += 1
          } catch {
            firstError = firstError ?? error
          }
          store.directories.prune(path, in: root)
        }
      }
    }
  }
}

extension LocalStore: LeftoverSweeping {
  public func sweepLeftovers(olderThan age: Int64) async throws -> [String] {
    let count = try await removeLeftovers(olderThan: age)
    return count == 0 ? [] : ["\(count) unfinished files or uploads below \(location.bucket)"]
  }
}
