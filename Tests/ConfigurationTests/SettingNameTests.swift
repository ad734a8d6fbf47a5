import Testing

@testable import Configuration

/// Names by which messages tell where a value can be changed.
@Suite struct SettingNameTests {
  private func load(
    _ yaml: String, environment: [String: String] = [:], options: [String] = []
  ) throws -> StoreConfiguration {
    try StoreConfiguration(
      yaml: yaml, file: "a.yaml", environment: environment, overrides: try ConfigurationOverrides(options))
  }

  @Test func valueThatIsInheritedIsNamedByTheKeyItComesFrom() throws {
    let store = try load("minio:\n  address: a\n  backupPort: 9001\n  backupBucketName: b\n")
    let names = store.backupStorage.settingNames
    #expect(names.address == "minio.address" && names.secretAccessKey == "minio.secretAccessKey")
    #expect(names.port == "minio.backupPort" && names.bucketName == "minio.backupBucketName")
    #expect(store.storage.settingNames == StorageSettingNames())
  }

  @Test func emptyBackupRootIsThatOfMilvus() throws {
    #expect(
      try load("minio:\n  rootPath: r\n  backupRootPath: ''\n").backupStorage.settingNames.rootPath == "minio.rootPath")
    #expect(
      try load("minio:\n  rootPath: r\n  backupRootPath: b\n").backupStorage.settingNames.rootPath
        == "minio.backupRootPath")
  }

  @Test func overriddenValueIsNamedWithWhatOverridesIt() throws {
    let store = try load(
      "minio:\n  port: 9000\n", environment: ["MINIO_PORT": "1"], options: ["minio.secretAccessKey=x"])
    for names in [store.storage.settingNames, store.backupStorage.settingNames] {
      #expect(names.port == "minio.port (from the environment variable MINIO_PORT)")
      #expect(names.secretAccessKey == "minio.secretAccessKey (from --set)")
    }
  }
}
