// Defaults, inheritance and normalisation.

import Configuration
import Testing

@Suite struct DefaultsTests {
  @Test(arguments: ["", "\n", "# only a comment\n", "---\n", "~", "milvus:\nminio:\n"])
  func aFileThatSetsNothingMeansTheDefaultsAndSaysSo(yaml: String) throws {
    let store = try configuration(yaml)
    #expect(store.name == "store")
    #expect(store.file == "configs/store.yaml")
    #expect(store.milvus == MilvusConfiguration())
    #expect(store.storage == StorageConfiguration())
    #expect(store.backupStorage == StorageConfiguration())
    #expect(store.parallelism == StoreConfiguration.Parallelism())
    #expect(store.gcPause == StoreConfiguration.GCPause())
    #expect(store.multipartCopyThresholdMiB == 500)
    #expect(!store.crossStorage && !store.keepTempFiles)
    #expect(store.logLevel == .info)
    #expect(store.warnings == ["The file configs/store.yaml sets nothing; all settings have their defaults."])
  }

  @Test func everyKeyIsRead() throws {
    let store = try configuration(
      """
      log: {level: warn}
      milvus:
        address: m.example.org
        port: 1
        user: u
        password: p
        tlsMode: 2
        caCertPath: ca
        serverName: sn
        mtlsCertPath: mc
        mtlsKeyPath: mk
        rpcChannelName: rpc
        etcd: {endpoints: "e1:1, e2:2", rootPath: er}
      minio:
        storageType: s3
        address: a
        port: 2
        region: r
        accessKeyID: k
        secretAccessKey: s
        token: t
        gcpCredentialJSON: g
        useSSL: true
        bucketName: b
        rootPath: rp
        iamEndpoint: ie
        backupStorageType: aws
        backupAddress: ba
        backupPort: 65535
        backupRegion: br
        backupAccessKeyID: bk
        backupSecretAccessKey: bs
        backupToken: bt
        backupGcpCredentialJSON: bg
        backupUseSSL: false
        backupBucketName: bb
        backupRootPath: brp
        backupIamEndpoint: bie
        crossStorage: "true"
        multipartCopyThresholdMiB: 64
      backup:
        parallelism: {copydata: 3, backupCollection: 4, backupSegment: 5, restoreCollection: 6, importJob: 7}
        keepTempFiles: true
        gcPause: {enable: false, address: "https://h:9091"}
      """)
    var milvus = MilvusConfiguration()
    milvus.address = "m.example.org"
    milvus.port = 1
    milvus.user = "u"
    milvus.password = Secret("p")
    milvus.tlsMode = .mutual
    milvus.caCertPath = "ca"
    milvus.serverName = "sn"
    milvus.mtlsCertPath = "mc"
    milvus.mtlsKeyPath = "mk"
    milvus.rpcChannelName = "rpc"
    milvus.etcd.endpoints = ["e1:1", "e2:2"]
    milvus.etcd.rootPath = "er"
    #expect(store.milvus == milvus)
    var storage = StorageConfiguration()
    storage.storageType = .s3
    storage.address = "a"
    storage.port = 2
    storage.region = "r"
    storage.accessKeyID = "k"
    storage.secretAccessKey = Secret("s")
    storage.token = Secret("t")
    storage.gcpCredentialJSON = "g"
    storage.useSSL = true
    storage.bucketName = "b"
    storage.rootPath = "rp"
    storage.iamEndpoint = "ie"
    #expect(store.storage == storage)
    storage.storageType = .aws
    storage.address = "ba"
    storage.port = 65535
    storage.region = "br"
    storage.accessKeyID = "bk"
    storage.secretAccessKey = Secret("bs")
    storage.token = Secret("bt")
    storage.gcpCredentialJSON = "bg"
    storage.useSSL = false
    storage.bucketName = "bb"
    storage.rootPath = "brp"
    storage.iamEndpoint = "bie"
    storage.settingNames = store.backupStorage.settingNames
    #expect(storage.settingNames.address == "minio.backupAddress" && storage.settingNames.token == "minio.backupToken")
    #expect(store.backupStorage == storage)
    #expect(store.crossStorage && store.keepTempFiles)
    #expect(store.multipartCopyThresholdMiB == 64)
    let parallelism = store.parallelism
    #expect(
      [
        parallelism.copyData, parallelism.backupCollection, parallelism.backupSegment, parallelism.restoreCollection,
        parallelism.importJob,
      ] == [3, 4, 5, 6, 7])
    #expect(store.gcPause.isEnabled == false)
    #expect(store.gcPause.address == "https://h:9091")
    #expect(store.logLevel == .warn)
    #expect(store.warnings == [])
  }

  @Test func theBackupSideInheritsWhatItDoesNotSet() throws {
    let store = try configuration(
      """
      minio:
        storageType: s3
        address: a
        port: 2
        region: r
        accessKeyID: k
        secretAccessKey: s
        token: t
        gcpCredentialJSON: g
        useSSL: true
        bucketName: b
        rootPath: rp
        iamEndpoint: ie
      """)
    var expected = store.storage
    // The credential file is the one value that is not inherited.
    expected.gcpCredentialJSON = ""
    #expect(store.backupStorage == expected)
    #expect(store.backupStorage.address == "a")
    #expect(store.backupStorage.useSSL)
  }

  @Test func anExplicitFalseOfTheBackupSideWins() throws {
    let store = try configuration("minio: {useSSL: true, backupUseSSL: false}")
    #expect(store.storage.useSSL)
    #expect(!store.backupStorage.useSSL)
  }

  @Test func anExplicitlyEmptyTokenIsNotInherited() throws {
    let store = try configuration("minio: {token: t, backupToken: \"\"}")
    #expect(store.backupStorage.token.isEmpty)
    #expect(try configuration("minio: {token: t, backupToken: }").backupStorage.token == Secret("t"))
  }

  @Test(arguments: [
    ("{}", "files", "files"), ("{rootPath: a}", "a", "a"), ("{rootPath: a, backupRootPath: b}", "a", "b"),
    ("{rootPath: a, backupRootPath: ''}", "a", "a"), ("{rootPath: ''}", "", "backup"),
    ("{rootPath: /, backupRootPath: //}", "", "backup"), ("{rootPath: '', backupRootPath: b}", "", "b"),
    ("{rootPath: /a//b/, backupRootPath: ./c/./d}", "a/b", "c/d"),
  ])
  func rootPathsAreCleanedAndInherited(minio: String, rootPath: String, backupRootPath: String) throws {
    let store = try configuration("minio: \(minio)")
    #expect(store.storage.rootPath == rootPath)
    #expect(store.backupStorage.rootPath == backupRootPath)
  }

  @Test func keysAreFoundWithoutRegardToCaseAndByOtherNames() throws {
    #expect(try configuration("MINIO: {BucketNAME: b}").storage.bucketName == "b")
    #expect(try configuration("storage: {storageType: s3}").storage.storageType == .s3)
    #expect(try configuration("minio: {cloudProvider: aws}").storage.storageType == .aws)
    #expect(try configuration("storage: {backupStorageType: s3}").backupStorage.storageType == .s3)
    #expect(try configuration("minio: {cloudProvider: aws, storageType: S3}").storage.storageType == .s3)
    #expect(try configuration("minio.bucketName: dotted").storage.bucketName == "dotted")
  }

  @Test func valuesAreTakenAsWritten() throws {
    let store = try configuration(
      """
      milvus: {password: 0123, user: 1e5}
      minio: {accessKeyID: true, secretAccessKey: "null", region: 'no'}
      """)
    #expect(store.milvus.password == Secret("0123"))
    #expect(store.milvus.user == "1e5")
    #expect(store.storage.accessKeyID == "true")
    #expect(store.storage.secretAccessKey == Secret("null"))
    #expect(store.storage.region == "no")
  }

  @Test func endpointsOfEtcdMayBeAList() throws {
    #expect(try configuration("milvus: {etcd: {endpoints: [a:1, b:2]}}").milvus.etcd.endpoints == ["a:1", "b:2"])
  }

  @Test func referencesAndMergesAreResolved() throws {
    let store = try configuration(
      """
      base: &base {address: a, bucketName: b}
      minio:
        <<: *base
        bucketName: own
      """)
    #expect(store.storage.address == "a")
    #expect(store.storage.bucketName == "own")
  }

  @Test func storagesOfOneEndpointAreRecognised() throws {
    let store = try configuration("minio: {backupBucketName: other, backupAccessKeyID: x, backupRootPath: y}")
    #expect(store.storage.sharesEndpoint(with: store.backupStorage))
    for difference in [
      "backupAddress: x", "backupPort: 1", "backupRegion: r", "backupUseSSL: true", "backupStorageType: s3",
    ] {
      let store = try configuration("minio: {\(difference)}")
      #expect(!store.storage.sharesEndpoint(with: store.backupStorage), "\(difference)")
    }
  }

  @Test func authoritiesBracketIPv6() throws {
    #expect(try configuration("minio: {address: '::1'}").storage.authority == "[::1]:9000")
    #expect(try configuration("minio: {address: '[::1]'}").storage.authority == "[::1]:9000")
    #expect(try configuration("").storage.authority == "localhost:9000")
  }

  @Test(arguments: [
    ("debug", StoreConfiguration.LogLevel.debug), ("INFO", .info), ("''", .info), ("warn", .warn), ("error", .error),
    ("fatal", .error), ("panic", .error), ("dpanic", .error),
  ])
  func logLevelsOfTheOfficialToolAreUnderstood(text: String, level: StoreConfiguration.LogLevel) throws {
    #expect(try configuration("log: {level: \(text)}").logLevel == level)
  }
}
