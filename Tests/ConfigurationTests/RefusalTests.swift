// Values and files that are refused, with the sentences that say why.

import Configuration
import Testing

@Suite struct RefusalTests {
  @Test(arguments: [
    (
      "milvus: {port: 0}",
      "configs/store.yaml: milvus.port is \"0\" (line 1); a port is a whole number from 1 to 65535."
    ),
    (
      "minio: {port: 65536}",
      "configs/store.yaml: minio.port is \"65536\" (line 1); a port is a whole number from 1 to 65535."
    ),
    (
      "\nminio:\n  backupPort: x",
      "configs/store.yaml: minio.backupPort is \"x\" (line 3); a port is a whole number from 1 to 65535."
    ),
    (
      "minio: {port: 9000.0}",
      "configs/store.yaml: minio.port is \"9000.0\" (line 1); a port is a whole number from 1 to 65535."
    ),
    ("minio: {useSSL: yes}", "configs/store.yaml: minio.useSSL is \"yes\" (line 1); allowed are true and false."),
    (
      "backup: {keepTempFiles: ''}",
      "configs/store.yaml: backup.keepTempFiles is \"\" (line 1); allowed are true and false."
    ),
    ("milvus: {tlsMode: 3}", "configs/store.yaml: milvus.tlsMode is \"3\" (line 1); allowed are 0, 1, 2."),
    ("milvus: {tlsMode: server}", "configs/store.yaml: milvus.tlsMode is \"server\" (line 1); allowed are 0, 1, 2."),
    (
      "minio: {bucketName: ''}",
      "configs/store.yaml: minio.bucketName is \"\" (line 1); a bucket name must not be empty."
    ),
    (
      "backup: {parallelism: {copydata: -1}}",
      "configs/store.yaml: backup.parallelism.copydata is \"-1\" (line 1); allowed are whole numbers from 1."
    ),
    (
      "backup: {parallelism: {importJob: 0}}",
      "configs/store.yaml: backup.parallelism.importJob is \"0\" (line 1); allowed are whole numbers from 1."
    ),
    (
      "minio: {multipartCopyThresholdMiB: 1.5}",
      "configs/store.yaml: minio.multipartCopyThresholdMiB is \"1.5\" (line 1); allowed are whole numbers from 1."
    ),
    ("log: {level: loud}", "configs/store.yaml: log.level is \"loud\" (line 1); allowed are debug, info, warn, error."),
    (
      "milvus: {tlsMode: 2, mtlsCertPath: c}",
      "configs/store.yaml: milvus.tlsMode is \"2\" (line 1); with mutual TLS milvus.mtlsKeyPath must be set too; allowed"
        + " without it are 0 (no TLS) and 1 (server TLS)."
    ),
    (
      "milvus: {tlsMode: 2, mtlsKeyPath: k}",
      "configs/store.yaml: milvus.tlsMode is \"2\" (line 1); with mutual TLS milvus.mtlsCertPath must be set too; allowed"
        + " without it are 0 (no TLS) and 1 (server TLS)."
    ),
    (
      "minio: {storageType: azure}",
      "configs/store.yaml: minio.storageType is \"azure\" (line 1); this release supports minio, s3, aws, local:"
        + " the S3 protocol, and directories of this machine."
    ),
    (
      "minio: {storageType: local}",
      "configs/store.yaml: minio.rootPath is \"files\" (default); for storage type local it is the absolute path of a"
        + " directory, such as /var/lib/milvus, without '..' and not that of the whole file system."
    ),
    (
      "minio: {storageType: local, rootPath: /a/../b}",
      "configs/store.yaml: minio.rootPath is \"/a/../b\" (line 1); for storage type local it is the absolute path of a"
        + " directory, such as /var/lib/milvus, without '..' and not that of the whole file system."
    ),
    (
      "minio: {backupStorageType: local, backupRootPath: /}",
      "configs/store.yaml: minio.backupRootPath is \"/\" (line 1); for storage type local it is the absolute path of a"
        + " directory, such as /var/lib/milvus, without '..' and not that of the whole file system."
    ),
    (
      "minio: {storageType: floppy}",
      "configs/store.yaml: minio.storageType is \"floppy\" (line 1); there is no such storage type; this release supports"
        + " minio, s3, aws, local."
    ),
    (
      "minio: {useIAM: true}",
      "configs/store.yaml: minio.useIAM is \"true\" (line 1); this release cannot get credentials from an identity"
        + " service; set it to false and give minio.accessKeyID and minio.secretAccessKey, or leave"
        + " both empty and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment."
    ),
    (
      "minio: {backupUseIAM: true}",
      "configs/store.yaml: minio.backupUseIAM is \"true\" (line 1); this release cannot get credentials from an identity"
        + " service; set it to false and give minio.backupAccessKeyID and minio.backupSecretAccessKey, or leave"
        + " both empty and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment."
    ),
    (
      "minio: {address: 'http://h'}",
      "configs/store.yaml: minio.address is \"http://h\" (line 1); allowed is a host name or an address, without 'http://'"
        + " and without port, which has its own key."
    ),
    (
      "milvus: {address: 'h:19530'}",
      "configs/store.yaml: milvus.address is \"h:19530\" (line 1); allowed is a host name or an address, without 'http://'"
        + " and without port, which has its own key."
    ),
    (
      "minio: {rootPath: a/../b}",
      "configs/store.yaml: minio.rootPath is \"a/../b\" (line 1); a path in a bucket must not contain '..'."
    ),
    (
      "backup: {gcPause: {address: 'h:1'}}",
      "configs/store.yaml: backup.gcPause.address is \"h:1\" (line 1); allowed is a URL that begins with http:// or"
        + " https://."
    ),
    (
      "minio: {secretAccessKey: ''}",
      "configs/store.yaml: minio.secretAccessKey is empty (line 1) although minio.accessKeyID is not; set both, or neither,"
        + " for the keys of the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or anonymous access."
    ),
    (
      "minio: {backupAccessKeyID: ''}",
      "configs/store.yaml: minio.backupAccessKeyID is empty (line 1) although minio.backupSecretAccessKey is not; set"
        + " both, or neither, for the keys of the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or anonymous"
        + " access."
    ),
    (
      "configVersion: v2\n",
      "configs/store.yaml: line 1: configVersion is \"v2\"; this release reads the schema v1 only, which is that of every"
        + " released milvus-backup."
    ),
  ])
  func impossibleValuesAreRefusedWithKeyValueOriginAndWhatIsAllowed(yaml: String, message: String) {
    #expect(sentence { try configuration(yaml) } == message)
  }

