"""Users, roles, grants and privilege groups, as far as backups carry them."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field

from pymilvus.grpc_gen import milvus_pb2

from .errors import UNEXPECTED, Failure

BUILT_IN_USER = "root"
BUILT_IN_ROLES = ("admin", "public")


@dataclass(frozen=True)
class Grant:
    role: str
    object: str
    object_name: str
    user: str
    privilege: str
    database: str


@dataclass
class AccessControl:
    user: str
    password: str
    """What calls must carry; both empty: no authentication."""
    users: dict[str, str] = field(default_factory=dict)
    """Password hashes by name."""
    roles: set[str] = field(default_factory=lambda: set(BUILT_IN_ROLES))
    bindings: set[tuple[str, str]] = field(default_factory=set)
    """User and role."""
    grants: set[Grant] = field(default_factory=set)
    groups: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.users.setdefault(BUILT_IN_USER, hashed(self.password or "Milvus"))

    def admits(self, header: str) -> bool:
        """Whether an `authorization` header of gRPC is right: base64 of user:password."""
        if not self.user:
            return True
        return header == base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def backup(self) -> milvus_pb2.RBACMeta:
        """Milvus leaves out nothing but its built-in user root and its built-in roles."""
        meta = milvus_pb2.RBACMeta()
        for name, password in sorted(self.users.items()):
            if name != BUILT_IN_USER:
                user = meta.users.add(user=name, password=password)
                for role in sorted(role for bound, role in self.bindings if bound == name):
                    user.roles.add(name=role)
        for role in sorted(self.roles - set(BUILT_IN_ROLES)):
            meta.roles.add(name=role)
        for grant in sorted(self.grants, key=str):
            entry = meta.grants.add(object_name=grant.object_name, db_name=grant.database)
            entry.role.name, entry.object.name = grant.role, grant.object
            entry.grantor.user.name, entry.grantor.privilege.name = grant.user, grant.privilege
        for name, privileges in sorted(self.groups.items()):
            group = meta.privilege_groups.add(group_name=name)
            for privilege in privileges:
                group.privileges.add(name=privilege)
        return meta

    def restore(self, meta: milvus_pb2.RBACMeta) -> None:
        """All or nothing; whatever exists already is a failure (Milvus' internal/metastore/kv/rootcoord)."""
        for user in meta.users:
            if user.user in self.users:
                raise Failure(UNEXPECTED, f"user {user.user} already exists")
        for role in meta.roles:
            if role.name in self.roles:
                raise Failure(UNEXPECTED, f"role {role.name} already exists")
        for group in meta.privilege_groups:
            if group.group_name in self.groups:
                raise Failure(UNEXPECTED, f"privilege group {group.group_name} already exists")
        roles = self.roles | {role.name for role in meta.roles}
        grants = {_grant(entry) for entry in meta.grants}
        if both := grants & self.grants:
            raise Failure(UNEXPECTED, f"the privilege {next(iter(both)).privilege} has been granted")
        wanted = {grant.role for grant in grants} | {role.name for user in meta.users for role in user.roles}
        if missing := sorted(wanted - roles):
            raise Failure(UNEXPECTED, f"not found the role, maybe the role isn't existed: {missing[0]}")
        self.roles = roles
        self.grants |= grants
        self.groups |= {group.group_name: [entry.name for entry in group.privileges] for group in meta.privilege_groups}
        for user in meta.users:
            self.users[user.user] = user.password
            self.bindings |= {(user.user, role.name) for role in user.roles}


def _grant(entry: milvus_pb2.GrantEntity) -> Grant:
    return Grant(
        entry.role.name, entry.object.name, entry.object_name, entry.grantor.user.name, entry.grantor.privilege.name,
        entry.db_name,
    )


def hashed(password: str) -> str:
    """Stands for the bcrypt hash that Milvus keeps."""
    return "$double$" + hashlib.sha256(password.encode()).hexdigest()
