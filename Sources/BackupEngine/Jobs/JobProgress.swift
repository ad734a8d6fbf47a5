// How far a job is: written by the job, read by anyone at any time.
//
// Invariants: `percent` never goes back and reaches 100 only by `finish`; done never exceeds total once total is known.

import Synchronization

/// The live progress of one job.
public final class JobProgress: Sendable {
  /// One look at a job's progress.
  public struct Snapshot: Sendable, Hashable {
    /// What the job is doing, in a few words for people.
    public var phase = "starting"
    /// Bytes moved or imported so far.
    public var bytesDone: Int64 = 0
    /// Bytes to move or import; 0 until known.
    public var bytesTotal: Int64 = 0
    /// Objects moved so far.
    public var objectsDone = 0
    /// Objects to move; 0 until known.
    public var objectsTotal = 0
    /// Rows saved or restored so far.
    public var rowsDone: Int64 = 0
    /// Rows of the backup before deletes were applied; 0 until known.
    public var rowsTotal: Int64 = 0
    /// Whole percent, 0…100; 100 only when the job is done.
    public var percent = 0
    /// Things that went another way than expected without spoiling the result, oldest first.
    public var warnings: [String] = []
    /// What was found wrong, or failed while the rest went on, in the order of `report`; a job that ends with one is not
    /// wholly done.
    public var problems: [String] = []
    /// What the job was asked to tell: the plan of a dry run, line by line.
    public var lines: [String] = []
    /// Bytes a second on the average since the first ones; nil until known.
    public var bytesPerSecond: Double?
    /// Seconds until all bytes are done if it goes on like that; nil until known.
    public var secondsLeft: Double?
  }

  private struct State {
    var snapshot = Snapshot()
    var range = 0...0
    /// When the job knew what there is to do.
    var begin: ContinuousClock.Instant?
    /// Bytes that an earlier process had done.
    var credited: Int64 = 0
  }

  private let state = Mutex(State())

  /// Begins at nothing.
  public init() {}

  /// The progress at this moment.
  public var snapshot: Snapshot {
    state.withLock { state in
      var snapshot = state.snapshot
      guard let begin = state.begin, snapshot.percent < 100 else { return snapshot }
      let seconds = (ContinuousClock.now - begin) / .seconds(1)
      let done = snapshot.bytesDone - state.credited
      guard seconds > 0.5, done > 0 else { return snapshot }
      let rate = Double(done) / seconds
      snapshot.bytesPerSecond = rate
      snapshot.secondsLeft = Double(max(0, snapshot.bytesTotal - snapshot.bytesDone)) / rate
      return snapshot
    }
  }

  /// Begins a phase; while it lasts, `percent` runs through `percent` in proportion to the bytes done.
  func enter(_ phase: String, percent range: ClosedRange<Int>) {
    state.withLock { state in
      state.snapshot.phase = phase
      state.range = range
      Self.advance(&state)
    }
  }

  /// Says more about the phase without beginning another.
  func note(_ phase: String) {
    state.withLock { $0.snapshot.phase = phase }
  }

  /// Adds to what there is to do; negative amounts take back what turned out not to be needed.
  func expect(bytes: Int64 = 0, objects: Int = 0, rows: Int64 = 0) {
    state.withLock { state in
      state.snapshot.bytesTotal += bytes
      state.snapshot.objectsTotal += objects
      state.snapshot.rowsTotal += rows
      if bytes > 0, state.begin == nil { state.begin = .now }
      Self.advance(&state)
    }
  }

  /// Adds to what is done; negative amounts take back what was done in vain.
  func add(bytes: Int64 = 0, objects: Int = 0, rows: Int64 = 0) {
    state.withLock { state in
      state.snapshot.bytesDone += bytes
      state.snapshot.objectsDone += objects
      state.snapshot.rowsDone += rows
      Self.advance(&state)
    }
  }

  /// Counts as done what an earlier process did, without taking it for speed.
  func credit(bytes: Int64, objects: Int, rows: Int64) {
    state.withLock { $0.credited += bytes }
    add(bytes: bytes, objects: objects, rows: rows)
  }

  /// Keeps a warning for the report; a repeated one is kept once.
  func warn(_ text: String) {
    state.withLock { state in
      if !state.snapshot.warnings.contains(text) { state.snapshot.warnings.append(text) }
    }
  }

  /// Keeps something that is wrong for the report.
  func report(_ problem: String) {
    state.withLock { $0.snapshot.problems.append(problem) }
  }

  /// Adds a line to what the job tells.
  func tell(_ line: String) { state.withLock { $0.snapshot.lines.append(line) } }

  /// The job is done.
  func finish() {
    state.withLock { state in
      state.snapshot.phase = "done"
      state.snapshot.percent = 100
    }
  }

  private static func advance(_ state: inout State) {
    let total = state.snapshot.bytesTotal
    let share = total > 0 ? min(1, Double(max(0, state.snapshot.bytesDone)) / Double(total)) : 0
    let width = Double(state.range.upperBound - state.range.lowerBound)
    let now = state.range.lowerBound + Int(share * width)
    state.snapshot.percent = max(state.snapshot.percent, min(99, now))
  }
}
