// Why a file system could not be mounted, served or unmounted.

/// An error of mounting, serving or unmounting, as a sentence that says what to do.
public struct MountError: Error, Sendable, CustomStringConvertible {
  /// What went wrong, for programs.
  public enum Reason: Sendable, Hashable {
    /// The mount point does not exist.
    case missing
    /// The mount point is not a directory.
    case notDirectory
    /// The mount point has something in it.
    case notEmpty
    /// Something is mounted there already.
    case alreadyMounted
    /// A FUSE server that died left its mount there ("Transport endpoint is not connected").
    case stale
    /// The helper `fusermount3` is not installed.
    case helperMissing
    /// The device /dev/fuse does not exist.
    case deviceMissing
    /// The user lacks a permission.
    case notPermitted
    /// Open files or working directories keep it mounted.
    case busy
    /// Another file system was mounted on top of it.
    case covered
    /// The server is not in the state that the call needs: not mounted yet, or mounted already.
    case wrongState
    /// Anything else; the sentence tells.
    case failed
  }

  /// What went wrong, for programs.
  public let reason: Reason
  /// The mount point as given.
  public let mountPoint: String
  /// What went wrong and what to do, for people.
  public let description: String
}
