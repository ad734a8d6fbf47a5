// The error of every file operation: an errno for the program that asked, and a sentence for whoever reads the log.

import SystemPackage

/// Why a file operation failed.
public struct FileSystemError: Error, Sendable, CustomStringConvertible {
  /// What the system call answers.
  public let errno: Errno
  /// The whole story in a sentence; never a secret.
  public let message: String

  /// Makes an error.
  public init(_ errno: Errno, _ message: String = "") {
    self.errno = errno
    self.message = message
  }

  /// Errno and sentence.
  public var description: String { message.isEmpty ? errno.description : "\(message) (\(errno))" }
}
