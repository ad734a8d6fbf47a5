// Finding files and folders.

import Configuration
import Foundation
import Testing

@Suite struct ConfigurationLoaderTests {
  private let folder: TemporaryFolder
  private let loader = ConfigurationLoader(environment: [:])

  init() throws { folder = try TemporaryFolder() }

  @Test func aFileIsOneStore() throws {
    let file = try folder.write("milvus_A.yaml", "milvus: {port: 7}")
    let stores = try loader.stores(at: file)
    #expect(stores.map(\.name) == ["milvus_A"])
    #expect(stores.map(\.file) == [file])
    #expect(stores.map(\.milvus.port) == [7])
    #expect(try loader.store(at: file) == stores[0])
  }

  @Test func aFolderIsOneStoreForEachFileSortedByName() throws {
    try folder.write("b.yml", "milvus: {port: 2}")
    try folder.write("a.yaml", "milvus: {port: 1}")
    try folder.write("a-1.yaml", "milvus: {port: 3}")
    try folder.write(".hidden.yaml", "not: [valid")
    try folder.write("README.md", "not: [valid")
    try folder.write("folder.yaml/inner.yaml", "milvus: {port: 4}")
    let stores = try loader.stores(at: folder.path + "/")
    #expect(stores.map(\.name) == ["a", "a-1", "b"])
    #expect(stores.map(\.milvus.port) == [1, 3, 2])
    #expect(stores.map(\.file) == ["\(folder.path)/a.yaml", "\(folder.path)/a-1.yaml", "\(folder.path)/b.yml"])
  }

  @Test func linksAreFollowed() throws {
    try folder.write("..data/real.yaml", "milvus: {port: 9}")
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/linked.yaml", withDestinationPath: "..data/real.yaml")
    #expect(try loader.stores(at: folder.path).map(\.milvus.port) == [9])
  }

  @Test func aFolderWithoutConfigurationIsRefused() throws {
    try folder.write("notes.txt", "")
    #expect(
      sentence { try loader.stores(at: folder.path) }
        == "\(folder.path): the folder holds no configuration: no file in it is named *.yaml or *.yml.")
    #expect(sentence { try loader.store(at: folder.path) }.contains("the folder holds no configuration"))
  }

  @Test func twoFilesOfOneStoreAreRefused() throws {
    try folder.write("a.yaml", "milvus: {port: 1}")
    try folder.write("a.yml", "milvus: {port: 1}")
    #expect(
      sentence { try loader.stores(at: folder.path) }
        == "\(folder.path): a.yaml and a.yml both describe the store a. Rename or remove one of them.")
  }

  @Test func anErrorInAnyFileOfAFolderNamesThatFile() throws {
    try folder.write("a.yaml", "milvus: {port: 1}")
    try folder.write("b.yaml", "milvus: {port: x}")
    #expect(sentence { try loader.stores(at: folder.path) }.hasPrefix("\(folder.path)/b.yaml: milvus.port is \"x\""))
  }

  @Test func aFolderWithOneFileServesASingleStore() throws {
    try folder.write("only.yaml", "milvus: {port: 1}")
    #expect(try loader.store(at: folder.path).name == "only")
    try folder.write("another.yml", "milvus: {port: 1}")
    #expect(
      sentence { try loader.store(at: folder.path) }
        == "\(folder.path): the folder holds 2 stores: another, only. Name the file of one of them.")
  }

  @Test func aMissingPathIsLookedForInTheConfigurationFolder() throws {
    try folder.write("found.yaml", "milvus: {port: 5}")
    let loader = ConfigurationLoader(environment: ["MILVUSCONF": folder.path])
    #expect(try loader.store(at: "no/such/folder/found.yaml").file == "\(folder.path)/found.yaml")
    let own = try folder.write("near/found.yaml", "milvus: {port: 6}")
    #expect(try loader.store(at: own).milvus.port == 6)
  }

  @Test func aMissingPathIsToldWithAllPlacesThatWereTried() {
    let loader = ConfigurationLoader(environment: ["MILVUSCONF": "/nowhere/conf"])
    #expect(
      sentence { try loader.store(at: "/nowhere/missing.yaml") }
        == "/nowhere/missing.yaml: there is no such file or folder. Looked for: /nowhere/missing.yaml,"
        + " /nowhere/conf/missing.yaml, ./configs/missing.yaml.")
    #expect(ConfigurationLoader.defaultPath == "backup.yaml")
  }

  @Test func anEnvironmentThatReachesSeveralStoresIsWarnedAbout() throws {
    try folder.write("a.yaml", "minio: {address: one}")
    let loader = ConfigurationLoader(environment: ["MINIO_ADDRESS": "shared"])
    #expect(try loader.stores(at: folder.path).map(\.warnings) == [[]])
    try folder.write("b.yaml", "minio: {address: two}")
    let stores = try loader.stores(at: folder.path)
    #expect(stores.map(\.storage.address) == ["shared", "shared"])
    #expect(
      stores.map(\.warnings)
        == ["a", "b"].map {
          [
            "\(folder.path)/\($0).yaml: minio.address is taken from the environment variable MINIO_ADDRESS, as for all"
              + " other stores."
          ]
        })
  }

  @Test func optionsReachEveryStore() throws {
    try folder.write("a.yaml", "milvus: {port: 1}")
    try folder.write("b.yaml", "milvus: {port: 2}")
    let loader = ConfigurationLoader(environment: [:], overrides: try ConfigurationOverrides(["milvus.port=3"]))
    #expect(try loader.stores(at: folder.path).map(\.milvus.port) == [3, 3])
  }

  @Test func filesThatCannotBeTextsAreRefused() throws {
    let binary = "\(folder.path)/binary.yaml"
    try Data([0x61, 0xff, 0xfe]).write(to: URL(fileURLWithPath: binary))
    #expect(sentence { try loader.store(at: binary) } == "\(binary): the file is not a text in UTF-8.")
    let big = try folder.write("big.yaml", String(repeating: "# comment\n", count: 110_000))
    #expect(
      sentence { try loader.store(at: big) } == "\(big): the file is larger than 1048576 bytes; it is no configuration."
    )
    let dangling = "\(folder.path)/dangling.yaml"
    try FileManager.default.createSymbolicLink(atPath: dangling, withDestinationPath: "nowhere")
    #expect(sentence { try loader.store(at: dangling) }.contains("there is no such file or folder"))
  }
}
