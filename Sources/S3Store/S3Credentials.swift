// Who asks. Nothing that prints, interpolates, dumps or reflects a value of this type shows any of it.

/// An access key with its secret and, for temporary ones, its session token.
public struct S3Credentials: Sendable, Hashable {
  /// Access key ID.
  public let accessKeyID: String
  let secretAccessKey: String
  let sessionToken: String?

  /// Makes credentials; an empty session token counts as none.
  public init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken == "" ? nil : sessionToken
  }

  /// Nobody: requests are not signed, and the store gives what it gives to everybody.
  public static let anonymous = S3Credentials(accessKeyID: "", secretAccessKey: "")

  /// Whether requests go out unsigned.
  var isAnonymous: Bool { accessKeyID.isEmpty && secretAccessKey.isEmpty }
}

extension S3Credentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// Always the same words.
  public var description: String { "S3 credentials (hidden)" }
  /// Always the same words.
  public var debugDescription: String { description }
  /// No children.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
