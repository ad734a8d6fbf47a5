// Errors of the file system on their way to the log. The program that asked learns only an errno; the sentence is here.

import BackupFileSystem
import Logging
import Synchronization
import SystemPackage

/// Logs failed operations, each at the level that fits its errno, and not too many of a kind.
final class ErrorLog: Sendable {
  private let logger: Logger
  private let throttle = Mutex(LogThrottle())
  private let start = ContinuousClock.now

  init(_ logger: Logger) {
    self.logger = logger
  }

  /// Logs an error that an operation answers.
  func failed(_ operation: Operation, _ error: FileSystemError) {
    guard let level = Self.level(of: error.errno, in: operation), level >= logger.logLevel else { return }
    let kind = LogThrottle.Kind(operation: operation, errno: error.errno)
    let now = ContinuousClock.now - start
    guard case .log(let keptBack) = throttle.withLock({ $0.decide(kind, now: now) }) else { return }
    var text = "\(operation.rawValue): \(error)"
    if keptBack > 0 { text += " [\(keptBack) more like this were not logged]" }
    logger.log(level: level, "\(text)")
  }

  /// The level for an errno; nil for what is no news: looking for names that do not exist is daily business.
  static func level(of errno: Errno, in operation: Operation) -> Logger.Level? {
    switch errno {
    case .noSuchFileOrDirectory where operation == .lookup:
      nil
    // The kernel looks the name up anew and says what it finds.
    case .staleNFSFileHandle where operation == .open:
      nil
    case .noSuchFileOrDirectory, .fileExists, .notDirectory, .isDirectory, .directoryNotEmpty, .improperLink,
      .interrupted, .canceled:
      .debug
    case .notPermitted, .readOnlyFileSystem, .invalidArgument, .resourceBusy, .notSupported, .noFunction,
      .illegalByteSequence, .fileNameTooLong:
      .info
    default:
      .error
    }
  }
}
