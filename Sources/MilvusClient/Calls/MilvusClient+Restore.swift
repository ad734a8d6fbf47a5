// Calls that only a restore makes: aliases that must go, partitions to load, access control.

internal import SwiftProtobuf

extension ProtoBackupRBACMetaResponse: MilvusResponse {}

extension MilvusClient {
  /// Takes another name from a collection. Removing an alias that does not exist is no error.
  public func dropAlias(_ alias: String, in database: String) async throws(MilvusError) {
    let _: ProtoStatus = try await call(
      "DropAlias", ProtoDropAliasRequest.with { $0.alias = alias }, in: database,
      about: "alias \"\(alias)\" in \(Self.name(database: database))", kind: .change)
  }

  /// Starts loading some partitions of a collection into memory. Watch with `loadState`.
  public func loadPartitions(
    _ partitions: [String], of collection: String, in database: String, replicas: Int32 = 1
  ) async throws(MilvusError) {
    let request = ProtoLoadPartitionsRequest.with {
      $0.collectionName = collection
      $0.partitionNames = partitions
      $0.replicaNumber = replicas
    }
    let _: ProtoStatus = try await call(
      "LoadPartitions", request, in: database, about: Self.name(collection: collection, database), kind: .long)
  }

  /// Users, roles, grants and privilege groups of the server.
  /// - Throws: `unsupported` on servers before 2.4.
  public func accessControl() async throws(MilvusError) -> MilvusAccessControl {
    let response: ProtoBackupRBACMetaResponse = try await call("BackupRBAC", ProtoBackupRBACMetaRequest())
    return MilvusAccessControl(response.rbacMeta)
  }

  /// Creates users, roles, grants and privilege groups. The server refuses all of it if one of them exists.
  public func restoreAccessControl(_ data: MilvusAccessControl) async throws(MilvusError) {
    let _: ProtoStatus = try await call(
      "RestoreRBAC", ProtoRestoreRBACMetaRequest.with { $0.rbacMeta = ProtoRBACMeta(data) }, kind: .change,
      repeatability: .ifNotCarriedOut)
  }
}

extension MilvusAccessControl {
  init(_ meta: ProtoRBACMeta) {
    self.init(
      users: meta.users.map { User(name: $0.user, passwordHash: $0.password, roles: $0.roles.map(\.name)) },
      roles: meta.roles.map(\.name),
      grants: meta.grants.map {
        Grant(
          role: $0.role.name, object: $0.object.name, objectName: $0.objectName, grantor: $0.grantor.user.name,
          privilege: $0.grantor.privilege.name, database: $0.dbName)
      },
      groups: meta.privilegeGroups.map { Group(name: $0.groupName, privileges: $0.privileges.map(\.name)) })
  }
}

extension ProtoRBACMeta {
  init(_ data: MilvusAccessControl) {
    self = .with {
      $0.users = data.users.map { user in
        .with {
          $0.user = user.name
          $0.password = user.passwordHash
          $0.roles = user.roles.map { name in .with { $0.name = name } }
        }
      }
      $0.roles = data.roles.map { name in .with { $0.name = name } }
      $0.grants = data.grants.map { grant in
        .with {
          $0.role.name = grant.role
          $0.object.name = grant.object
          $0.objectName = grant.objectName
          $0.grantor.user.name = grant.grantor
          $0.grantor.privilege.name = grant.privilege
          $0.dbName = grant.database
        }
      }
      $0.privilegeGroups = data.groups.map { group in
        .with {
          $0.groupName = group.name
          $0.privileges = group.privileges.map { name in .with { $0.name = name } }
        }
      }
    }
  }
}
