"""Calls on databases and aliases."""

from __future__ import annotations

from pymilvus.grpc_gen import common_pb2, milvus_pb2

from . import schemas
from .calls import Calls, alter, mapping, pairs
from .errors import (
    ALIAS_AND_COLLECTION_CONFLICT,
    ALIAS_EXISTS,
    ALIAS_NOT_FOUND,
    DATABASE_INVALID_NAME,
    UNEXPECTED,
    Failure,
    invalid,
    success,
)
from .state import DEFAULT, Collection, Database


class DatabaseCalls(Calls):
    def CreateDatabase(self, request: milvus_pb2.CreateDatabaseRequest, database: str) -> common_pb2.Status:
        name = request.db_name
        try:
            schemas.check_name("database", name)
        except Failure as failure:
            raise Failure(DATABASE_INVALID_NAME, failure.reason) from failure
        if name in self.state.databases:
            raise Failure(UNEXPECTED, f"database already exist: {name}")
        self.state.databases[name] = Database(
            self.state.new_id(), name, self.state.timestamp(), mapping(request.properties)
        )
        return success()

    def DropDatabase(self, request: milvus_pb2.DropDatabaseRequest, database: str) -> common_pb2.Status:
        if request.db_name == DEFAULT:
            raise invalid("can not drop default database")
        if self.state.database(request.db_name).collections:
            raise Failure(UNEXPECTED, f"database:{request.db_name} not empty, must drop all collections before drop")
        del self.state.databases[request.db_name]
        return success()

    def ListDatabases(
        self, request: milvus_pb2.ListDatabasesRequest, database: str
    ) -> milvus_pb2.ListDatabasesResponse:
        found = list(self.state.databases.values())
        return milvus_pb2.ListDatabasesResponse(
            db_names=[entry.name for entry in found],
            created_timestamp=[entry.created for entry in found],
            db_ids=[entry.id for entry in found],
        )

    def DescribeDatabase(
        self, request: milvus_pb2.DescribeDatabaseRequest, database: str
    ) -> milvus_pb2.DescribeDatabaseResponse:
        found = self.state.database(request.db_name)
        return milvus_pb2.DescribeDatabaseResponse(
            db_name=found.name, dbID=found.id, created_timestamp=found.created, properties=pairs(found.properties)
        )

    def AlterDatabase(self, request: milvus_pb2.AlterDatabaseRequest, database: str) -> common_pb2.Status:
        alter(self.state.database(request.db_name).properties, request)
        return success()


class AliasCalls(Calls):
    def CreateAlias(self, request: milvus_pb2.CreateAliasRequest, database: str) -> common_pb2.Status:
        schemas.check_name("alias", request.alias)
        home = self.state.database(database)
        if request.alias in home.collections:
            raise Failure(
                ALIAS_AND_COLLECTION_CONFLICT,
                f"alias and collection name conflict[database={home.name}][alias={request.alias}]",
            )
        found = self.find(database, request.collection_name)
        if any(request.alias in entry.aliases for entry in home.collections.values() if entry is not found):
            raise Failure(ALIAS_EXISTS, f"{request.alias} is alias to another collection: alias already exist")
        found.aliases.add(request.alias)
        return success()

    def AlterAlias(self, request: milvus_pb2.AlterAliasRequest, database: str) -> common_pb2.Status:
        found = self.find(database, request.collection_name)
        self._holder(database, request.alias).aliases.discard(request.alias)
        found.aliases.add(request.alias)
        return success()

    def DropAlias(self, request: milvus_pb2.DropAliasRequest, database: str) -> common_pb2.Status:
        self._holder(database, request.alias).aliases.discard(request.alias)
        return success()

    def DescribeAlias(
        self, request: milvus_pb2.DescribeAliasRequest, database: str
    ) -> milvus_pb2.DescribeAliasResponse:
        found = self._holder(database, request.alias)
        return milvus_pb2.DescribeAliasResponse(db_name=found.database, alias=request.alias, collection=found.name)

    def ListAliases(self, request: milvus_pb2.ListAliasesRequest, database: str) -> milvus_pb2.ListAliasesResponse:
        home = self.state.database(database)
        if request.collection_name:
            found = [self.find(database, request.collection_name)]
        else:
            found = list(home.collections.values())
        return milvus_pb2.ListAliasesResponse(
            db_name=home.name,
            collection_name=request.collection_name,
            aliases=sorted(alias for entry in found for alias in entry.aliases),
        )

    def _holder(self, database: str, alias: str) -> Collection:
        home = self.state.database(database)
        for entry in home.collections.values():
            if alias in entry.aliases:
                return entry
        raise Failure(ALIAS_NOT_FOUND, f"alias not found[database={home.name}][alias={alias}]")
