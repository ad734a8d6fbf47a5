// From the errors of the layers below to this module's: the code is translated, the sentence is kept whole.

import BackupFormat
import MilvusClient
import ObjectStore

extension EngineError {
  /// The error that a failure tells when it met `action`.
  /// - Parameter action: what was being done to what, as the beginning of a sentence such as
  ///   `Flushing the collection default.coll`.
  init(_ failure: any Error, during action: String) {
    switch failure {
    case let error as EngineError:
      self = error
    case is CancellationError:
      self.init(.cancelled, "\(action) was cancelled.")
    case let error as StoreError where error.code == .cancelled:
      self.init(.cancelled, "\(action) was cancelled.", cause: error)
    case let error as MilvusError where error.code == .cancelled:
      self.init(.cancelled, "\(action) was cancelled.", cause: error)
    case let error as StoreError:
      self.init(Code(error.code), "\(action) failed: \(Self.sentence(error))", cause: error)
    case let error as MilvusError:
      self.init(Code(error.code), "\(action) failed: \(Self.sentence(error))", cause: error)
    case let error as BackupFormatError:
      self.init(Code(error.code), "\(action) failed: \(Self.sentence(error))", cause: error)
    default:
      self.init(.store, "\(action) failed: \(Self.sentence(failure))", cause: failure)
    }
  }

  /// An error's description with the full stop that not all of them have.
  static func sentence(_ failure: any Error) -> String {
    let text = "\(failure)"
    return text.hasSuffix(".") ? text : text + "."
  }
}

extension EngineError.Code {
  init(_ code: StoreError.Code) {
    switch code {
    case .notFound, .bucketNotFound: self = .notFound
    case .accessDenied, .credentialsExpired: self = .accessDenied
    case .unreachable, .connectionLost: self = .unreachable
    case .timedOut: self = .timedOut
    case .noSpace: self = .noSpace
    case .corrupted: self = .corrupted
    case .changed: self = .changed
    case .preconditionFailed: self = .alreadyExists
    case .unsupported, .tooLarge: self = .unsupported
    case .cancelled: self = .cancelled
    default: self = .store
    }
  }

  init(_ code: MilvusError.Code) {
    switch code {
    case .unreachable: self = .unreachable
    case .timedOut: self = .timedOut
    case .authentication, .permission: self = .accessDenied
    case .notFound: self = .notFound
    case .alreadyExists: self = .alreadyExists
    case .unsupported: self = .unsupported
    case .cancelled: self = .cancelled
    default: self = .milvus
    }
  }

  init(_ code: BackupFormatError.Code) {
    switch code {
    case .missingMetadata: self = .incomplete
    case .malformedMetadata, .malformedKey: self = .corrupted
    default: self = .invalidRequest
    }
  }
}

/// Runs `body`; what it throws is told as having met `action`.
func during<Value>(
  _ action: @autoclosure () -> String, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
) async throws(EngineError) -> Value {
  do {
    return try await body()
  } catch {
    throw EngineError(error, during: action())
  }
}

extension Error {
  /// Whether the work was stopped on request rather than by a fault.
  var isCancellation: Bool {
    switch self {
    case is CancellationError: true
    case let error as StoreError: error.code == .cancelled
    case let error as MilvusError: error.code == .cancelled
    case let error as EngineError: error.code == .cancelled
    default: false
    }
  }
}
