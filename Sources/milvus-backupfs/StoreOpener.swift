// From a configuration to things that work: the one place that knows which store type is which module.

import BackupEngine
import BackupFileSystem
import Configuration
import CurlHTTP
import LocalStore
import Logging
import MilvusClient
import ObjectStore
import S3Store

/// A store of the configuration, ready for jobs and for the mount.
struct OpenStore: Sendable {
  let configuration: StoreConfiguration
  let context: EngineContext
  /// What the store of the backups was asked, repetitions included.
  let metrics: StoreMetrics

  /// As the mount shows it.
  var mounted: MountedStore {
    MountedStore(
      name: configuration.name, objects: context.backups, root: context.backupRoot)
  }
}

/// Opens stores; all of them share one HTTP engine and one journal of unfinished uploads.
struct StoreOpener: Sendable {
  let engine: HTTPEngine
  let logger: Logger
  let journal: UploadJournal
  private let environment: [String: String]

  init(logger: Logger, environment: [String: String] = currentEnvironment()) throws {
    do {
      engine = try HTTPEngine()
    } catch {
      throw CommandFailure(error)
    }
    self.logger = logger
    self.environment = environment
    journal = UploadJournal(directory: UploadJournal.directory(environment: environment)) { warning in
      logger.warning("\(warning)")
    }
  }

  /// Opens both sides of a store. Nothing is connected yet.
  func open(_ configuration: StoreConfiguration) throws -> OpenStore {
    let sides = try sides(of: configuration)
    let place = sides.place
    let metrics = StoreMetrics()
    let backups = Self.retrying(sides.backups, metrics: metrics)
    let milvusObjects = Self.retrying(sides.milvus)
    var context = EngineContext(
      storeName: configuration.name, backups: backups, backupRoot: place.backups.prefix, milvusObjects: milvusObjects,
      milvusRoot: place.milvus.prefix, milvusImportPrefix: place.milvus.directory.map { "\($0)/" } ?? "",
      milvus: try endpoint(configuration.milvus), logger: logger)
    context.rest = rest(configuration)
    return OpenStore(configuration: configuration, context: context, metrics: metrics)
  }

  /// Opens both sides of a store, without repetitions.
  func sides(
    of configuration: StoreConfiguration
  ) throws -> (backups: any ObjectStore, milvus: any ObjectStore, place: LocalPlace) {
    let place = LocalPlace(configuration)
    return (
      try objects(configuration.backupStorage, directory: place.backups.directory),
      try objects(configuration.storage, directory: place.milvus.directory), place
    )
  }

  /// Repeats what may be repeated, and counts each try.
  static func retrying(
    _ store: some ObjectStore, _ policy: RetryPolicy = RetryPolicy(), metrics: StoreMetrics = StoreMetrics()
  ) -> any ObjectStore {
    RetryingStore(MeteredStore(store, metrics: metrics), policy: policy)
  }

  /// - Parameter directory: for storage type `local`, the directory that stands for the bucket.
  private func objects(_ storage: StorageConfiguration, directory: String?) throws -> any ObjectStore {
    if let directory { return LocalStore(root: directory, rootSetting: storage.settingNames.rootPath) }
    let source = CredentialSource.find(
      accessKeyID: storage.accessKeyID, secretAccessKey: storage.secretAccessKey.reveal(),
      token: storage.token.reveal(), environment: environment)
    do {
      return try S3Store(
        S3Configuration(
          usesTLS: storage.useSSL, host: storage.address, port: storage.port, region: storage.region,
          bucket: storage.bucketName, credentials: source.credentials,
          certificateAuthorityFile: S3Configuration.certificateAuthorityFile(environment: environment),
          settingNames: source.renaming(S3SettingNames(storage.settingNames))),
        transport: engine, journal: journal)
    } catch {
      throw CommandFailure(error)
    }
  }

  /// How Milvus is asked by HTTP: REST on its gRPC port, and the management port.
  private func rest(_ configuration: StoreConfiguration) -> MilvusREST {
    let milvus = configuration.milvus
    let transport = CurlREST(milvus, transport: engine)
    let hasCredentials = !milvus.user.isEmpty || !milvus.password.reveal().isEmpty
    return MilvusREST(
      transport: transport, server: transport.server,
      bearer: hasCredentials ? "\(milvus.user):\(milvus.password.reveal())" : nil,
      management: configuration.gcPause.address, pausesGarbage: configuration.gcPause.isEnabled)
  }

  func endpoint(_ milvus: MilvusConfiguration) throws -> MilvusEndpoint {
    do {
      return MilvusEndpoint(
        host: milvus.address, port: milvus.port,
        credentials: MilvusCredentials(user: milvus.user, password: milvus.password.reveal()),
        tls: try MilvusTLS(
          mode: milvus.tlsMode.rawValue, caFile: milvus.caCertPath, serverName: milvus.serverName,
          certificateFile: milvus.mtlsCertPath, keyFile: milvus.mtlsKeyPath))
    } catch {
      throw CommandFailure(error)
    }
  }
}

extension S3SettingNames {
  /// The names that the configuration gives.
  init(_ names: StorageSettingNames) {
    self.init()
    address = names.address
    port = names.port
    useSSL = names.useSSL
    region = names.region
    accessKeyID = names.accessKeyID
    secretAccessKey = names.secretAccessKey
    token = names.token
    bucketName = names.bucketName
  }
}
