// The one error type of this module.

/// Something in the milvus-backup format that is not as it must be, told in a sentence for an operator.
public struct BackupFormatError: Error, Hashable {
  /// What kind of thing is wrong.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: String {
      case malformedMetadata, missingMetadata, malformedKey, malformedLog, invalidName, invalidRule
    }

    private let kind: Kind

    /// A metadata file is not what it should be.
    public static let malformedMetadata = Self(kind: .malformedMetadata)
    /// Metadata files are missing.
    public static let missingMetadata = Self(kind: .missingMetadata)
    /// An object key does not follow the grammar of log keys.
    public static let malformedKey = Self(kind: .malformedKey)
    /// A log object is not built as logs are; the message is a clause about it.
    public static let malformedLog = Self(kind: .malformedLog)
    /// A name that the format does not allow.
    public static let invalidName = Self(kind: .invalidName)
    /// A filter or rename rule which cannot be understood or fulfilled.
    public static let invalidRule = Self(kind: .invalidRule)

    /// Name of the code.
    public var description: String { kind.rawValue }
  }

  /// What kind of thing is wrong.
  public let code: Code
  /// The sentence for the operator.
  public let message: String

  /// Makes an error.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}

extension BackupFormatError: CustomStringConvertible {
  /// The sentence for the operator.
  public var description: String { message }
}
