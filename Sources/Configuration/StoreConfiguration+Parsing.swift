// From the text of a configuration file to a StoreConfiguration. No file is touched here.

extension StoreConfiguration {
  /// Reads a configuration.
  ///
  /// A `--set` option wins over the environment, which wins over the file, which wins over the defaults. One environment
  /// applies to every file, as it does for milvus-backup: with several stores, set in it only what they share.
  ///
  /// An empty file is valid and means the defaults throughout; ``warnings`` says so.
  ///
  /// - Parameters:
  ///   - yaml: contents of the file.
  ///   - file: its path, which gives the store its name and is shown in errors.
  ///   - environment: environment variables by name. Empty ones count as not set.
  ///   - overrides: the `--set` options.
  /// - Throws: a ``ConfigurationError`` naming the file, the key, the value unless secret, its origin and what is
  ///   allowed.
  public init(
    yaml: String, file: String, environment: [String: String] = [:], overrides: ConfigurationOverrides = .none
  ) throws(ConfigurationError) {
    self.init(name: try StoreName.name(ofFile: file), file: file)
    let resolver = try SettingsResolver(yaml: yaml, file: file, environment: environment, overrides: overrides)
    milvus = try Self.milvus(resolver)
    storage = try Self.storage(resolver, .primary)
    backupStorage = try Self.storage(resolver, .backup)
    crossStorage = try resolver.boolean(.crossStorage)
    multipartCopyThresholdMiB = try resolver.count(.multipartCopyThresholdMiB)
    parallelism.copyData = try resolver.count(.copyData)
    parallelism.backupCollection = try resolver.count(.backupCollection)
    parallelism.backupSegment = try resolver.count(.backupSegment)
    parallelism.restoreCollection = try resolver.count(.restoreCollection)
    parallelism.importJob = try resolver.count(.importJob)
    keepTempFiles = try resolver.boolean(.keepTempFiles)
    gcPause.isEnabled = try resolver.boolean(.gcPauseEnable)
    gcPause.address = try Self.managementURL(resolver, isNeeded: gcPause.isEnabled)
    logLevel = try Self.logLevel(resolver)
    warnings = resolver.warnings
    settings = resolver.settings
  }

  private static func milvus(_ resolver: SettingsResolver) throws(ConfigurationError) -> MilvusConfiguration {
    var milvus = MilvusConfiguration()
    milvus.address = try resolver.host(.milvusAddress)
    milvus.port = try resolver.port(.milvusPort)
    milvus.user = resolver.text(.milvusUser)
    milvus.password = resolver.secret(.milvusPassword)
    milvus.tlsMode = try resolver.choice(.milvusTLSMode, of: MilvusConfiguration.TLSMode.allCases) { "\($0.rawValue)" }
    milvus.caCertPath = resolver.text(.milvusCACertPath)
    milvus.serverName = resolver.text(.milvusServerName)
    milvus.mtlsCertPath = resolver.text(.milvusMTLSCertPath)
    milvus.mtlsKeyPath = resolver.text(.milvusMTLSKeyPath)
    milvus.rpcChannelName = resolver.text(.milvusRPCChannelName)
    milvus.etcd.endpoints = resolver.text(.etcdEndpoints).split(separator: ",").map { $0.filter { $0 != " " } }
    milvus.etcd.rootPath = resolver.text(.etcdRootPath)
    if milvus.tlsMode == .mutual {
      for key in [ConfigurationKey.milvusMTLSCertPath, .milvusMTLSKeyPath] where resolver.text(key).isEmpty {
        throw resolver.refusal(
          of: resolver.value(.milvusTLSMode),
          "with mutual TLS \(key.rawValue) must be set too; allowed without it are 0 (no TLS) and 1 (server TLS)")
      }
    }
    return milvus
  }

  /// The levels above `error` that milvus-backup knows are all one here, and an empty level is `info`.
  private static func logLevel(_ resolver: SettingsResolver) throws(ConfigurationError) -> LogLevel {
    switch resolver.text(.logLevel).lowercased() {
    case "": .info
    case "dpanic", "panic", "fatal": .error
    default: try resolver.choice(.logLevel, of: LogLevel.allCases) { $0.rawValue }
    }
  }

  private static func managementURL(
    _ resolver: SettingsResolver, isNeeded: Bool
  ) throws(ConfigurationError) -> String {
    let value = resolver.value(.gcPauseAddress)
    guard !isNeeded || value.text.hasPrefix("http://") || value.text.hasPrefix("https://") else {
      throw resolver.refusal(of: value, "allowed is a URL that begins with http:// or https://")
    }
    return value.text
  }
}
