// Secrets stay secret.

import Configuration
import Testing

@Suite struct SecretTests {
  @Test func aSecretShowsAMaskOnly() {
    let secret = Secret("hunter2")
    var dumped = ""
    dump(secret, to: &dumped)
    let shown = ["\(secret)", String(reflecting: secret), String(describing: secret), secret.debugDescription, dumped]
    for text in shown { #expect(!text.contains("hunter2")) }
    #expect("\(secret)" == "***")
    #expect(Mirror(reflecting: secret).children.isEmpty)
    #expect(secret.reveal() == "hunter2")
    #expect(!secret.isEmpty && Secret().isEmpty && "\(Secret())" == "")
  }

  private let yaml = """
    milvus: {password: hunter1}
    minio: {secretAccessKey: hunter2, token: hunter3, backupSecretAccessKey: hunter4, backupToken: hunter5}
    """

  @Test func aConfigurationNeverShowsItsSecrets() throws {
    let store = try configuration(yaml)
    var dumped = ""
    dump(store, to: &dumped)
    for text in ["\(store)", String(reflecting: store), dumped, store.table()] {
      #expect(!text.contains("hunter"))
      #expect(text.contains("***"))
    }
    #expect(store.backupStorage.token.reveal() == "hunter5")
  }

  @Test func optionsNeverShowTheirSecrets() throws {
    let overrides = try ConfigurationOverrides(["milvus.password=hunter2"])
    var dumped = ""
    dump(overrides, to: &dumped)
    for text in ["\(overrides)", String(reflecting: overrides), dumped] { #expect(!text.contains("hunter2")) }
  }

  @Test func theTableShowsKeysValuesAndSources() throws {
    let table = try configuration(yaml, environment: ["MILVUS_USER": "root"]).table()
    let lines = table.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true) }
    #expect(lines.first == ["KEY", "VALUE", "SOURCE"])
    #expect(lines.contains(["milvus.user", "root", "environment", "MILVUS_USER"]))
    #expect(lines.contains(["milvus.password", "***", "line", "1"]))
    #expect(lines.contains(["minio.backupBucketName", "a-bucket", "as", "minio.bucketName"]))
    #expect(lines.contains(["minio.bucketName", "a-bucket", "default"]))
    #expect(lines.contains(["milvus.caCertPath", "default"]))
  }
}
