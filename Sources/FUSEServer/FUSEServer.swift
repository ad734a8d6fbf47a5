// Serves one file system at one mount point: mount, run until unmounted, clean up.

import BackupFileSystem
import Logging
import Synchronization

/// How `FUSEServer.unmount` treats a mount that is in use.
public enum UnmountMode: Sendable {
  /// Fails with `.busy` while files are open or a process stands in a directory of the mount.
  case whenIdle
  /// Takes the mount out of sight at once. What is open may finish within the grace period; then operations are
  /// cancelled and files cut off.
  case now
}

/// Serves one file system at one mount point. A server is used once: `mount()`, `run()`, and `unmount()` from anywhere.
/// Several servers can live in one process.
///
/// The server's threads are woken by SIGURG when they have to be stopped by force; unless the program has a handler for
/// that signal, an empty one is installed. Other signals are none of the server's business.
public final class FUSEServer: Sendable {
  /// A session that is mounted, and what is needed to unmount it and nothing else.
  struct Mounted: Sendable {
    var session: Session
    var point: MountPoint
    var mount: MountTable.Mount
  }

  enum State: Sendable {
    case new
    case mounting
    case mounted(Mounted)
    case serving(Mounted, ServingThreads)
    case ended
  }

  /// How long cancelled work may take to end before it is answered for.
  static let cancellationLimit = Duration.seconds(2)

  let options: MountOptions
  let logger: Logger
  let dispatcher: Dispatcher
  let state = Mutex(State.new)

  /// Makes a server; nothing is touched yet.
  /// - Parameters:
  ///   - fileSystem: what to serve.
  ///   - options: where and how.
  ///   - logger: gets the errors of operations, and libfuse's messages.
  public init(_ fileSystem: any FileSystem, options: MountOptions, logger: Logger) {
    self.options = options
    self.logger = logger
    dispatcher = Dispatcher(fileSystem, logger: logger)
  }

  /// Requests of programs that are being worked on at the moment; those answered at once do not count.
  public var pendingRequests: Int { dispatcher.pending.count }

  deinit {
    // Mounted but never run: nobody would ever answer at this mount point.
    guard case .mounted(let mounted) = state.withLock({ $0 }) else { return }
    _ = Self.detach(mounted, lazily: true)
    mounted.session.destroy()
  }

  /// Mounts. From here on programs that touch the mount point wait until `run()` serves them.
  /// - Throws: `MountError` with the reason; nothing is mounted then.
  public func mount() throws(MountError) {
    let isNew = state.withLock { state in
      guard case .new = state else { return false }
      state = .mounting
      return true
    }
    guard isNew else { throw MountError(.wrongState, options.mountPoint, "A server can be mounted only once.") }
    do {
      let mounted = try mountSession()
      state.withLock { $0 = .mounted(mounted) }
    } catch {
      state.withLock { $0 = .new }
      throw error
    }
  }

  /// Serves until the file system is unmounted, by `unmount` or from outside, and returns when the session is cleaned
  /// up: every request is answered, every open handle released, no thread left. References to inodes that the kernel
  /// still had are not given back: it does not do so when it unmounts.
  ///
  /// Cancelling the task that runs this is `unmount(.now)`.
  /// - Throws: `MountError` when it is not mounted, when threads cannot be started, or when the kernel's device fails.
  public func run() async throws(MountError) {
    let (mounted, threads) = try startServing()
    let threadError = threads.start(min(max(options.threads, 1), 64))
    if threadError != 0 {
      logger.error("Only some threads could be started to serve \(options.mountPoint): \(text(of: threadError))")
      try? unmount(.now)
    }
    let deviceError = await withTaskCancellationHandler {
      await threads.join()
    } onCancel: {
      try? unmount(.now)
    }
    // In a task of its own, which nobody cancels: cleaning up waits.
    await Task { await self.cleanUp(mounted) }.value
    if threadError != 0 {
      throw MountError(
        .failed, options.mountPoint,
        "The threads to serve \(options.mountPoint) could not be started: \(text(of: threadError)).")
    }
    if deviceError != 0 {
      throw MountError(
        .failed, options.mountPoint,
        "Serving \(options.mountPoint) ended because requests could not be read from /dev/fuse: "
          + "\(text(of: deviceError)).")
    }
  }

  private func mountSession() throws(MountError) -> Mounted {
    let point = try MountPoint(checking: options)
    let session: Session
    do {
      session = try Session(point.path, options: options, dispatcher: dispatcher, logger: logger)
    } catch {
      throw MountError(
        .failed, options.mountPoint,
        "Mounting on \(options.mountPoint) failed. libfuse said: "
          + "\(error.messages.isEmpty ? "nothing (see above for what fusermount3 said)" : error.messages). In a "
          + "container, start it with --device /dev/fuse --cap-add SYS_ADMIN.")
    }
    guard let mount = MountTable.current().top(at: point.path) else {
      session.destroy()
      throw MountError(
        .failed, options.mountPoint, "\(options.mountPoint) was mounted, but does not appear in /proc/self/mountinfo.")
    }
    ConnectionParameters.widenReadAhead(device: mount.device)
    return Mounted(session: session, point: point, mount: mount)
  }

  private func startServing() throws(MountError) -> (Mounted, ServingThreads) {
    let started = state.withLock { state -> (Mounted, ServingThreads)? in
      guard case .mounted(let mounted) = state else { return nil }
      let threads = ServingThreads { mounted.session.serve() }
      state = .serving(mounted, threads)
      return (mounted, threads)
    }
    guard let started else {
      throw MountError(.wrongState, options.mountPoint, "A server must be mounted before it runs, and runs only once.")
    }
    return started
  }

  /// Ends what is left when no thread takes requests any more.
  private func cleanUp(_ mounted: Mounted) async {
    Self.removeIfDead(mounted)
    await finishWork()
    let (files, directories) = dispatcher.handles.removeAll()
    dispatcher.pending.reopen()
    for handle in files { dispatcher.releaseNow(handle) }
    for handle in directories { dispatcher.fileSystem.releaseDirectory(handle) }
    await finishWork()
    mounted.session.destroy()
    state.withLock { $0 = .ended }
  }

  /// Waits for running work, except for what nobody waits for; cancels it after the grace period; gives up on it a
  /// little later.
  private func finishWork() async {
    let pending = dispatcher.pending
    pending.cancelQuestions()
    if await pending.drain(limit: pending.isClosed ? .zero : options.gracePeriod) { return }
    pending.cancelAll()
    if await pending.drain(limit: Self.cancellationLimit) { return }
    let count = pending.abandonAll()
    logger.warning("\(count) operations on \(options.mountPoint) did not end although they were cancelled.")
  }
}
