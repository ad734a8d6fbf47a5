// Which source of a setting wins.

import Testing

@testable import Configuration

@Suite struct PrecedenceTests {
  private let yaml = "milvus: {port: 2}\nminio: {bucketName: file}\n"

  @Test func optionsWinOverEnvironmentOverFileOverDefault() throws {
    let environment = ["MILVUS_PORT": "3"]
    #expect(try configuration("").milvus.port == 19530)
    #expect(try configuration(yaml).milvus.port == 2)
    #expect(try configuration(yaml, environment: environment).milvus.port == 3)
    #expect(try configuration(yaml, environment: environment, set: ["milvus.port=4"]).milvus.port == 4)
    #expect(try configuration(yaml, set: ["milvus.port=4"]).milvus.port == 4)
  }

  @Test func originsAreRecorded() throws {
    let store = try configuration(
      yaml, environment: ["MINIO_REGION": "r"], set: ["MILVUS_USER=u", "storage.storageType=s3"])
    func origin(_ key: String) -> SettingOrigin? { store.settings.first { $0.key == key }?.origin }
    #expect(origin("milvus.port") == .file(line: 1))
    #expect(origin("minio.bucketName") == .file(line: 2))
    #expect(origin("minio.region") == .environment("MINIO_REGION"))
    #expect(origin("milvus.user") == .option("MILVUS_USER"))
    #expect(origin("minio.storageType") == .option("storage.storageType"))
    #expect(origin("minio.backupBucketName") == .inherited(from: "minio.bucketName"))
    #expect(origin("milvus.address") == .builtIn)
    #expect(store.settings.count == ConfigurationKey.allCases.count)
  }

  @Test func aFallbackFollowsTheResolvedValue() throws {
    let store = try configuration("minio: {address: file}", environment: ["MINIO_ADDRESS": "env"])
    #expect(store.backupStorage.address == "env")
    let own = try configuration("minio: {backupAddress: own}", environment: ["MINIO_ADDRESS": "env"])
    #expect(own.backupStorage.address == "own")
  }

  @Test func everyEnvironmentNameOfTheFormatIsKnown() {
    let names = ConfigurationKey.allCases.compactMap(\.environmentName).sorted()
    #expect(
      names == [
        "BACKUP_GCP_KEY_JSON", "BACKUP_GC_PAUSE_ADDRESS", "BACKUP_GC_PAUSE_ENABLE", "BACKUP_KEEP_TEMP_FILES",
        "BACKUP_PARALLELISM_BACKUP_COLLECTION", "BACKUP_PARALLELISM_COPYDATA", "BACKUP_PARALLELISM_RESTORE_COLLECTION",
        "GCP_KEY_JSON", "MILVUS_ADDRESS", "MILVUS_CA_CERT_PATH", "MILVUS_MTLS_CERT_PATH", "MILVUS_MTLS_KEY_PATH",
        "MILVUS_PASSWORD", "MILVUS_PORT", "MILVUS_RPC_CHANNEL_NAME", "MILVUS_SERVER_NAME", "MILVUS_TLS_MODE",
        "MILVUS_USER", "MINIO_ACCESS_KEY", "MINIO_ADDRESS", "MINIO_BACKUP_ACCESS_KEY", "MINIO_BACKUP_ADDRESS",
        "MINIO_BACKUP_BUCKET_NAME", "MINIO_BACKUP_IAM_ENDPOINT", "MINIO_BACKUP_PORT", "MINIO_BACKUP_REGION",
        "MINIO_BACKUP_ROOT_PATH", "MINIO_BACKUP_SECRET_KEY", "MINIO_BACKUP_TOKEN", "MINIO_BACKUP_USE_IAM",
        "MINIO_BACKUP_USE_SSL", "MINIO_BUCKET_NAME", "MINIO_IAM_ENDPOINT", "MINIO_PORT", "MINIO_REGION",
        "MINIO_ROOT_PATH", "MINIO_SECRET_KEY", "MINIO_TOKEN", "MINIO_USE_IAM", "MINIO_USE_SSL",
      ])
  }

  @Test(arguments: ConfigurationKey.allCases.compactMap(\.environmentName))
  func everyEnvironmentVariableSetsItsKey(name: String) throws {
    let key = try #require(ConfigurationKey.key(ofEnvironmentName: name))
    let value =
      switch key {
      case .milvusTLSMode, .milvusPort, .port, .backupPort, .copyData, .backupCollection, .restoreCollection: "1"
      case .useSSL, .backupUseSSL, .keepTempFiles, .gcPauseEnable: "true"
      case .useIAM, .backupUseIAM: "false"
      case .gcPauseAddress: "http://x"
      default: "x"
      }
    let store = try configuration("", environment: [name: value])
    let setting = try #require(store.settings.first { $0.key == key.rawValue })
    #expect(setting.origin == .environment(name))
    #expect(setting.displayValue == (key.isSecret ? "***" : value))
  }

  @Test func anEmptyEnvironmentVariableCountsAsUnset() throws {
    #expect(try configuration(yaml, environment: ["MINIO_BUCKET_NAME": ""]).storage.bucketName == "file")
  }

  @Test func optionsTakeListsAndAnyCase() throws {
    let store = try configuration("", set: ["MILVUS.PORT=5,minio.bucketname=b", "minio_region=r,milvus.user="])
    #expect(store.milvus.port == 5)
    #expect(store.storage.bucketName == "b")
    #expect(store.storage.region == "r")
    #expect(store.milvus.user == "")
  }

  @Test func commasInsideAValueBelongToIt() throws {
    let store = try configuration("", set: ["milvus.etcd.endpoints=a:1,b:2,milvus.password=x,"])
    #expect(store.milvus.etcd.endpoints == ["a:1", "b:2"])
    #expect(store.milvus.password == Secret("x,"))
  }

  @Test func theLastOptionForAKeyWins() throws {
    #expect(try configuration("", set: ["milvus.port=5", "MILVUS_PORT=6"]).milvus.port == 6)
  }

  @Test func valuesOfOptionsMayContainEqualSigns() throws {
    #expect(try configuration("", set: ["minio.secretAccessKey=a=b=="]).storage.secretAccessKey == Secret("a=b=="))
  }

  @Test(arguments: [
    (
      ["milvus.prot=1"],
      "--set milvus.prot: there is no such key. Did you mean milvus.port? Keys are those of backup.yaml, such as milvus.port."
    ),
    (["nothing=1"], "--set nothing: there is no such key. Keys are those of backup.yaml, such as milvus.port."),
    (["milvus.port"], "--set milvus.port…: an argument must have the form KEY=VALUE, such as milvus.port=19530."),
    (
      ["milvus.password:hunter2"],
      "--set milvus.password…: an argument must have the form KEY=VALUE, such as milvus.port=19530."
    ),
    ([""], "--set …: an argument must have the form KEY=VALUE, such as milvus.port=19530."),
  ])
  func malformedOptionsAreRefusedWithoutShowingValues(arguments: [String], message: String) {
    #expect(sentence { try ConfigurationOverrides(arguments) } == message)
  }

  @Test func keysOfTheOfficialToolOnlyAreAcceptedAndIgnored() throws {
    let store = try configuration("log: {console: false}\nhttp: {enabled: true}", set: ["cloud.apikey=x"])
    #expect(store.warnings == [])
    #expect(store.milvus == MilvusConfiguration())
  }
}
