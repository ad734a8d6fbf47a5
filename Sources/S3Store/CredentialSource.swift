// Where the credentials of a store come from. Another source (a profile, a container's or an instance's role) becomes a case
// here; what they yield is always `S3Credentials`.

/// How a store's credentials were found.
public enum CredentialSource: Sendable, Hashable {
  /// The configuration's own keys.
  case configuration(S3Credentials)
  /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, as Amazon's own tools read them.
  case environment(S3Credentials)
  /// There are none: requests are not signed.
  case anonymous

  /// The configuration's keys, unless both are empty; then those of the environment; then none.
  ///
  /// milvus-backup sends unsigned requests when both are empty, which public buckets accept. Whoever has keys in the
  /// environment wants them used.
  public static func find(
    accessKeyID: String, secretAccessKey: String, token: String, environment: [String: String]
  ) -> CredentialSource {
    if !accessKeyID.isEmpty || !secretAccessKey.isEmpty {
      return .configuration(
        S3Credentials(accessKeyID: accessKeyID, secretAccessKey: secretAccessKey, sessionToken: token))
    }
    let key = environment["AWS_ACCESS_KEY_ID"] ?? ""
    let secret = environment["AWS_SECRET_ACCESS_KEY"] ?? ""
    guard !key.isEmpty || !secret.isEmpty else { return .anonymous }
    return .environment(
      S3Credentials(accessKeyID: key, secretAccessKey: secret, sessionToken: environment["AWS_SESSION_TOKEN"]))
  }

  /// What to sign with.
  public var credentials: S3Credentials {
    switch self {
    case .configuration(let credentials), .environment(let credentials): credentials
    case .anonymous: .anonymous
    }
  }

  /// The names of the settings, with those of the environment where the credentials come from there.
  public func renaming(_ names: S3SettingNames) -> S3SettingNames {
    guard case .environment = self else { return names }
    var names = names
    names.accessKeyID = "AWS_ACCESS_KEY_ID in the environment"
    names.secretAccessKey = "AWS_SECRET_ACCESS_KEY in the environment"
    names.token = "AWS_SESSION_TOKEN in the environment"
    return names
  }
}

extension S3Configuration {
  /// The file of certificate authorities that the environment names: `AWS_CA_BUNDLE`, which Amazon's tools read, before
  /// `SSL_CERT_FILE`, which OpenSSL's do. Nil for the system's.
  public static func certificateAuthorityFile(environment: [String: String]) -> String? {
    ["AWS_CA_BUNDLE", "SSL_CERT_FILE"].compactMap { environment[$0] }.first { !$0.isEmpty }
  }
}
