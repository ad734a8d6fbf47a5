"""Calls on collections and partitions."""

from __future__ import annotations

from google.protobuf.message import DecodeError
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

from . import schemas
from .calls import Calls, alter, mapping, pairs
from .errors import ALIAS_AND_COLLECTION_CONFLICT, UNEXPECTED, Failure, invalid, success
from .state import DEFAULT_PARTITION, Collection, Partition
from .strictness import check

_PARTITIONS_OF_A_KEY = 16
"""rootCoord.defaultPartitionNum of collections with a partition key."""
_MAX_PARTITIONS = 1024


class CollectionCalls(Calls):
    def CreateCollection(self, request: milvus_pb2.CreateCollectionRequest, database: str) -> common_pb2.Status:
        schema = schema_pb2.CollectionSchema()
        try:
            schema.ParseFromString(request.schema)
        except DecodeError as error:
            raise invalid("the schema cannot be read") from error
        check(schema, self.features, "CreateCollectionRequest.schema")
        schemas.check_name("collection", request.collection_name)
        if schema.name != request.collection_name:
            raise invalid(f"the schema is called {schema.name}, the collection {request.collection_name}")
        home = self.state.database(database)
        if any(request.collection_name in other.aliases for other in home.collections.values()):
            raise Failure(
                ALIAS_AND_COLLECTION_CONFLICT,
                f"alias and collection name conflict[database={home.name}][alias={request.collection_name}]",
            )
        shards = request.shards_num or 1
        if not 0 < shards <= self.double.settings.shards_limit:
            raise invalid(f"maximum shards's number should be limited to {self.double.settings.shards_limit}")
        made = Collection(
            id=self.state.new_id(),
            database=home.name,
            schema=schemas.admit(schema, self.features),
            shards=shards,
            consistency=request.consistency_level,
            properties=mapping([*request.properties, *schema.properties]),
            created=self.state.timestamp(),
        )
        made.schema.ClearField("properties")
        made.updated = made.created
        self._make_partitions(made, request.num_partitions)
        if (present := home.collections.get(made.name)) is not None:
            if _same(present, made):
                return success()
            raise Failure(
                UNEXPECTED, f"create duplicate collection with different parameters, collection: {made.name}"
            )
        home.collections[made.name] = made
        return success()

    def _make_partitions(self, collection: Collection, number: int) -> None:
        if schemas.partition_key(collection.schema) is None:
            if number not in (0, 1):
                raise invalid("num_partitions should only be specified with partition key field enabled")
            names = [DEFAULT_PARTITION]
        else:
            if not 0 <= number <= _MAX_PARTITIONS:
                raise invalid(f"partition number ({number}) exceeds max configuration ({_MAX_PARTITIONS})")
            names = [f"{DEFAULT_PARTITION}_{index}" for index in range(number or _PARTITIONS_OF_A_KEY)]
        for name in names:
            collection.partitions[name] = Partition(self.state.new_id(), name, collection.created)

    def DropCollection(self, request: milvus_pb2.DropCollectionRequest, database: str) -> common_pb2.Status:
        home = self.state.database(database)
        found = home.collections.get(request.collection_name)
        if found is None:
            return success()
        if found.aliases:
            raise Failure(
                UNEXPECTED,
                f"unable to drop the collection [{found.name}] because it has associated aliases "
                f"{sorted(found.aliases)}, please remove all aliases before dropping the collection",
            )
        del home.collections[found.name]
        return success()

    def HasCollection(self, request: milvus_pb2.HasCollectionRequest, database: str) -> milvus_pb2.BoolResponse:
        home = self.state.database(database)
        return milvus_pb2.BoolResponse(
            value=any(request.collection_name in {entry.name, *entry.aliases} for entry in home.collections.values())
        )

    def DescribeCollection(
        self, request: milvus_pb2.DescribeCollectionRequest, database: str
    ) -> milvus_pb2.DescribeCollectionResponse:
        if request.collection_name:
            found = self.find(database, request.collection_name)
        else:
            found = self.state.collection_by_id(request.collectionID)
        home = self.state.database(found.database)
        answer = milvus_pb2.DescribeCollectionResponse(
            collectionID=found.id,
            virtual_channel_names=found.channels,
            physical_channel_names=[name.rpartition("_")[0] for name in found.channels],
            created_timestamp=found.created,
            created_utc_timestamp=found.created >> 18,
            shards_num=found.shards,
            aliases=sorted(found.aliases),
            consistency_level=found.consistency,
            collection_name=found.name,
            properties=pairs(found.properties),
            db_name=found.database,
            num_partitions=len(found.partitions),
            db_id=home.id,
            request_time=self.state.timestamp(),
            update_timestamp=found.updated,
            update_timestamp_str=str(found.updated),
        )
        answer.schema.CopyFrom(found.schema)
        del answer.schema.fields[:]
        # The proxy shows neither the system fields nor the dynamic one.
        answer.schema.fields.extend(field for field in found.schema.fields if not field.is_dynamic)
        answer.schema.autoID = schemas.primary_field(found.schema).autoID
        if self.features.schema_properties:
            answer.schema.properties.extend(pairs(found.properties))
        return answer

    def ShowCollections(
        self, request: milvus_pb2.ShowCollectionsRequest, database: str
    ) -> milvus_pb2.ShowCollectionsResponse:
        found = list(self.state.database(database).collections.values())
        if request.type == milvus_pb2.InMemory:
            found = [entry for entry in found if entry.loaded]
        if request.collection_names:
            found = [self.find(database, name) for name in request.collection_names]
        return milvus_pb2.ShowCollectionsResponse(
            collection_names=[entry.name for entry in found],
            collection_ids=[entry.id for entry in found],
            created_timestamps=[entry.created for entry in found],
            created_utc_timestamps=[entry.created >> 18 for entry in found],
            inMemory_percentages=[100 if entry.loaded else 0 for entry in found],
            query_service_available=[entry.loaded for entry in found],
            shards_num=[entry.shards for entry in found],
        )

    def AlterCollection(self, request: milvus_pb2.AlterCollectionRequest, database: str) -> common_pb2.Status:
        found = self.find(database, request.collection_name)
        alter(found.properties, request)
        found.updated = self.state.timestamp()
        return success()

    def RenameCollection(self, request: milvus_pb2.RenameCollectionRequest, database: str) -> common_pb2.Status:
        schemas.check_name("collection", request.newName)
        home = self.state.database(database)
        target = self.state.database(request.newDBName or home.name)
        found = home.collections.get(request.oldName)
        if found is None:
            raise Failure(UNEXPECTED, f"collection not found[database={home.name}][collection={request.oldName}]")
        if any(request.newName in {entry.name, *entry.aliases} for entry in target.collections.values()):
            raise Failure(UNEXPECTED, f"duplicated new collection name {request.newName}")
        del home.collections[found.name]
        found.schema.name, found.database = request.newName, target.name
        target.collections[found.name] = found
        return success()

    def AddCollectionField(self, request: milvus_pb2.AddCollectionFieldRequest, database: str) -> common_pb2.Status:
        found = self.find(database, request.collection_name)
        field = schema_pb2.FieldSchema()
        try:
            field.ParseFromString(request.schema)
        except DecodeError as error:
            raise invalid("the field's schema cannot be read") from error
        check(field, self.features, "AddCollectionFieldRequest.schema")
        schemas.add_field(found.schema, field, self.features)
        found.updated = self.state.timestamp()
        return success()


