// What programs have done lately that shows a tree being copied: which directories each has made and which it has read.
//
// By thread, which the kernel tells with each request: to ask for its process would cost more than the request. `cp` has
// one thread.

/// Directories made and read, by thread: a value.
struct ProcessTraces {
  private struct Trace {
    var made: Set<InodeNumber> = []
    var read: Set<InodeNumber> = []
    /// Stores' and backups' listings between which the thread is helped to copy, once for each copy.
    var copying: [InodeNumber] = []
    var lastUse: UInt64 = 0
  }

  /// Threads remembered; the one unused for longest is forgotten first.
  private static let capacity = 32
  private var traces: [Int32: Trace] = [:]
  private var counter: UInt64 = 0

  /// A thread has made a directory.
  mutating func made(_ directory: InodeNumber, by thread: Int32) { update(thread) { $0.made.insert(directory) } }

  /// A thread has read a directory.
  mutating func read(_ directory: InodeNumber, by thread: Int32) { update(thread) { $0.read.insert(directory) } }

  /// The outermost pair of directories that a thread is copying one into the other, given the pair that a file is being
  /// copied between; nil when that is not what it does.
  func outermostPair(
    _ source: InodeNumber, _ target: InodeNumber, of thread: Int32, in tree: Tree
  ) -> (source: InodeNumber, target: InodeNumber)? {
    guard let trace = traces[thread], trace.read.contains(source), trace.made.contains(target) else { return nil }
    var pair = (source: source, target: target)
    while let one = tree.nodes[pair.source], let other = tree.nodes[pair.target], one.name == other.name,
      trace.read.contains(one.parent), trace.made.contains(other.parent)
    {
      pair = (one.parent, other.parent)
    }
    return pair
  }

  /// A thread is helped to copy between two listings from now on.
  mutating func copies(_ scopes: [InodeNumber], by thread: Int32) { update(thread) { $0.copying += scopes } }

  /// A thread's copy between two listings has ended.
  mutating func endedCopying(_ scopes: [InodeNumber], by thread: Int32) {
    for scope in scopes {
      guard let place = traces[thread]?.copying.firstIndex(of: scope) else { continue }
      traces[thread]?.copying.remove(at: place)
    }
  }

  /// Whether a thread is helped to copy from or into a listing.
  func isCopying(_ scope: InodeNumber, by thread: Int32) -> Bool {
    traces[thread]?.copying.contains(scope) ?? false
  }

  /// Whether a thread has made a directory.
  func hasMade(_ directory: InodeNumber, by thread: Int32) -> Bool {
    traces[thread]?.made.contains(directory) ?? false
  }

  /// Forgets a thread.
  mutating func forget(_ thread: Int32) { traces[thread] = nil }

  private mutating func update(_ thread: Int32, _ change: (inout Trace) -> Void) {
    counter += 1
    if traces[thread] == nil, traces.count >= Self.capacity,
      let oldest = traces.min(by: { $0.value.lastUse < $1.value.lastUse })
    {
      traces[oldest.key] = nil
    }
    change(&traces[thread, default: Trace()])
    traces[thread]?.lastUse = counter
  }
}
