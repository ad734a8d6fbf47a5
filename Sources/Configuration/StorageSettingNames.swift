// What to call the settings of a storage in messages: where an operator finds and changes each value, which is not always
// the key that is read. A backup side that sets nothing of its own has its values from the keys of Milvus' side.

/// The names under which a storage's values can be changed.
public struct StorageSettingNames: Hashable, Sendable {
  /// Of the address.
  public var address = ConfigurationKey.address.rawValue
  /// Of the port.
  public var port = ConfigurationKey.port.rawValue
  /// Of the region.
  public var region = ConfigurationKey.region.rawValue
  /// Of the access key.
  public var accessKeyID = ConfigurationKey.accessKeyID.rawValue
  /// Of the secret key.
  public var secretAccessKey = ConfigurationKey.secretAccessKey.rawValue
  /// Of the session token.
  public var token = ConfigurationKey.token.rawValue
  /// Of the use of TLS.
  public var useSSL = ConfigurationKey.useSSL.rawValue
  /// Of the bucket.
  public var bucketName = ConfigurationKey.bucketName.rawValue
  /// Of the prefix of all keys.
  public var rootPath = ConfigurationKey.rootPath.rawValue

  /// Makes the names of Milvus' side, as they are in a file.
  public init() {}
}

extension SettingsResolver {
  /// The name under which the value of `key` can be changed: the key, the one it is inherited from, or with the
  /// environment variable or option that overrides the file.
  func settingName(_ key: ConfigurationKey) -> String {
    switch value(key).origin {
    case .inherited(let other): ConfigurationKey(rawValue: other).map(settingName) ?? other
    case .environment(let name): "\(key.rawValue) (from the environment variable \(name))"
    case .option: "\(key.rawValue) (from --set)"
    case .file, .builtIn: key.rawValue
    }
  }

  /// The names of all settings of one of the two storages.
  func settingNames(_ keys: StoreConfiguration.StorageKeys) -> StorageSettingNames {
    var names = StorageSettingNames()
    names.address = settingName(keys.address)
    names.port = settingName(keys.port)
    names.region = settingName(keys.region)
    names.accessKeyID = settingName(keys.accessKeyID)
    names.secretAccessKey = settingName(keys.secretAccessKey)
    names.token = settingName(keys.token)
    names.useSSL = settingName(keys.useSSL)
    names.bucketName = settingName(keys.bucketName)
    // An empty backup root, too, is that of Milvus' side.
    let isInherited =
      value(keys.rootPath).text.isEmpty && keys.rootPath.inheritedKey.map { !value($0).text.isEmpty } == true
    names.rootPath = settingName(isInherited ? keys.rootPath.inheritedKey ?? keys.rootPath : keys.rootPath)
    return names
  }
}
