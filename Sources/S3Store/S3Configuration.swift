// Where a bucket is and how to get in. A value that is checked when a store is made of it.

/// Everything an `S3Store` needs to know about a bucket.
public struct S3Configuration: Sendable {
  /// How the bucket's name goes into URLs.
  public enum Addressing: Sendable, Hashable {
    /// Host style for amazonaws.com hosts unless the bucket's name cannot be part of one (dots, capitals, underscores);
    /// path style for all others.
    case automatic
    /// `http://host/bucket/key`.
    case path
    /// `http://bucket.host/key`.
    case virtualHost
  }

  /// With true `https`, else `http`.
  public var usesTLS: Bool
  /// Host name or IP address, an IPv6 address without brackets.
  public var host: String
  /// Nil for the scheme's own port.
  public var port: Int?
  /// Region that requests are signed for; when empty the one in Amazon's host name, else `us-east-1`. A store that names another one in its
  /// refusal is believed.
  public var region: String
  /// The bucket.
  public var bucket: String
  /// Who is asking.
  public var credentials: S3Credentials
  /// How the bucket's name goes into URLs.
  public var addressing: Addressing
  /// PEM file of the certificate authorities to trust instead of the system's.
  public var certificateAuthorityFile: String?
  /// Whether uploads carry a CRC32C for the store to check. Off only for stores that refuse such headers.
  public var sendsChecksums: Bool
  /// What the operator calls these values, for error messages.
  public var settingNames: S3SettingNames
  /// Connect and stall timeouts; nil for the transport's own.
  public var connectTimeout: Double?
  /// Seconds without progress after which a request ends; nil for the transport's own. Operations in which the store
  /// copies or assembles data without sending anything get at least `longStallTimeout`.
  public var stallTimeout: Double?
  /// The same for operations in which the store works for long without sending a byte; nil for five minutes.
  public var longStallTimeout: Double?

  /// Makes a configuration; everything not given has the default that its property names.
  public init(
    usesTLS: Bool, host: String, port: Int? = nil, region: String = "us-east-1", bucket: String,
    credentials: S3Credentials, addressing: Addressing = .automatic, certificateAuthorityFile: String? = nil,
    sendsChecksums: Bool = true, settingNames: S3SettingNames = S3SettingNames(), connectTimeout: Double? = nil,
    stallTimeout: Double? = nil
  ) {
    self.usesTLS = usesTLS
    self.host = host
    self.port = port
    self.region = region
    self.bucket = bucket
    self.credentials = credentials
    self.addressing = addressing
    self.certificateAuthorityFile = certificateAuthorityFile
    self.sendsChecksums = sendsChecksums
    self.settingNames = settingNames
    self.connectTimeout = connectTimeout
    self.stallTimeout = stallTimeout
  }
}

/// What the operator's configuration file calls the values of an `S3Configuration`.
public struct S3SettingNames: Sendable, Hashable {
  /// Host.
  public var address: String
  /// Port.
  public var port: String
  /// http or https.
  public var useSSL: String
  /// Region.
  public var region: String
  /// Access key.
  public var accessKeyID: String
  /// Secret key.
  public var secretAccessKey: String
  /// Session token.
  public var token: String
  /// Bucket.
  public var bucketName: String
  /// Where the certificate authorities come from.
  public var certificateAuthority = "AWS_CA_BUNDLE or SSL_CERT_FILE in the environment"

  /// The names under one prefix, `minio.address` and so on: those of Milvus and milvus-backup.
  public init(prefix: String = "minio.") {
    address = prefix + "address"
    port = prefix + "port"
    useSSL = prefix + "useSSL"
    region = prefix + "region"
    accessKeyID = prefix + "accessKeyID"
    secretAccessKey = prefix + "secretAccessKey"
    token = prefix + "token"
    bucketName = prefix + "bucketName"
  }
}
