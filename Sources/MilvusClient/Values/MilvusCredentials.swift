// User name and password of a Milvus account. No description, dump or mirror of it shows the password.

internal import FoundationEssentials

/// A user name and a password for Milvus' authentication.
public struct MilvusCredentials: Sendable, Hashable {
  /// The account's name.
  public let user: String
  /// Kept out of the module's interface, so that no other module can print it by mistake.
  let password: String

  /// Credentials for `user`. `nil` when user and password are both empty, which stands for "no authentication".
  public init?(user: String, password: String) {
    guard !user.isEmpty || !password.isEmpty else { return nil }
    self.user = user
    self.password = password
  }

  /// Value of the `authorization` header: base64 of `user:password`, without a scheme word (Milvus' own convention).
  var authorizationHeader: String { Data("\(user):\(password)".utf8).base64EncodedString() }
}

extension MilvusCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The user's name and a mask.
  public var description: String { "\(user):***" }
  /// The same as `description`.
  public var debugDescription: String { description }
  /// A mirror without the password, so that `dump` does not show it.
  public var customMirror: Mirror { Mirror(self, children: ["user": user]) }
}
