// Environment variables, defaults, other names and inheritance of the keys (milvus-backup configuration, schema v1).

extension ConfigurationKey {
  /// Name of the environment variable that sets the key, nil if none does.
  var environmentName: String? {
    switch self {
    case .milvusAddress: "MILVUS_ADDRESS"
    case .milvusPort: "MILVUS_PORT"
    case .milvusUser: "MILVUS_USER"
    case .milvusPassword: "MILVUS_PASSWORD"
    case .milvusTLSMode: "MILVUS_TLS_MODE"
    case .milvusCACertPath: "MILVUS_CA_CERT_PATH"
    case .milvusServerName: "MILVUS_SERVER_NAME"
    case .milvusMTLSCertPath: "MILVUS_MTLS_CERT_PATH"
    case .milvusMTLSKeyPath: "MILVUS_MTLS_KEY_PATH"
    case .milvusRPCChannelName: "MILVUS_RPC_CHANNEL_NAME"
    case .address: "MINIO_ADDRESS"
    case .port: "MINIO_PORT"
    case .region: "MINIO_REGION"
    case .accessKeyID: "MINIO_ACCESS_KEY"
    case .secretAccessKey: "MINIO_SECRET_KEY"
    case .token: "MINIO_TOKEN"
    case .gcpCredentialJSON: "GCP_KEY_JSON"
    case .useSSL: "MINIO_USE_SSL"
    case .bucketName: "MINIO_BUCKET_NAME"
    case .rootPath: "MINIO_ROOT_PATH"
    case .useIAM: "MINIO_USE_IAM"
    case .iamEndpoint: "MINIO_IAM_ENDPOINT"
    case .backupAddress: "MINIO_BACKUP_ADDRESS"
    case .backupPort: "MINIO_BACKUP_PORT"
    case .backupRegion: "MINIO_BACKUP_REGION"
    case .backupAccessKeyID: "MINIO_BACKUP_ACCESS_KEY"
    case .backupSecretAccessKey: "MINIO_BACKUP_SECRET_KEY"
    case .backupToken: "MINIO_BACKUP_TOKEN"
    case .backupGCPCredentialJSON: "BACKUP_GCP_KEY_JSON"
    case .backupUseSSL: "MINIO_BACKUP_USE_SSL"
    case .backupBucketName: "MINIO_BACKUP_BUCKET_NAME"
    case .backupRootPath: "MINIO_BACKUP_ROOT_PATH"
    case .backupUseIAM: "MINIO_BACKUP_USE_IAM"
    case .backupIAMEndpoint: "MINIO_BACKUP_IAM_ENDPOINT"
    case .copyData: "BACKUP_PARALLELISM_COPYDATA"
    case .backupCollection: "BACKUP_PARALLELISM_BACKUP_COLLECTION"
    case .restoreCollection: "BACKUP_PARALLELISM_RESTORE_COLLECTION"
    case .keepTempFiles: "BACKUP_KEEP_TEMP_FILES"
    case .gcPauseEnable: "BACKUP_GC_PAUSE_ENABLE"
    case .gcPauseAddress: "BACKUP_GC_PAUSE_ADDRESS"
    case .logLevel, .etcdEndpoints, .etcdRootPath, .storageType, .backupStorageType, .crossStorage,
      .multipartCopyThresholdMiB, .backupSegment, .importJob:
      nil
    }
  }

  /// The key whose value stands in when this one is absent.
  var inheritedKey: ConfigurationKey? {
    switch self {
    case .backupStorageType: .storageType
    case .backupAddress: .address
    case .backupPort: .port
    case .backupRegion: .region
    case .backupAccessKeyID: .accessKeyID
    case .backupSecretAccessKey: .secretAccessKey
    case .backupToken: .token
    case .backupUseSSL: .useSSL
    case .backupBucketName: .bucketName
    case .backupRootPath: .rootPath
    case .backupUseIAM: .useIAM
    case .backupIAMEndpoint: .iamEndpoint
    default: nil
    }
  }

  /// The value when nothing sets the key.
  var defaultValue: String {
    switch self {
    case .logLevel: "info"
    case .milvusAddress, .address: "localhost"
    case .milvusPort: "19530"
    case .milvusTLSMode: "0"
    case .milvusRPCChannelName: "by-dev-replicate-msg"
    case .etcdEndpoints: "localhost:2379"
    case .etcdRootPath: "by-dev"
    case .storageType: "minio"
    case .port: "9000"
    case .accessKeyID, .secretAccessKey: "minioadmin"
    case .bucketName: "a-bucket"
    case .rootPath: "files"
    case .useSSL, .useIAM, .crossStorage, .keepTempFiles: "false"
    case .multipartCopyThresholdMiB: "500"
    case .copyData: "128"
    case .backupCollection: "4"
    case .backupSegment: "1024"
    case .restoreCollection: "2"
    case .importJob: "768"
    case .gcPauseEnable: "true"
    case .gcPauseAddress: "http://localhost:9091"
    default: ""
    }
  }

  /// Other names of the key in files and `--set`.
  var aliases: [String] {
    switch self {
    case .storageType: ["storage.storageType", "minio.cloudProvider"]
    case .backupStorageType: ["storage.backupStorageType"]
    default: []
    }
  }

  /// Whether the value must never be shown.
  var isSecret: Bool {
    switch self {
    case .milvusPassword, .secretAccessKey, .token, .backupSecretAccessKey, .backupToken: true
    default: false
    }
  }

  /// Keys that concern only milvus-backup itself or only old versions of it: accepted, without effect.
  static let withoutEffect = [
    "configVersion", "log.console", "log.file.filename", "log.file.rootPath", "log.file.maxSize", "log.file.maxDays",
    "log.file.maxBackups", "http.enabled", "http.debugMode", "http.swaggerBasePath", "http.simpleResponse",
    "cloud.address", "cloud.apikey", "backup.gcPause.seconds", "backup.maxSegmentGroupSize",
    "milvus.authorizationEnabled", "milvus.tlsCertPath",
  ]

  /// All spellings of keys with the key they mean, nil for a key without effect; indexed by lower-case spelling.
  private static let index: [String: ConfigurationKey?] = {
    var index: [String: ConfigurationKey?] = [:]
    for name in withoutEffect { index[name.lowercased()] = .some(nil) }
    for key in allCases {
      for name in [key.rawValue] + key.aliases { index[name.lowercased()] = key }
    }
    return index
  }()

  /// What a key spelled by a user means.
  enum Meaning {
    case key(ConfigurationKey)
    case withoutEffect
    case unknown
  }

  /// Finds a key by any of its names, without regard to case.
  static func meaning(of name: String) -> Meaning {
    switch index[name.lowercased()] {
    case .some(.some(let key)): .key(key)
    case .some(.none): .withoutEffect
    case .none: .unknown
    }
  }

  /// Finds a key by its environment variable, without regard to case.
  static func key(ofEnvironmentName name: String) -> ConfigurationKey? {
    allCases.first { $0.environmentName == name.uppercased() }
  }

  /// The known spelling that `name` was probably meant to be.
  static func suggestion(for name: String) -> String? {
    let names = allCases.flatMap { [$0.rawValue] + $0.aliases } + withoutEffect
    return Spelling.nearest(to: name, among: names)
  }
}
