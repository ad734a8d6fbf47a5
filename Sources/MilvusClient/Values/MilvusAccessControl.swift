// Users, roles and grants of a server, as BackupRBAC answers and RestoreRBAC takes them. No description or mirror of it
// shows a password's hash.

/// The access control data of a server.
public struct MilvusAccessControl: Sendable, Hashable {
  /// A user.
  public struct User: Sendable, Hashable, CustomReflectable {
    /// The user's name.
    public var name: String
    /// The password as the server stores it. Not for display.
    public var passwordHash: String
    /// Names of the user's roles.
    public var roles: [String]

    /// Makes a user.
    public init(name: String, passwordHash: String, roles: [String]) {
      self.name = name
      self.passwordHash = passwordHash
      self.roles = roles
    }

    /// Everything but the hash.
    public var customMirror: Mirror {
      Mirror(self, children: ["name": name, "roles": roles] as KeyValuePairs<String, Any>)
    }
  }

  /// What a role may do.
  public struct Grant: Sendable, Hashable {
    /// The role.
    public var role: String
    /// Kind of the object, such as `Collection` or `Global`.
    public var object: String
    /// Name of the object, or `*`.
    public var objectName: String
    /// The granting user.
    public var grantor: String
    /// The privilege.
    public var privilege: String
    /// Database of the object.
    public var database: String

    /// Makes a grant.
    public init(
      role: String, object: String, objectName: String, grantor: String, privilege: String, database: String
    ) {
      self.role = role
      self.object = object
      self.objectName = objectName
      self.grantor = grantor
      self.privilege = privilege
      self.database = database
    }
  }

  /// A named group of privileges.
  public struct Group: Sendable, Hashable {
    /// The group's name.
    public var name: String
    /// Its privileges.
    public var privileges: [String]

    /// Makes a group.
    public init(name: String, privileges: [String]) {
      self.name = name
      self.privileges = privileges
    }
  }

  /// The users.
  public var users: [User]
  /// Names of the roles.
  public var roles: [String]
  /// The grants.
  public var grants: [Grant]
  /// The groups of privileges.
  public var groups: [Group]

  /// Makes access control data.
  public init(users: [User] = [], roles: [String] = [], grants: [Grant] = [], groups: [Group] = []) {
    self.users = users
    self.roles = roles
    self.grants = grants
    self.groups = groups
  }

  /// Whether there is nothing in it.
  public var isEmpty: Bool { users.isEmpty && roles.isEmpty && grants.isEmpty && groups.isEmpty }
}
