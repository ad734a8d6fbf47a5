// Which files to fetch ahead of a thread that reads a tree file by file: a value without clock or I/O.
//
// The sign is that it reads files in the order in which the mount lists them, as `cp -r`, `tar` and `grep -r` do. A thread
// that leaves the trail loses what was fetched for it, and has to follow a new one twice as long before it is helped again.

import ObjectStore

/// The trail of one thread.
struct ReadTrail {
  /// Files read one after the other before the first is fetched ahead.
  private static let firstRun = 2
  /// The longest run that is asked for after wrong guesses.
  private static let longestRun = 64
  /// Most files fetched ahead.
  static let mostFiles = 32
  /// Most bytes fetched ahead.
  static let mostBytes: Int64 = 24 << 20
  /// How far apart the numbers of neighbours in the listing may be: directories have numbers, too.
  private static let neighbourhood: UInt64 = 64

  /// What to do for a read.
  struct Plan {
    /// Files to begin with, in the order in which they will be read.
    var begun: [TreeCursor.File] = []
    /// Files that will not be read as expected.
    var dropped: [InodeNumber] = []
  }

  private var last: InodeNumber?
  private var run = 0
  private var neededRun = Self.firstRun
  private var cursor: TreeCursor?
  private var width = 0
  private var ahead: [(inode: InodeNumber, bytes: Int64)] = []

  /// Whether files are fetched ahead.
  var isFollowed: Bool { cursor != nil }

  /// Takes note that the thread begins to read a file.
  /// - Parameter waitsAt: tells of a directory whether what lies in it is still to be listed: nothing in it, nor behind it, is
  ///   begun with then.
  mutating func reads(
    _ inode: InodeNumber, in tree: Tree, waitsAt: (InodeNumber) -> Bool = { _ in false }
  ) -> Plan {
    guard inode != last else { return Plan() }
    var plan = Plan()
    if cursor != nil {
      if let place = ahead.firstIndex(where: { $0.inode == inode }) {
        plan.dropped = ahead[..<place].map(\.inode)
        ahead.removeFirst(place + 1)
        width = min(2 * width, Self.mostFiles)
        last = inode
        fill(&plan, tree, waitsAt)
        return plan
      }
      plan.dropped = leave()
      if !plan.dropped.isEmpty { neededRun = min(2 * neededRun, Self.longestRun) }
    }
    let isNeighbour = last.map { inode > $0 && inode - $0 <= Self.neighbourhood } ?? false
    run = isNeighbour ? run + 1 : 0
    last = inode
    guard run >= neededRun else { return plan }
    cursor = TreeCursor(behind: inode, in: tree)
    width = Self.firstRun
    fill(&plan, tree, waitsAt)
    return plan
  }

  /// Leaves the trail.
  /// - Returns: files that were to be read next.
  mutating func leave() -> [InodeNumber] {
    defer {
      ahead = []
      cursor = nil
      run = 0
    }
    return ahead.map(\.inode)
  }

  private mutating func fill(_ plan: inout Plan, _ tree: Tree, _ waitsAt: (InodeNumber) -> Bool) {
    var bytes = ahead.reduce(0) { $0 + $1.bytes }
    while ahead.count < width, bytes < Self.mostBytes, let file = cursor?.next(in: tree, waitsAt: waitsAt) {
      // A large file is fetched by its own reader's window; only its beginning is ahead.
      let amount = min(file.object.size, ReadWindow.wholeLimit)
      ahead.append((file.inode, amount))
      bytes += amount
      plan.begun.append(file)
    }
  }
}
