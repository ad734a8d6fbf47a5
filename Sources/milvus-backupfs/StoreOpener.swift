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

  /// As the mount shows it.
  var mounted: MountedStore {
    MountedStore(
      name: configuration.name, objects: context.backups, root: context.backupRoot)
  }
}

/// Opens stores; all of them share one HTTP engine.
struct StoreOpener: Sendable {
  let engine: HTTPEngine
  let logger: Logger

  init(logger: Logger) throws {
    do {
      engine = try HTTPEngine()
    } catch {
      throw CommandFailure(error)
    }
    self.logger = logger
  }

  /// Opens both sides of a store. Nothing is connected yet.
  func open(_ configuration: StoreConfiguration) throws -> OpenStore {
    let place = LocalPlace(configuration)
    let backups = try objects(configuration.backupStorage, directory: place.backups.directory, isBackupSide: true)
    let milvusObjects = try objects(configuration.storage, directory: place.milvus.directory, isBackupSide: false)
    let context = EngineContext(
      storeName: configuration.name, backups: backups, backupRoot: place.backups.prefix, milvusObjects: milvusObjects,
      milvusRoot: place.milvus.prefix, milvusImportPrefix: place.milvus.directory.map { "\($0)/" } ?? "",
      milvus: try endpoint(configuration.milvus), logger: logger)
    return OpenStore(configuration: configuration, context: context)
  }

  /// - Parameter directory: for storage type `local`, the directory that stands for the bucket.
  private func objects(
    _ storage: StorageConfiguration, directory: String?, isBackupSide: Bool
  ) throws -> any ObjectStore {
    if let directory {
      let setting = isBackupSide ? "minio.backupRootPath" : "minio.rootPath"
      return RetryingStore(LocalStore(root: directory, rootSetting: setting))
    }
    do {
      let store = try S3Store(
        S3Configuration(
          usesTLS: storage.useSSL, host: storage.address, port: storage.port, region: storage.region,
          bucket: storage.bucketName,
          credentials: S3Credentials(
            accessKeyID: storage.accessKeyID, secretAccessKey: storage.secretAccessKey.reveal(),
            sessionToken: storage.token.isEmpty ? nil : storage.token.reveal()),
          settingNames: isBackupSide ? .backup : S3SettingNames()),
        transport: engine)
      return RetryingStore(store)
    } catch {
      throw CommandFailure(error)
    }
  }

  private func endpoint(_ milvus: MilvusConfiguration) throws -> MilvusEndpoint {
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
