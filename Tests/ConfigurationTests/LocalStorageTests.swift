import Testing

@testable import Configuration

@Suite struct LocalStorageTests {
  @Test func aDirectoryNeedsNothingButItsPath() throws {
    let store = try configuration(
      "minio: {storageType: local, rootPath: /var//lib/./milvus/, address: 'http://x', accessKeyID: '', bucketName: ''}"
    )
    #expect(store.storage.storageType == .local)
    #expect(store.storage.rootPath == "/var/lib/milvus")
    #expect(store.backupStorage.storageType == .local)
    #expect(store.backupStorage.rootPath == "/var/lib/milvus", "inherited, as with every type")
  }

  @Test func backupsMayLieInADirectoryWhereMilvusHasABucket() throws {
    let store = try configuration(
      "minio: {rootPath: files, backupStorageType: Local, backupRootPath: /srv/backups, backupUseIAM: true}")
    #expect(store.storage.storageType == .minio && store.storage.rootPath == "files")
    #expect(store.backupStorage.storageType == .local && store.backupStorage.rootPath == "/srv/backups")
  }

  @Test func backupsMayLieInABucketWhereMilvusHasADirectory() throws {
    let store = try configuration(
      "minio: {storageType: local, rootPath: /var/lib/milvus, backupStorageType: s3, backupRootPath: backup}")
    #expect(store.storage.rootPath == "/var/lib/milvus")
    #expect(store.backupStorage.storageType == .s3 && store.backupStorage.rootPath == "backup")
    #expect(store.backupStorage.bucketName == "a-bucket")
  }

  @Test func anInheritedPathThatIsNoDirectoryIsRefused() {
    let text = sentence { try configuration("minio: {rootPath: files, backupStorageType: local}") }
    #expect(text.contains("minio.backupRootPath is \"files\" (as minio.rootPath)"), "\(text)")
    #expect(text.contains("absolute path of a directory"))
    let empty = sentence { try configuration("minio: {rootPath: files, backupStorageType: local, backupRootPath: ''}") }
    #expect(empty.contains("minio.rootPath is \"files\"") && empty.contains("absolute path"), "\(empty)")
  }
}
