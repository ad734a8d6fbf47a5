// A file opened for writing: collects what is written and publishes it when its writer closes it well.
//
// Invariants:
// - Nothing of the file is in the store before `publish`; then all of it is, or the old object still is.
// - A writer killed by a signal, a failed write, an unlink and a release without a finishing flush publish nothing and
//   leave no multipart upload.
// - One operation at a time (`gate`); what it changes of `state` it changes under the lock, never across a wait.
// - An error that lost bytes is sticky: every later flush reports it.

import ObjectStore
import Synchronization
import SystemPackage

/// Writes one object.
final class WriteSession: Sendable {
  /// Parts of one file on their way at the same time.
  static let partsInFlight = 4

  /// What sessions share.
  struct Environment: Sendable {
    /// How the path of a key ends, wherever it is mounted.
    var pathSuffix: @Sendable (ObjectKey) -> String
    /// For bytes on their way into stores.
    var budget: ByteBudget
    /// For files that are kept in memory while they are written.
    var memory: ByteBudget
    /// Seconds to wait for it.
    var memoryPatience: Double
    var copier: ObjectCopier
    var inspector: ProcessInspector
    var gauges: Gauges
    /// What was moved ahead for this key.
    var claim: @Sendable (ObjectKey, ObjectInfo?) throws(FileSystemError) -> AheadClaim?
    /// What was moved ahead for this key, if it is there already.
    var take: @Sendable (ObjectKey, ObjectInfo) -> ObjectInfo?
    /// Publishes a file that was closed later; nil to do it before the close returns.
    var behind: (@Sendable (WriteSession) -> Void)?
    /// Told of each object that was published, or nil when the store may hold something that is not known.
    var published: @Sendable (InodeNumber, ObjectInfo?) -> Void
  }

  struct State {
    /// Where it will be published; renaming changes it.
    var key: ObjectKey
    /// What must hold when it is published for the first time.
    var condition: WriteCondition
    var body: WriteBody
    /// Bytes of the budget of files in memory that are this one's.
    var reserved = 0
    /// Whether a byte was written since the file was opened.
    var wasWritten = false
    /// Threads that wrote since it was published last.
    var writers: Set<Int32> = []
    /// Whether a process closed the file well since the last write, though it was not the one that ends it.
    var wasClosedSinceWrite = false
    /// Whether the stream was completed: nothing can follow.
    var isComplete = false
    var upload: MultipartUpload?
    var sending: [Task<UploadedPart, any Error>] = []
    var parts: [UploadedPart] = []
    var failure: FileSystemError?
  }

  let inode: InodeNumber
  let store: any ObjectStore
  /// The thread that opened the file; 0 if unknown.
  let thread: Int32
  /// The process that opened the file; nil if unknown.
  let opener: Int32?
  let environment: Environment
  let gate = SerialGate()
  let state: Mutex<State>

  /// Opens a session.
  /// - Parameters:
  ///   - contents: what the file holds at first.
  ///   - isNew: whether closing must publish it even if nothing is written: it was created or cut to nothing.
  ///   - condition: `.absent` when the file was to be made by this open or not at all (O_EXCL).
  init(
    inode: InodeNumber, key: ObjectKey, store: any ObjectStore, thread: Int32, opener: Int32?,
    contents: [UInt8], isNew: Bool, condition: WriteCondition, environment: Environment
  ) {
    self.inode = inode
    self.store = store
    self.thread = thread
    self.opener = opener
    self.environment = environment
    var body = WriteBody(contents)
    body.isDirty = isNew
    state = Mutex(State(key: key, condition: condition, body: body))
  }

  /// Where it is, or will be, published.
  var key: ObjectKey { state.withLock { $0.key } }

  /// How its path ends, wherever it is mounted.
  var pathSuffix: String { environment.pathSuffix(key) }

  /// Bytes of the file as it stands.
  var size: Int64 { state.withLock { $0.body.size } }

  /// Whether nothing of it is left to publish, though it may not be released yet: the kernel releases a file some time
  /// after its last close has returned, and others may open it before.
  var isIdle: Bool { state.withLock { !$0.body.isDirty || $0.failure != nil } }

  /// Reads what a body in memory holds.
  func read(offset: Int64, count: Int) throws(FileSystemError) -> Answer<ArraySlice<UInt8>> {
    guard state.withLock({ $0.body.isCopy }) else { return .ready(try readBody(offset: offset, count: count)) }
    return .pending { () async throws(FileSystemError) in
      try await self.gate.inside { () async throws(FileSystemError) in try await self.materialize() }
      return try self.readBody(offset: offset, count: count)
    }
  }

  private func readBody(offset: Int64, count: Int) throws(FileSystemError) -> ArraySlice<UInt8> {
    try state.withLock { state throws(FileSystemError) in try state.body.read(offset: offset, count: count) }
  }

