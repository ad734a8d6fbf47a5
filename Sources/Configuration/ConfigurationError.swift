// The one error type of this module.

/// A configuration that cannot be used, told in a sentence for an operator. Never contains a secret value.
public struct ConfigurationError: Error, Hashable {
  /// The file or folder concerned, nil if the problem lies in the command line.
  public let file: String?
  /// The configuration key concerned, if the problem lies in one.
  public let key: String?
  /// What is wrong and what to do.
  public let message: String

  /// Makes an error.
  public init(file: String? = nil, key: String? = nil, _ message: String) {
    self.file = file
    self.key = key
    self.message = message
  }
}

extension ConfigurationError: CustomStringConvertible {
  /// The sentence, preceded by the file.
  public var description: String { file.map { "\($0): \(message)" } ?? message }
}
