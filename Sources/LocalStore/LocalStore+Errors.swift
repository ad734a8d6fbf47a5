// What a failed file call means for the caller, and what the operator can do.

import Glibc
import ObjectStore

extension LocalStore {
  /// A failure of this store.
  func failure(
    _ code: StoreError.Code, _ operation: String, _ key: ObjectKey?, _ reason: String, remedy: String = "",
    isTransient: Bool = false
  ) -> StoreError {
    StoreError(
      code, operation: operation, key: key, location: location, reason: reason, remedy: remedy, isTransient: isTransient
    )
  }

  /// The error for a key that cannot be written.
  func refusal(_ refusal: KeyRefusal, _ operation: String, _ key: ObjectKey) -> StoreError {
    failure(
      .unsupported, operation, key, "a directory tree cannot hold this key: \(refusal.reason)",
      remedy: "Use another name, or a store that is not of type local.")
  }

  /// The error for an object that is not there.
  func absent(_ operation: String, _ key: ObjectKey) -> StoreError {
    failure(.notFound, operation, key, "there is no such file below \(root)")
  }

  /// Translates whatever file work threw.
  func translated(_ error: any Error, _ operation: String, _ key: ObjectKey?) -> StoreError {
    switch error {
    case let error as StoreError: error
    case let error as SystemFailure: translated(error, operation, key)
    case is CancellationError: failure(.cancelled, operation, key, "the request was cancelled")
    case let error as KeyRefusal: failure(.unsupported, operation, key, error.reason)
    default: failure(.serverError, operation, key, "\(error)")
    }
  }

  private func translated(_ error: SystemFailure, _ operation: String, _ key: ObjectKey?) -> StoreError {
    let text = error.text
    switch error.number {
    case ENOENT:
      return missingRoot(operation, key)
    case EACCES, EPERM:
      return failure(
        .accessDenied, operation, key, text,
        remedy: "Give the user that runs this program the rights to read and write below \(rootSetting) (\(root)).")
    case EROFS:
      return failure(
        .accessDenied, operation, key, text,
        remedy: "The file system of \(rootSetting) (\(root)) is mounted read-only: mount it writable.")
    case ENOSPC, EDQUOT:
      return failure(
        .noSpace, operation, key, text,
        remedy: "Free space on the file system of \(rootSetting) (\(root)), raise the quota, or set another directory.")
    case EFBIG:
      return failure(
        .tooLarge, operation, key, text,
        remedy: "The file system of \(rootSetting) (\(root)) or a limit of the process (ulimit -f) forbids such files.")
    case ENAMETOOLONG:
      return failure(
        .unsupported, operation, key, text,
        remedy: "The file system of \(rootSetting) (\(root)) does not take names of this length.")
    case ELOOP:
      return failure(
        .unsupported, operation, key, "a symbolic link lies on its path, and links below the store are not followed",
        remedy: "Replace the link by what it points to, or set \(rootSetting) to where it points.")
    case ENOTDIR, EISDIR:
      return failure(
        .unsupported, operation, key,
        "a directory tree cannot hold an object and others below its name, as this key would make it",
        remedy: "Remove the other object, or use a store that is not of type local.")
    case EIO:
      return failure(
        .serverError, operation, key, text,
        remedy: "The disk of \(rootSetting) (\(root)) or its connection is failing: look into the kernel's log (dmesg)."
      )
    case EMFILE, ENFILE, ENOMEM, EAGAIN:
      return failure(
        .throttled, operation, key, text, remedy: "Raise the limits of the process (ulimit -n, ulimit -u).",
        isTransient: true)
    case ENOSYS where error.call == "openat2":
      return failure(
        .unsupported, operation, key, "this kernel lacks openat2, without which paths cannot be kept below the store",
        remedy: "Stores of type local need Linux 5.6 or later, and a container runtime that lets openat2 pass.")
    case ESTALE, ETIMEDOUT, EHOSTDOWN, ENOTCONN:
      return failure(
        .serverError, operation, key, text,
        remedy: "The network file system of \(rootSetting) (\(root)) does not answer as it should.", isTransient: true)
    default:
      return failure(
        .serverError, operation, key, text, remedy: "Check the file system of \(rootSetting) (\(root)).")
    }
  }

  private func missingRoot(_ operation: String, _ key: ObjectKey?) -> StoreError {
    failure(
      .bucketNotFound, operation, key, "the directory \(root) does not exist or goes away all the time",
      remedy:
        "Make it (mkdir -p \(root)) or mount what belongs there, or set \(rootSetting) to the right directory; it is not"
        + " made by itself, because then a disk that is not mounted would go unnoticed.")
  }
}