  /// Takes bytes of a thread; waits only when parts are sent more slowly than they are written.
  func write(
    _ bytes: UnsafeRawBufferPointer, at offset: Int64, by thread: Int32
  ) throws(FileSystemError) -> Answer<Int> {
    noteWriter(thread)
    if !state.withLock({ $0.body.isCopy }), reserve(upTo: offset + Int64(bytes.count)), gate.tryEnter() {
      let taken: Int?
      do throws(FileSystemError) {
        taken = try take(bytes, at: offset)
      } catch {
        gate.leave()
        throw error
      }
      guard let taken else {
        gate.leave()
        return .ready(bytes.count)
      }
      let rest = [UInt8](bytes[taken...])
      return .pending { () async throws(FileSystemError) in
        defer { self.gate.leave() }
        return try await self.continueWriting(rest, at: offset + Int64(taken), taken: taken)
      }
    }
    let copy = [UInt8](bytes)
    return .pending { () async throws(FileSystemError) in
      try await self.reserveWaiting(upTo: offset + Int64(copy.count))
      return try await self.gate.inside { () async throws(FileSystemError) in
        do throws(FileSystemError) {
          try await self.materialize()
        } catch {
          self.failFinally(error)
          throw error
        }
        return try await self.writeInside(copy, at: offset)
      }
    }
  }

  /// Writes bytes with the gate held.
  func writeInside(_ bytes: [UInt8], at offset: Int64) async throws(FileSystemError) -> Int {
    let taken = try bytes.withUnsafeBufferPointer { (bytes) throws(FileSystemError) in
      try take(UnsafeRawBufferPointer(bytes), at: offset)
    }
    guard let taken else { return bytes.count }
    return try await continueWriting(Array(bytes[taken...]), at: offset + Int64(taken), taken: taken)
  }

  /// Gives the file another size.
  func resize(to size: Int64) async throws(FileSystemError) {
    try await gate.inside { () async throws(FileSystemError) in
      try check()
      if size == 0 { await dropUpload() } else { try await materialize() }
      try state.withLock { state throws(FileSystemError) in
        try state.body.resize(to: size)
        state.wasClosedSinceWrite = false
      }
    }
  }

  /// Publishes under another name from here on. A stream that has begun is bound to its name.
  func rename(to key: ObjectKey) async throws(FileSystemError) {
    try await gate.inside { () async throws(FileSystemError) in
      try state.withLock { state throws(FileSystemError) in
        guard state.upload == nil else {
          throw FileSystemError(
            .resourceBusy, "\(state.key) is being streamed into the store: close it, then rename it")
        }
        state.key = key
        // A rename replaces what is there; whether it may was decided before.
        state.condition = .none
      }
    }
  }

  /// Throws what made the file unpublishable.
  func check() throws(FileSystemError) {
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }

  /// Makes the file unpublishable.
  func fail(_ error: FileSystemError) {
    state.withLock { state in
      if state.failure == nil { state.failure = error }
    }
  }

  /// A thread writes, by whatever call.
  func noteWriter(_ thread: Int32) { state.withLock { _ = $0.writers.insert(thread) } }

  /// Bytes that a program wrote did not arrive: whatever it does next, the file is not whole any more, and a close must not
  /// publish the rest. Not so when it may try again (EINTR).
  func failFinally(_ error: FileSystemError) {
    if error.errno != .interrupted { fail(error) }
  }

  /// Bytes taken before a part was full; nil when all were taken and nothing is to be done.
  private func take(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(FileSystemError) -> Int? {
    try state.withLock { state throws(FileSystemError) in
      if let failure = state.failure { throw failure }
      guard !state.isComplete else {
        throw FileSystemError(
          .ioError, "\(state.key) was published when the process that opened it closed it; nothing can be added")
      }
      let effect: WriteBody.Effect
      do throws(FileSystemError) {
        effect = try state.body.write(bytes, at: offset)
      } catch {
        // What was refused is missing: a close must not publish the rest.
        state.failure = error
        throw error
      }
      state.wasWritten = true
      state.wasClosedSinceWrite = false
      switch effect {
      case .none: return nil
      case .partFull(let taken): return taken
      }
    }
  }

  /// Goes on after a part was full; `taken` bytes of the request are in the body already.
  private func continueWriting(_ rest: [UInt8], at offset: Int64, taken: Int) async throws(FileSystemError) -> Int {
    var begin = 0
    do throws(FileSystemError) {
      while true {
        try await sendPart()
        let more = try rest[begin...].withUnsafeBufferPointer { (bytes) throws(FileSystemError) in
          try take(UnsafeRawBufferPointer(bytes), at: offset + Int64(begin))
        }
        guard let more else { return taken + rest.count }
        begin += more
      }
    } catch {
      // What is in the body already counts: an interrupted writer goes on from there.
      if error.errno == .interrupted, taken + begin > 0 { return taken + begin }
      failFinally(error)
      throw error
    }
  }
}
