// The access control messages which consist of a name only. The format keeps them as four distinct types.

/// A role.
public struct RoleEntity: FieldVisitable {
  /// Name of the role.
  public var name = ""

  /// Makes a role without name.
  public init() {}

  /// Makes a role.
  public init(name: String) { self.name = name }

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("name", &name)
  }
}

/// A kind of object.
public struct ObjectEntity: FieldVisitable {
  /// Name of the kind.
  public var name = ""

  /// Makes a kind without name.
  public init() {}

  /// Makes a kind of object.
  public init(name: String) { self.name = name }

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("name", &name)
  }
}

/// A user, by name only.
public struct UserEntity: FieldVisitable {
  /// Name of the user.
  public var name = ""

  /// Makes a user without name.
  public init() {}

  /// Makes a user.
  public init(name: String) { self.name = name }

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("name", &name)
  }
}

/// A privilege.
public struct PrivilegeEntity: FieldVisitable {
  /// Name of the privilege.
  public var name = ""

  /// Makes a privilege without name.
  public init() {}

  /// Makes a privilege.
  public init(name: String) { self.name = name }

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("name", &name)
  }
}
