// Unmounting: by system call as root, by fusermount3 otherwise, and never what somebody else mounted there since.

import Glibc
import Synchronization

extension FUSEServer {
  /// Unmounts; callable from any thread, any number of times. `run()` returns soon after. When it is unmounted already,
  /// nothing happens.
  /// - Throws: `MountError`: `.busy` when it is in use (only with `.whenIdle`), `.covered` when something else was
  ///   mounted on top, `.wrongState` when it was never mounted.
  public func unmount(_ mode: UnmountMode = .whenIdle) throws(MountError) {
    let mounted: Mounted
    switch state.withLock({ $0 }) {
    case .new, .mounting:
      throw MountError(.wrongState, options.mountPoint, "\(options.mountPoint) is not mounted yet.")
    case .ended:
      return
    case .mounted(let present), .serving(let present, _):
      mounted = present
    }
    if let error = Self.detach(mounted, lazily: mode == .now) { throw error }
    if mode == .now { endAfterGracePeriod(mounted) }
  }

  /// Takes the mount away, if it is there.
  static func detach(_ mounted: Mounted, lazily: Bool) -> MountError? {
    // Otherwise its device number may be somebody else's by now.
    guard mounted.session.isConnected else { return nil }
    let path = mounted.point.path
    let table = MountTable.current()
    guard table.contains(device: mounted.mount.device, at: path) else { return nil }
    guard table.top(at: path)?.device == mounted.mount.device else {
      return MountError(
        .covered, mounted.point.given,
        "Another file system was mounted over \(mounted.point.given). Unmount that one first (umount \(path)), then "
          + "try again.")
    }
    guard let error = unmount(mounted, lazily: lazily) else { return nil }
    // Unless somebody else was quicker.
    return mounted.session.isConnected ? error : nil
  }

  /// Takes away a mount that is left although its connection is cut, which the kernel can be told to do from outside.
  static func removeIfDead(_ mounted: Mounted) {
    let path = mounted.point.path
    guard !mounted.session.isConnected, MountTable.current().top(at: path) == mounted.mount else { return }
    // A server that was started since would answer.
    guard MountPoint.isDead(path) else { return }
    _ = unmount(mounted, lazily: true)
  }

  private static func unmount(_ mounted: Mounted, lazily: Bool) -> MountError? {
    let given = mounted.point.given
    if geteuid() == 0 {
      if umount2(mounted.point.path, UnmountFlags.noFollow | (lazily ? UnmountFlags.detach : 0)) == 0 { return nil }
      return errno == EBUSY ? busy(given) : failed(given, text(of: errno))
    }
    guard let message = HelperProgram.unmount(mounted.point.path, lazily: lazily) else { return nil }
    return message.contains(text(of: EBUSY)) ? busy(given) : failed(given, message)
  }

  /// Ends the session when what is open has had its time, unless it ends by itself before.
  private func endAfterGracePeriod(_ mounted: Mounted) {
    Task { [weak self, options] in
      try? await Task.sleep(for: options.gracePeriod)
      await self?.end(mounted)
    }
  }

  private func end(_ mounted: Mounted) async {
    if case .ended = state.withLock({ $0 }) { return }
    dispatcher.pending.cancelAll()
    _ = await dispatcher.pending.drain(limit: Self.cancellationLimit)
    mounted.session.stop()
    if case .serving(_, let threads) = state.withLock({ $0 }) { await threads.wakeUntilEnded() }
  }

  private static func busy(_ mountPoint: String) -> MountError {
    MountError(
      .busy, mountPoint,
      "\(mountPoint) is in use: files on it are open, or a process has its working directory there (see: fuser -vm "
        + "\(mountPoint)). Let them finish and try again.")
  }

  private static func failed(_ mountPoint: String, _ message: String) -> MountError {
    MountError(.failed, mountPoint, "Unmounting \(mountPoint) failed: \(message).")
  }
}

/// Flags of umount2(2), which are an enumeration in glibc's header.
enum UnmountFlags {
  static let detach: Int32 = 2
  static let noFollow: Int32 = 8
}
