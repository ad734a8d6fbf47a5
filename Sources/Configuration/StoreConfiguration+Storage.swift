// The two storages of a store. The backup side takes from the Milvus side what it does not set itself.

extension StoreConfiguration {
  /// The keys of one of the two storages.
  struct StorageKeys {
    let storageType, address, port, region, accessKeyID, secretAccessKey, token, gcpCredentialJSON: ConfigurationKey
    let useSSL, bucketName, rootPath, useIAM, iamEndpoint: ConfigurationKey

    /// The storage Milvus writes to.
    static let primary = StorageKeys(
      storageType: .storageType, address: .address, port: .port, region: .region, accessKeyID: .accessKeyID,
      secretAccessKey: .secretAccessKey, token: .token, gcpCredentialJSON: .gcpCredentialJSON, useSSL: .useSSL,
      bucketName: .bucketName, rootPath: .rootPath, useIAM: .useIAM, iamEndpoint: .iamEndpoint)

    /// The storage of the backups.
    static let backup = StorageKeys(
      storageType: .backupStorageType, address: .backupAddress, port: .backupPort, region: .backupRegion,
      accessKeyID: .backupAccessKeyID, secretAccessKey: .backupSecretAccessKey, token: .backupToken,
      gcpCredentialJSON: .backupGCPCredentialJSON, useSSL: .backupUseSSL, bucketName: .backupBucketName,
      rootPath: .backupRootPath, useIAM: .backupUseIAM, iamEndpoint: .backupIAMEndpoint)
  }

  static func storage(
    _ resolver: SettingsResolver, _ keys: StorageKeys
  ) throws(ConfigurationError) -> StorageConfiguration {
    var storage = StorageConfiguration()
    storage.storageType = try storageType(resolver, keys.storageType)
    if storage.storageType == .local {
      storage.rootPath = try directory(resolver, keys.rootPath)
      return storage
    }
    storage.address = try resolver.host(keys.address)
    storage.port = try resolver.port(keys.port)
    storage.region = resolver.text(keys.region)
    storage.accessKeyID = resolver.text(keys.accessKeyID)
    storage.secretAccessKey = resolver.secret(keys.secretAccessKey)
    storage.token = resolver.secret(keys.token)
    storage.gcpCredentialJSON = resolver.text(keys.gcpCredentialJSON)
    storage.useSSL = try resolver.boolean(keys.useSSL)
    storage.bucketName = try resolver.nonEmptyText(keys.bucketName, "bucket name")
    storage.rootPath = try rootPath(resolver, keys.rootPath)
    storage.useIAM = try resolver.boolean(keys.useIAM)
    storage.iamEndpoint = resolver.text(keys.iamEndpoint)
    storage.settingNames = resolver.settingNames(keys)
    try checkCredentials(of: storage, resolver, keys)
    return storage
  }

  private static func storageType(
    _ resolver: SettingsResolver, _ key: ConfigurationKey
  ) throws(ConfigurationError) -> StorageType {
    let value = resolver.value(key)
    let supported = StorageType.supported.map(\.rawValue).joined(separator: ", ")
    guard let type = StorageType(name: value.text) else {
      throw resolver.refusal(of: value, "there is no such storage type; this release supports \(supported)")
    }
    guard StorageType.supported.contains(type) else {
      throw resolver.refusal(
        of: value, "this release supports \(supported): the S3 protocol, and directories of this machine")
    }
    return type
  }

  /// The backup root which is absent *or empty* is that of Milvus, and `backup` if that is empty too.
  private static func rootPath(
    _ resolver: SettingsResolver, _ key: ConfigurationKey
  ) throws(ConfigurationError) -> String {
    let path = try resolver.objectPath(key)
    guard path.isEmpty, let inherited = key.inheritedKey else { return path }
    let primary = try resolver.objectPath(inherited)
    return primary.isEmpty ? "backup" : primary
  }

  /// The directory of a storage of type `local`. A backup root which is absent or empty is that of Milvus here, too.
  private static func directory(
    _ resolver: SettingsResolver, _ key: ConfigurationKey
  ) throws(ConfigurationError) -> String {
    if resolver.text(key).isEmpty, let inherited = key.inheritedKey { return try directory(resolver, inherited) }
    return try resolver.directoryPath(key)
  }

  private static func checkCredentials(
    of storage: StorageConfiguration, _ resolver: SettingsResolver, _ keys: StorageKeys
  ) throws(ConfigurationError) {
    guard !storage.useIAM else {
      throw resolver.refusal(
        of: resolver.value(keys.useIAM),
        "this release cannot get credentials from an identity service; set it to false and give"
          + " \(keys.accessKeyID.rawValue) and \(keys.secretAccessKey.rawValue), or leave both empty and set"
          + " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment")
    }
    guard storage.accessKeyID.isEmpty == storage.secretAccessKey.isEmpty else {
      let (empty, other) =
        storage.accessKeyID.isEmpty
        ? (keys.accessKeyID, keys.secretAccessKey) : (keys.secretAccessKey, keys.accessKeyID)
      throw ConfigurationError(
        file: resolver.file, key: empty.rawValue,
        "\(empty.rawValue) is empty (\(resolver.value(empty).origin)) although \(other.rawValue) is not; set both, or"
          + " neither, for the keys of the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or anonymous access.")
    }
  }
}
