// The one place where a store's error becomes an errno.

import ObjectStore
import SystemPackage

extension FileSystemError {
  /// Translates whatever work on a store threw; the sentence is the store's own.
  init(_ error: any Error) {
    switch error {
    case let error as FileSystemError: self = error
    case let error as StoreError: self.init(Errno(error.code), error.description)
    case is CancellationError: self.init(.interrupted, "the request was interrupted")
    default: self.init(.ioError, "\(error)")
    }
  }
}

extension Errno {
  /// What a program is told of a store's failure.
  init(_ code: StoreError.Code) {
    switch code {
    case .notFound: self = .noSuchFileOrDirectory
    case .bucketNotFound: self = .noSuchAddressOrDevice
    case .accessDenied, .credentialsExpired: self = .permissionDenied
    case .changed: self = .staleNFSFileHandle
    case .preconditionFailed: self = .fileExists
    case .unreachable: self = .noRouteToHost
    case .timedOut: self = .timedOut
    case .tooLarge: self = .fileTooLarge
    case .noSpace: self = .noSpace
    case .unsupported: self = .notSupported
    case .cancelled: self = .interrupted
    default: self = .ioError
    }
  }
}

/// Runs work on a store, turning what it throws into a file system error.
func storeWork<Value>(_ body: () async throws -> Value) async throws(FileSystemError) -> Value {
  do {
    return try await body()
  } catch {
    throw FileSystemError(error)
  }
}
