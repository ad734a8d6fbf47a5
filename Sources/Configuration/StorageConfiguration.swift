// Access to one object storage: the one Milvus writes to, or the one that holds the backups.

/// How to reach an object storage and which part of it to use.
///
/// For a storage of type `local` only `rootPath` counts, as the absolute path of a directory: on the Milvus side Milvus'
/// own `localStorage.path`, on the backup side the directory of the backups. Everything else has its default and is not
/// looked at, the bucket included. This program and Milvus must see that directory under the same path, because Milvus
/// is given paths below it to import from.
public struct StorageConfiguration: Hashable, Sendable {
  /// Kind of the storage.
  public var storageType = StorageType.minio
  /// Host name or address, without scheme and port.
  public var address = "localhost"
  /// Port, 1 to 65535.
  public var port = 9000
  /// Region; empty to leave it to the store.
  public var region = ""
  /// Access key; empty together with the secret key for the keys of the environment, or anonymous access.
  public var accessKeyID = "minioadmin"
  /// Secret key.
  public var secretAccessKey = Secret("minioadmin")
  /// Session token of temporary credentials; empty for none.
  public var token = Secret()
  /// Path of a Google service account file; empty for none.
  public var gcpCredentialJSON = ""
  /// Whether to connect by TLS.
  public var useSSL = false
  /// Bucket; never empty.
  public var bucketName = "a-bucket"
  /// Prefix of all keys, without slashes at its ends; empty for the top of the bucket. For `local`: absolute path of a
  /// directory other than `/`, without a slash at its end.
  public var rootPath = "files"
  /// Whether credentials come from the cloud's identity service.
  public var useIAM = false
  /// Endpoint of the identity service; empty for the usual one.
  public var iamEndpoint = ""
  /// What to call these settings in messages.
  public var settingNames = StorageSettingNames()

  /// Makes a configuration of the official defaults.
  public init() {}

  /// Address and port in the form of a URL's authority.
  public var authority: String {
    address.contains(":") && !address.hasPrefix("[") ? "[\(address)]:\(port)" : "\(address):\(port)"
  }

  /// Whether both are served by one endpoint, so that objects can be copied between them without passing through here.
  ///
  /// The rule is that of milvus-backup's transfer mode `auto`: equal type, address, port, region and use of TLS.
  public func sharesEndpoint(with other: StorageConfiguration) -> Bool {
    storageType == other.storageType && address == other.address && port == other.port && region == other.region
      && useSSL == other.useSSL
  }
}
