"""Calls on users, roles, grants and privilege groups."""

from __future__ import annotations

import base64
import binascii

from pymilvus.grpc_gen import common_pb2, milvus_pb2

from . import schemas
from .calls import Calls
from .errors import UNEXPECTED, Failure, invalid, success
from .rbac import BUILT_IN_ROLES, BUILT_IN_USER, Grant, hashed
from .state import DEFAULT


class AccessCalls(Calls):
    @property
    def _access(self):
        return self.double.access

    def BackupRBAC(self, request: milvus_pb2.BackupRBACMetaRequest, database: str) -> milvus_pb2.BackupRBACMetaResponse:
        return milvus_pb2.BackupRBACMetaResponse(RBAC_meta=self._access.backup())

    def RestoreRBAC(self, request: milvus_pb2.RestoreRBACMetaRequest, database: str) -> common_pb2.Status:
        self._access.restore(request.RBAC_meta)
        return success()

    def CreateCredential(self, request: milvus_pb2.CreateCredentialRequest, database: str) -> common_pb2.Status:
        schemas.check_name("user", request.username)
        if request.username in self._access.users:
            raise Failure(UNEXPECTED, f"user already exists: {request.username}")
        try:
            password = base64.b64decode(request.password, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise invalid("the password is not base64") from error
        self._access.users[request.username] = hashed(password)
        return success()

    def DeleteCredential(self, request: milvus_pb2.DeleteCredentialRequest, database: str) -> common_pb2.Status:
        if request.username == BUILT_IN_USER:
            raise Failure(UNEXPECTED, "user root cannot be deleted")
        self._access.users.pop(request.username, None)
        self._access.bindings = {pair for pair in self._access.bindings if pair[0] != request.username}
        return success()

    def ListCredUsers(
        self, request: milvus_pb2.ListCredUsersRequest, database: str
    ) -> milvus_pb2.ListCredUsersResponse:
        return milvus_pb2.ListCredUsersResponse(usernames=sorted(self._access.users))

    def CreateRole(self, request: milvus_pb2.CreateRoleRequest, database: str) -> common_pb2.Status:
        schemas.check_name("role", request.entity.name)
        if request.entity.name in self._access.roles:
            raise Failure(UNEXPECTED, f"role [name:{request.entity.name}] already exists")
        self._access.roles.add(request.entity.name)
        return success()

    def DropRole(self, request: milvus_pb2.DropRoleRequest, database: str) -> common_pb2.Status:
        self._need_role(request.role_name)
        if request.role_name in BUILT_IN_ROLES:
            raise Failure(UNEXPECTED, f"the role[{request.role_name}] is a default role, which can't be dropped")
        granted = {grant for grant in self._access.grants if grant.role == request.role_name}
        if granted and not request.force_drop:
            raise Failure(UNEXPECTED, "fail to drop the role that it has privileges. Use REVOKE API to revoke them")
        self._access.grants -= granted
        self._access.roles.discard(request.role_name)
        self._access.bindings = {pair for pair in self._access.bindings if pair[1] != request.role_name}
        return success()

    def OperateUserRole(self, request: milvus_pb2.OperateUserRoleRequest, database: str) -> common_pb2.Status:
        self._need_role(request.role_name)
        self._need_user(request.username)
        pair = (request.username, request.role_name)
        if request.type == milvus_pb2.AddUserToRole:
            self._access.bindings.add(pair)
        else:
            self._access.bindings.discard(pair)
        return success()

    def SelectRole(self, request: milvus_pb2.SelectRoleRequest, database: str) -> milvus_pb2.SelectRoleResponse:
        if request.role.name:
            self._need_role(request.role.name)
        answer = milvus_pb2.SelectRoleResponse()
        for name in [request.role.name] if request.role.name else sorted(self._access.roles):
            result = answer.results.add()
            result.role.name = name
            if request.include_user_info:
                for user in sorted(user for user, role in self._access.bindings if role == name):
                    result.users.add(name=user)
        return answer

    def SelectUser(self, request: milvus_pb2.SelectUserRequest, database: str) -> milvus_pb2.SelectUserResponse:
        if request.user.name:
            self._need_user(request.user.name)
        answer = milvus_pb2.SelectUserResponse()
        for name in [request.user.name] if request.user.name else sorted(self._access.users):
            result = answer.results.add()
            result.user.name = name
            if request.include_role_info:
                for role in sorted(role for user, role in self._access.bindings if user == name):
                    result.roles.add(name=role)
        return answer

    def OperatePrivilege(self, request: milvus_pb2.OperatePrivilegeRequest, database: str) -> common_pb2.Status:
        entity = request.entity
        self._need_role(entity.role.name)
        if not entity.object.name or not entity.object_name or not entity.grantor.privilege.name:
            raise invalid("the grant names no object, no object name or no privilege")
        user = entity.grantor.user.name or BUILT_IN_USER
        grant = Grant(
            entity.role.name, entity.object.name, entity.object_name, user, entity.grantor.privilege.name,
            entity.db_name or database or DEFAULT,
        )
        if request.type == milvus_pb2.Grant:
            self._access.grants.add(grant)
        elif grant not in self._access.grants:
            raise Failure(UNEXPECTED, "the privilege has not been granted")
        else:
            self._access.grants.discard(grant)
        return success()

    def SelectGrant(self, request: milvus_pb2.SelectGrantRequest, database: str) -> milvus_pb2.SelectGrantResponse:
        wanted = request.entity
        self._need_role(wanted.role.name)
        answer = milvus_pb2.SelectGrantResponse()
        for grant in sorted(self._access.grants, key=str):
            if (
                grant.role == wanted.role.name
                and wanted.object.name in ("", grant.object)
                and wanted.object_name in ("", grant.object_name)
                and (wanted.db_name or database or DEFAULT) in ("*", grant.database)
            ):
                entry = answer.entities.add(object_name=grant.object_name, db_name=grant.database)
                entry.role.name, entry.object.name = grant.role, grant.object
                entry.grantor.user.name, entry.grantor.privilege.name = grant.user, grant.privilege
        return answer

    def CreatePrivilegeGroup(self, request: milvus_pb2.CreatePrivilegeGroupRequest, database: str) -> common_pb2.Status:
        if request.group_name in self._access.groups:
            raise invalid(f"privilege group name [{request.group_name}] is defined")
        self._access.groups[request.group_name] = []
        return success()

    def ListPrivilegeGroups(
        self, request: milvus_pb2.ListPrivilegeGroupsRequest, database: str
    ) -> milvus_pb2.ListPrivilegeGroupsResponse:
        answer = milvus_pb2.ListPrivilegeGroupsResponse()
        answer.privilege_groups.extend(self._access.backup().privilege_groups)
        return answer

    def OperatePrivilegeGroup(
        self, request: milvus_pb2.OperatePrivilegeGroupRequest, database: str
    ) -> common_pb2.Status:
        if request.group_name not in self._access.groups:
            raise invalid(f"there is no privilege group name [{request.group_name}] to operate")
        members = self._access.groups[request.group_name]
        for privilege in request.privileges:
            if request.type == milvus_pb2.AddPrivilegesToGroup:
                if privilege.name not in members:
                    members.append(privilege.name)
            elif privilege.name in members:
                members.remove(privilege.name)
        return success()

    def _need_role(self, name: str) -> None:
        if name not in self._access.roles:
            raise Failure(UNEXPECTED, f"not found the role, maybe the role isn't existed: {name}")

    def _need_user(self, name: str) -> None:
        if name not in self._access.users:
            raise Failure(UNEXPECTED, f"not found the user, maybe the user isn't existed: {name}")