  @Test(arguments: [
    "gcp", "gcpnative", "azure", "ali", "alibaba", "alicloud", "aliyun", "tc", "tencent", "hwc",
  ])
  func knownButUnsupportedStorageTypesAreToldApartFromUnknownOnes(type: String) {
    let text = sentence { try configuration("minio: {storageType: \(type)}") }
    #expect(text.contains("this release supports minio, s3, aws, local: the S3 protocol"))
  }

  @Test(arguments: ["minio", "s3", "aws", "AWS"])
  func storageTypesThatSpeakS3AreAccepted(type: String) throws {
    #expect(try configuration("minio: {storageType: \(type)}").storage.storageType.rawValue == type.lowercased())
  }

  @Test func otherNamesOfStorageTypesAreKnown() {
    #expect(
      ["ali", "alibaba", "AliCloud", "aliyun"].map(StorageType.init(name:)) == [.aliyun, .aliyun, .aliyun, .aliyun])
    #expect(["tc", "tencent"].map(StorageType.init(name:)) == [.tencent, .tencent])
    #expect(StorageType(name: "") == nil)
  }

  @Test func configVersionOneIsAccepted() throws {
    #expect(try configuration("configVersion: v1\nmilvus: {port: 7}").milvus.port == 7)
  }

  @Test func aPortFromKubernetesIsExplained() {
    let text = sentence { try configuration("", environment: ["MILVUS_PORT": "tcp://10.0.0.1:19530"]) }
    #expect(
      text == "configs/store.yaml: milvus.port is \"tcp://10.0.0.1:19530\" (environment MILVUS_PORT); a port is a whole"
        + " number from 1 to 65535. Kubernetes sets MILVUS_PORT by itself when there is a service of that name: unset it"
        + " for this program, or set enableServiceLinks: false in the pod.")
    #expect(!sentence { try configuration("milvus: {port: 'tcp://x'}") }.contains("Kubernetes"))
  }

  @Test func theOptionThatSetABadValueIsNamed() {
    #expect(
      sentence { try configuration("", set: ["MILVUS_PORT=x"]) }
        == "configs/store.yaml: milvus.port is \"x\" (--set MILVUS_PORT); a port is a whole number from 1 to 65535.")
  }

  @Test(arguments: [
    ("milvus:\n  address: a\n port: 1\n", "configs/store.yaml: line 3, column "),
    ("minio:\n\taddress: a\n", "configs/store.yaml: line 2, column "),
    ("a: [1, 2\n", "configs/store.yaml: line 2, column "),
    ("a: b\n---\nc: d\n", "configs/store.yaml: line 2, column "),
    ("a: *nowhere\n", "configs/store.yaml: line 1, column "),
    ("- a\n- b\n", "configs/store.yaml: the file must consist of keys with values"),
    ("just a text", "configs/store.yaml: the file must consist of keys with values"),
    ("minio: {port: 1, port: 2}", "configs/store.yaml: line 1: a key is set twice in this section: port."),
    (
      "minio: {port: 1}\nMinio: {Port: 2}",
      "configs/store.yaml: Minio.Port is set twice, in lines 1 and 2. Keys differing only in case are the same key."
    ),
    ("minio: text\n", "configs/store.yaml: line 1: minio is a section; its keys belong below it, indented."),
    ("milvus: {etcd: x}", "configs/store.yaml: line 1: milvus.etcd is a section; its keys belong below it, indented."),
    ("minio: {address: {host: x}}", "configs/store.yaml: line 1: minio.address must be a single value, not a section."),
    ("minio: {address: [a, b]}", "configs/store.yaml: line 1: minio.address must be a single value, not a list."),
    (
      "milvus: {etcd: {endpoints: [{a: b}]}}",
      "configs/store.yaml: line 1: milvus.etcd.endpoints may only be a list of single values."
    ),
    ("[a, b]: c", "configs/store.yaml: line 1: a key must be a single word."),
  ])
  func filesThatAreNoConfigurationAreRefused(yaml: String, message: String) {
    #expect(sentence { try configuration(yaml) }.hasPrefix(message))
  }

  @Test func syntaxErrorsDoNotQuoteTheFile() {
    let text = sentence { try configuration("milvus:\n  password: 'hunter2\n  user: \"x\n") }
    #expect(text.hasPrefix("configs/store.yaml: line "))
    #expect(!text.contains("hunter2"))
  }

  @Test func aDocumentThatGrowsWithoutBoundsIsRefused() {
    var yaml = "a0: &a0 {k0: v, k1: v, k2: v, k3: v, k4: v, k5: v, k6: v, k7: v, k8: v, k9: v}\n"
    for level in 1...5 {
      let keys = (0..<10).map { "k\($0): *a\(level - 1)" }.joined(separator: ", ")
      yaml += "a\(level): &a\(level) {\(keys)}\n"
    }
    #expect(sentence { try configuration(yaml) }.contains("the file has more than 10000 keys"))
  }

  @Test func unknownKeysAreReportedWithWhatWasProbablyMeant() throws {
    let store = try configuration(
      """
      minio:
        adress: x
        backupRotPath: y
        bcuketName: z
      extension:
        whatever: 1
      """)
    #expect(
      store.warnings == [
        "configs/store.yaml, line 2: the unknown key minio.adress is ignored. Did you mean minio.address?",
        "configs/store.yaml, line 3: the unknown key minio.backupRotPath is ignored. Did you mean minio.backupRootPath?",
        "configs/store.yaml, line 4: the unknown key minio.bcuketName is ignored. Did you mean minio.bucketName?",
        "configs/store.yaml, line 6: the unknown key extension.whatever is ignored.",
      ])
    #expect(store.storage == StorageConfiguration())
  }

  @Test(arguments: [
    ("a/.yaml", "is empty"), ("a/.hidden.yaml", "begins with a dot"), ("..yml", "begins with a dot"),
    ("a/", "is empty"),
    ("a/x\ny.yaml", "contains a control character"),
    (String(repeating: "n", count: 256) + ".yml", "is longer than 255 bytes"),
  ])
  func filesWhoseNamesCannotNameADirectoryAreRefused(file: String, problem: String) {
    let text = sentence { try configuration("", file: file) }
    #expect(text.contains("which \(problem) and so cannot name a directory of a mount. Rename the file."))
  }

  @Test(arguments: [
    ("a/b.c.yaml", "b.c"), ("x.yml", "x"), ("/etc/conf", "conf"), ("a.yaml.yaml", "a.yaml"), ("a b.yaml", "a b"),
  ])
  func theFileNamesTheStore(file: String, name: String) throws {
    #expect(try configuration("", file: file).name == name)
  }
}
