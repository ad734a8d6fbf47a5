// swift-tools-version: 6.2
// The list of targets is the architecture: dependencies point down, and each target says on one line what it knows.

import PackageDescription

let settings: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let grpc: [Target.Dependency] = [
  .product(name: "GRPCCore", package: "grpc-swift-2"),
  .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
  .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
  .product(name: "SwiftProtobuf", package: "swift-protobuf"),
]

let package = Package(
  name: "milvus-backupfs",
  products: [
    .executable(name: "milvus-backupfs", targets: ["milvus-backupfs"]),
    .executable(name: "fault-proxy", targets: ["fault-proxy"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-protobuf.git", from: "1.39.0"),
    .package(url: "https://github.com/apple/swift-system.git", from: "1.8.0"),
    .package(url: "https://github.com/grpc/grpc-swift-2.git", from: "2.4.0"),
    .package(url: "https://github.com/grpc/grpc-swift-nio-transport.git", from: "2.9.0"),
    .package(url: "https://github.com/grpc/grpc-swift-protobuf.git", from: "2.4.0"),
    .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.0"),
  ],
  targets: [
    // Commands, progress, exit codes.
    .executableTarget(
      name: "milvus-backupfs",
      dependencies: [
        "BackupEngine", "BackupFileSystem", "BackupFormat", "Configuration", "CurlHTTP", "FUSEServer", "LocalStore",
        "MilvusClient", "ObjectStore", "S3Store", argumentParser, logging, systemPackage,
      ], swiftSettings: settings),
    // What `scripts/bench` measures of the stores: the same layers as the program, without the mount. Not installed.
    .executableTarget(
      name: "store-bench", dependencies: ["CurlHTTP", "ObjectStore", "S3Store", argumentParser, systemPackage],
      swiftSettings: settings),
    // libfuse: requests, replies, interrupts, errno.
    .target(
      name: "FUSEServer", dependencies: ["BackupFileSystem", "CFUSE", logging, systemPackage], swiftSettings: settings),
    // The tree, open files, control files; runs without a mount.
    .target(
      name: "BackupFileSystem", dependencies: ["BackupFormat", "ObjectStore", systemPackage], swiftSettings: settings),
    // Create and restore as jobs.
    .target(
      name: "BackupEngine", dependencies: ["BackupFormat", "MilvusClient", "ObjectStore", logging],
      swiftSettings: settings),
    // Milvus' gRPC.
    .target(
      name: "MilvusClient", dependencies: grpc, exclude: ["Protos"], swiftSettings: settings),
    // Metadata files, key layout, completeness: values only.
    .target(name: "BackupFormat", swiftSettings: settings),
    // S3's protocol: signatures, XML, errors.
    .target(
      name: "S3Store", dependencies: ["CChecksum", "CurlHTTP", "ObjectStore", crypto], swiftSettings: settings),
    // A directory tree as a store.
    .target(name: "LocalStore", dependencies: ["CLocalFiles", "ObjectStore", deque], swiftSettings: settings),
    // The store protocol's contracts as checks, for the tests of every store.
    .target(name: "StoreConformance", dependencies: ["ObjectStore"], swiftSettings: settings),
    // The store protocol, its contracts and decorators.
    .target(name: "ObjectStore", swiftSettings: settings),
    // HTTP on libcurl.
    .target(name: "CurlHTTP", dependencies: ["CCurl", deque], swiftSettings: settings),
    // backup.yaml.
    .target(name: "Configuration", dependencies: [yams], swiftSettings: settings),
    // For tests and measurements: stands between a client and a store, and fails by script. Not part of the program.
    .target(name: "FaultProxy", swiftSettings: settings),
    .executableTarget(name: "fault-proxy", dependencies: ["FaultProxy", argumentParser], swiftSettings: settings),
    // C: what Swift cannot call by itself.
    .systemLibrary(name: "CFUSE", pkgConfig: "fuse3", providers: [.apt(["libfuse3-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .target(name: "CChecksum"),
    .target(name: "CLocalFiles"),

    .testTarget(
      name: "ObjectStoreTests", dependencies: ["ObjectStore", "StoreConformance"], swiftSettings: settings),
    .testTarget(
      name: "LocalStoreTests", dependencies: ["LocalStore", "ObjectStore", "StoreConformance"], swiftSettings: settings),
    .testTarget(
      name: "BackupFileSystemTests", dependencies: ["BackupFileSystem", "ObjectStore", systemPackage],
      swiftSettings: settings),
    .testTarget(
      name: "BackupFormatTests", dependencies: ["BackupFormat"], resources: [.copy("Fixtures")],
      swiftSettings: settings),
    .testTarget(
      name: "BackupEngineTests",
      dependencies: ["BackupEngine", "BackupFormat", "MilvusClient", "ObjectStore", logging], swiftSettings: settings),
    .testTarget(name: "MilvusClientTests", dependencies: ["MilvusClient"] + grpc, swiftSettings: settings),
    .testTarget(name: "CurlHTTPTests", dependencies: ["CurlHTTP"], swiftSettings: settings),
    .testTarget(
      name: "S3StoreTests", dependencies: ["S3Store", "ObjectStore", "CurlHTTP", "StoreConformance", crypto],
      exclude: ["Fixtures"],
      swiftSettings: settings),
    .testTarget(name: "FaultProxyTests", dependencies: ["FaultProxy"], swiftSettings: settings),
    .testTarget(
      name: "StoreFaultTests",
      dependencies: ["CurlHTTP", "FaultProxy", "ObjectStore", "S3Store", "StoreConformance", crypto],
      swiftSettings: settings),
    .testTarget(
      name: "FUSEServerTests", dependencies: ["FUSEServer", "BackupFileSystem", logging, systemPackage],
      swiftSettings: settings),
    .testTarget(name: "ConfigurationTests", dependencies: ["Configuration"], swiftSettings: settings),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "milvus-backupfs", "BackupEngine", "BackupFormat", "Configuration", "MilvusClient", "ObjectStore",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "EndToEndTests", dependencies: ["milvus-backupfs"], exclude: ["Oracle"], swiftSettings: settings),
  ]
)