class PartitionCalls(Calls):
    def CreatePartition(self, request: milvus_pb2.CreatePartitionRequest, database: str) -> common_pb2.Status:
        found = self.find(database, request.collection_name)
        schemas.check_name("partition", request.partition_name)
        if schemas.partition_key(found.schema) is not None:
            raise Failure(UNEXPECTED, "disable create partition if partition key mode is used")
        if request.partition_name not in found.partitions:
            found.partitions[request.partition_name] = Partition(
                self.state.new_id(), request.partition_name, self.state.timestamp()
            )
        return success()

    def DropPartition(self, request: milvus_pb2.DropPartitionRequest, database: str) -> common_pb2.Status:
        found = self.find(database, request.collection_name)
        if schemas.partition_key(found.schema) is not None:
            raise Failure(UNEXPECTED, "disable drop partition if partition key mode is used")
        if request.partition_name == DEFAULT_PARTITION:
            raise Failure(UNEXPECTED, "default partition cannot be deleted")
        if found.loaded:
            raise Failure(UNEXPECTED, "partition cannot be dropped, partition is loaded, please release it first")
        if dropped := found.partitions.pop(request.partition_name, None):
            found.segments = {key: entry for key, entry in found.segments.items() if entry.partition != dropped.id}
        return success()

    def HasPartition(self, request: milvus_pb2.HasPartitionRequest, database: str) -> milvus_pb2.BoolResponse:
        found = self.find(database, request.collection_name)
        return milvus_pb2.BoolResponse(value=request.partition_name in found.partitions)

    def ShowPartitions(
        self, request: milvus_pb2.ShowPartitionsRequest, database: str
    ) -> milvus_pb2.ShowPartitionsResponse:
        if request.collection_name:
            found = self.find(database, request.collection_name)
        else:
            found = self.state.collection_by_id(request.collectionID)
        wanted = [found.partition(name) for name in request.partition_names] or list(found.partitions.values())
        return milvus_pb2.ShowPartitionsResponse(
            partition_names=[entry.name for entry in wanted],
            partitionIDs=[entry.id for entry in wanted],
            created_timestamps=[entry.created for entry in wanted],
            created_utc_timestamps=[entry.created >> 18 for entry in wanted],
            inMemory_percentages=[100 if found.loaded else 0 for _ in wanted],
        )


def _same(present: Collection, made: Collection) -> bool:
    return (
        present.schema == made.schema
        and present.shards == made.shards
        and present.properties == made.properties
        and len(present.partitions) == len(made.partitions)
    )
