// Users, roles and grants from Milvus' words to the backup format's.

import BackupFormat
import MilvusClient

extension RBACMeta {
  /// The access control data as a backup stores it.
  init(_ data: MilvusAccessControl) {
    self.init()
    users = data.users.map { user in
      var info = UserInfo()
      info.user = user.name
      info.password = user.passwordHash
      info.roles = user.roles.map(RoleEntity.init(name:))
      return info
    }
    roles = data.roles.map(RoleEntity.init(name:))
    grants = data.grants.map { grant in
      var entity = GrantEntity()
      entity.role = RoleEntity(name: grant.role)
      entity.object = ObjectEntity(name: grant.object)
      entity.objectName = grant.objectName
      var grantor = GrantorEntity()
      grantor.user = UserEntity(name: grant.grantor)
      grantor.privilege = PrivilegeEntity(name: grant.privilege)
      entity.grantor = grantor
      entity.dbName = grant.database
      return entity
    }
    privilegeGroups = data.groups.map { group in
      var info = PrivilegeGroupInfo()
      info.groupName = group.name
      info.privileges = group.privileges.map(PrivilegeEntity.init(name:))
      return info
    }
  }
}
