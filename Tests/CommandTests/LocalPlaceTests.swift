import Configuration
import Testing

@testable import milvus_backupfs

@Suite struct LocalPlaceTests {
  private func place(_ minio: String) throws -> LocalPlace {
    LocalPlace(try StoreConfiguration(yaml: "minio: {\(minio)}", file: "store.yaml"))
  }

  @Test func aRootPathIsAPrefixInABucket() throws {
    let place = try place("rootPath: files, backupRootPath: backup")
    #expect(place.milvus == LocalPlace.Side(directory: nil, prefix: "files"))
    #expect(place.backups == LocalPlace.Side(directory: nil, prefix: "backup"))
  }

  @Test func aRootPathOfTypeLocalIsTheBucket() throws {
    let place = try place("storageType: local, rootPath: /var/lib/milvus, backupRootPath: /srv/backups")
    #expect(place.milvus == LocalPlace.Side(directory: "/var/lib/milvus", prefix: ""))
    #expect(place.backups == LocalPlace.Side(directory: "/srv/backups", prefix: ""))
  }

  @Test func backupsInsideMilvusDirectoryAreInMilvusStorage() throws {
    let place = try place("storageType: local, rootPath: /var/lib/milvus, backupRootPath: /var/lib/milvus/x/backup")
    #expect(place.backups == LocalPlace.Side(directory: "/var/lib/milvus", prefix: "x/backup"))
    let beside = try self.place("storageType: local, rootPath: /var/lib/milvus, backupRootPath: /var/lib/milvus-backup")
    #expect(beside.backups == LocalPlace.Side(directory: "/var/lib/milvus-backup", prefix: ""))
  }

  @Test func theTwoSidesMayBeOfDifferentTypes() throws {
    let place = try place("rootPath: files, backupStorageType: local, backupRootPath: /srv/backups")
    #expect(place.milvus == LocalPlace.Side(directory: nil, prefix: "files"))
    #expect(place.backups == LocalPlace.Side(directory: "/srv/backups", prefix: ""))
  }
}
