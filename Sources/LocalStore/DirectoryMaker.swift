// Makes directories on the way to an object, durably.
//
// Invariant: when `open` returns, every directory that this process made on the way is durable. A directory is visible
// before it is: whoever meets one whose maker has not come so far makes it durable, too, instead of relying on that.

import Glibc
import Synchronization

/// Makes and removes the directories of one store.
final class DirectoryMaker: Sendable {
  /// Paths of directories that are being made, each with how many are at it.
  private let unfinished = Mutex<[String: Int]>([:])

  /// Opens the directory of a path, making what is missing.
  /// - Throws: `ENOENT` when somebody removed one of them at the same time: try again.
  func open(_ directories: [String], in root: Descriptor) throws(SystemFailure) -> Descriptor {
    let prefixes = directories.indices.map { directories[...$0].joined(separator: "/") }
    do throws(SystemFailure) {
      let directory = try root.openDirectory(prefixes.last ?? "")
      let doubtful = unfinished.withLock { unfinished in
        unfinished.isEmpty ? [] : prefixes.indices.filter { unfinished[prefixes[$0]] != nil }
      }
      for index in doubtful { try root.openDirectory(index == 0 ? "" : prefixes[index - 1]).sync() }
      return directory
    } catch  where error.number == ENOENT {
      return try make(directories, prefixes, in: root)
    }
  }

  private func make(
    _ directories: [String], _ prefixes: [String], in root: Descriptor
  ) throws(SystemFailure) -> Descriptor {
    var parent = try root.openDirectory("")
    for (name, prefix) in zip(directories, prefixes) {
      unfinished.withLock { $0[prefix, default: 0] += 1 }
      defer {
        unfinished.withLock { unfinished in
          let count = unfinished[prefix, default: 1] - 1
          unfinished[prefix] = count > 0 ? count : nil
        }
      }
      do throws(SystemFailure) {
        try parent.makeDirectory(name)
        try parent.sync()
      } catch  where error.number == EEXIST {
        // Somebody made it, perhaps at this moment.
        if unfinished.withLock({ $0[prefix, default: 1] > 1 }) { try parent.sync() }
      }
      parent = try parent.openDirectory(name)
    }
    return parent
  }

  /// Removes directories that have become empty, from the innermost outwards. What is in use stays.
  func prune(_ directories: [String], in root: Descriptor) {
    var rest = directories
    while let name = rest.popLast() {
      guard let parent = try? root.openDirectory(rest.joined(separator: "/")),
        (try? parent.removeDirectory(name)) != nil
      else { return }
    }
  }
}
