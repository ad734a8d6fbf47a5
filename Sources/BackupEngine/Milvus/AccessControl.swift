// Users, roles and grants of a backup in Milvus' words, and which of them a server lacks. Logic without I/O.

import BackupFormat
import MilvusClient

extension MilvusAccessControl {
  /// As the backup holds it.
  init(_ meta: RBACMeta) {
    self.init(
      users: meta.users.map { User(name: $0.user, passwordHash: $0.password, roles: $0.roles.map(\.name)) },
      roles: meta.roles.map(\.name),
      grants: meta.grants.map {
        Grant(
          role: $0.role?.name ?? "", object: $0.object?.name ?? "", objectName: $0.objectName,
          grantor: $0.grantor?.user?.name ?? "", privilege: $0.grantor?.privilege?.name ?? "", database: $0.dbName)
      },
      groups: meta.privilegeGroups.map { Group(name: $0.groupName, privileges: $0.privileges.map(\.name)) })
  }

  /// What is here and not there: users, roles and groups by name, grants by all that they say. The server refuses to
  /// restore anything that exists.
  func missing(from present: MilvusAccessControl) -> MilvusAccessControl {
    let users = Set(present.users.map(\.name))
    let roles = Set(present.roles)
    let grants = Set(present.grants)
    let groups = Set(present.groups.map(\.name))
    return MilvusAccessControl(
      users: self.users.filter { !users.contains($0.name) }, roles: self.roles.filter { !roles.contains($0) },
      grants: self.grants.filter { !grants.contains($0) }, groups: self.groups.filter { !groups.contains($0.name) })
  }
}
