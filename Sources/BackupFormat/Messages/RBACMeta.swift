// Users, roles, grants and privilege groups of the source server.

/// The access control data of a server.
public struct RBACMeta: FieldVisitable {
  /// The users with their password hashes.
  public var users: [UserInfo] = []
  /// The roles.
  public var roles: [RoleEntity] = []
  /// What each role may do.
  public var grants: [GrantEntity] = []
  /// Named groups of privileges.
  public var privilegeGroups: [PrivilegeGroupInfo] = []

  /// Makes access control data without any entry.
  public init() {}

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("users", &users)
    try visitor.field("roles", &roles)
    try visitor.field("grants", &grants)
    try visitor.field("privilege_groups", &privilegeGroups)
  }
}

/// A user.
public struct UserInfo: FieldVisitable {
  /// Name of the user.
  public var user = ""
  /// Hash of the password as the server stores it. Not for display.
  public var password = ""
  /// Roles of the user.
  public var roles: [RoleEntity] = []

  /// Makes a user without name.
  public init() {}

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("user", &user)
    try visitor.field("password", &password)
    try visitor.field("roles", &roles)
  }
}

extension UserInfo: CustomReflectable {
  /// Shows everything but the password hash.
  public var customMirror: Mirror {
    Mirror(self, children: ["user": user, "roles": roles] as KeyValuePairs<String, Any>)
  }
}

/// A grant of a privilege on an object to a role.
public struct GrantEntity: FieldVisitable {
  /// The role which may.
  public var role: RoleEntity?
  /// Kind of the object, such as `Collection` or `Global`.
  public var object: ObjectEntity?
  /// Name of the object, or `*`.
  public var objectName = ""
  /// Who granted it, and the privilege itself.
  public var grantor: GrantorEntity?
  /// Database of the object.
  public var dbName = ""

  /// Makes an empty grant.
  public init() {}

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("role", &role)
    try visitor.field("object", &object)
    try visitor.field("object_name", &objectName)
    try visitor.field("grantor", &grantor)
    try visitor.field("db_name", &dbName)
  }
}

/// Who granted a privilege, and which.
public struct GrantorEntity: FieldVisitable {
  /// The granting user.
  public var user: UserEntity?
  /// The privilege granted.
  public var privilege: PrivilegeEntity?

  /// Makes an empty entry.
  public init() {}

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("user", &user)
    try visitor.field("privilege", &privilege)
  }
}

/// A named group of privileges.
public struct PrivilegeGroupInfo: FieldVisitable {
  /// Name of the group.
  public var groupName = ""
  /// Its privileges.
  public var privileges: [PrivilegeEntity] = []

  /// Makes an empty group.
  public init() {}

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("group_name", &groupName)
    try visitor.field("privileges", &privileges)
  }
}
