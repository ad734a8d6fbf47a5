"""Insert, Upsert, Delete and Query."""

from __future__ import annotations

import json
from typing import Any

from pymilvus.grpc_gen import milvus_pb2, schema_pb2

from . import schemas, values
from .calls import Calls, mapping
from .errors import COLLECTION_NOT_LOADED, Failure, invalid
from .expressions import predicate
from .imports import channel_of
from .state import ALL_PARTITIONS, DEFAULT_PARTITION, Collection, Row, Segment

_COUNT = "count(*)"
_MAX_WINDOW = 16_384
"""quotaAndLimits.limits.maxQueryResultWindow; applies when a limit is given."""


class WriteCalls(Calls):
    def Insert(self, request: milvus_pb2.InsertRequest, database: str) -> milvus_pb2.MutationResult:
        found = self.find(database, request.collection_name)
        rows = self._rows(found, request.fields_data, request.num_rows)
        return self._store(found, request.partition_name, rows, upserted=0)

    def Upsert(self, request: milvus_pb2.UpsertRequest, database: str) -> milvus_pb2.MutationResult:
        found = self.find(database, request.collection_name)
        if request.partial_update:
            raise invalid("the double makes no partial updates")
        primary = schemas.primary_field(found.schema)
        if primary.autoID:
            raise invalid("the double makes no upserts where ids are given automatically")
        rows = self._rows(found, request.fields_data, request.num_rows)
        scope = ALL_PARTITIONS
        if schemas.partition_key(found.schema) is None:
            scope = found.partition(request.partition_name or DEFAULT_PARTITION).id
        deletes = found.pending_deletes.setdefault(scope, {})
        for row in rows:
            # As in Milvus the deletes have the timestamps of the new rows, which they leave alone.
            deletes[row[primary.fieldID]] = row[schemas.TIMESTAMP]
        return self._store(found, request.partition_name, rows, upserted=len(rows))

    def Delete(self, request: milvus_pb2.DeleteRequest, database: str) -> milvus_pb2.MutationResult:
        found = self.find(database, request.collection_name)
        if not request.expr.strip():
            raise invalid("delete plan can't be empty or always true")
        scope = found.partition(request.partition_name).id if request.partition_name else ALL_PARTITIONS
        within = {entry.id for entry in found.partitions.values()} if scope == ALL_PARTITIONS else {scope}
        matches = predicate(request.expr, found.schema)
        primary = schemas.primary_field(found.schema).fieldID
        keys = [row[primary] for row in found.visible(within) if matches(row)]
        timestamp = self.state.timestamp()
        found.pending_deletes.setdefault(scope, {}).update(dict.fromkeys(keys, timestamp))
        return milvus_pb2.MutationResult(delete_cnt=len(keys), timestamp=timestamp)

    def _rows(self, collection: Collection, fields_data: list[schema_pb2.FieldData], count: int) -> list[Row]:
        if not count:
            raise invalid("num_rows should be greater than 0")
        if collection.schema.functions:
            raise invalid("the double computes no functions: it takes rows of such a collection by import only")
        given: dict[str, schema_pb2.FieldData] = {}
        for data in fields_data:
            name = schemas.DYNAMIC if data.is_dynamic else data.field_name
            if name in given:
                raise invalid(f"the field {name} is given twice")
            given[name] = data
        columns: dict[int, list[Any]] = {}
        for field in collection.schema.fields:
            data = given.pop(field.name, None)
            if field.is_primary_key and field.autoID:
                if data is not None:
                    raise invalid(f"the primary field {field.name} is given automatically")
                ids = [self.state.new_id() for _ in range(count)]
                columns[field.fieldID] = ids if field.data_type == values.DataType.Int64 else [str(i) for i in ids]
            elif data is not None:
                columns[field.fieldID] = values.from_field_data(field, data, count)
            elif field.is_dynamic:
                columns[field.fieldID] = [b"{}"] * count
            elif field.nullable or field.HasField("default_value"):
                columns[field.fieldID] = [values.default_of(field)] * count
            else:
                raise invalid(f"fieldSchema({field.name}) has no corresponding fieldData pass in")
        if given:
            raise invalid(f"fieldName {next(iter(given))} not exist in collection schema")
        columns[schemas.ROW_ID] = [self.state.new_id() for _ in range(count)]
        columns[schemas.TIMESTAMP] = [self.state.timestamp()] * count
        ids = list(columns)
        return [dict(zip(ids, entry, strict=True)) for entry in zip(*columns.values(), strict=True)]

    def _store(
        self, collection: Collection, partition: str, rows: list[Row], upserted: int
    ) -> milvus_pb2.MutationResult:
        key = schemas.partition_key(collection.schema)
        if key is not None and partition:
            raise invalid("not support manually specifying the partition names if partition key mode is used")
        partitions = list(collection.partitions.values())
        fixed = None if key is not None else collection.partition(partition or DEFAULT_PARTITION)
        primary = schemas.primary_field(collection.schema)
        for row in rows:
            home = fixed or partitions[_hash(row[key.fieldID]) % len(partitions)]
            self._growing(collection, home.id, channel_of(collection, row[primary.fieldID])).rows.append(row)
        result = milvus_pb2.MutationResult(
            succ_index=range(len(rows)), acknowledged=False, timestamp=rows[0][schemas.TIMESTAMP],
            insert_cnt=0 if upserted else len(rows), upsert_cnt=upserted, delete_cnt=upserted,
        )
        keys = [row[primary.fieldID] for row in rows]
        if primary.data_type == values.DataType.Int64:
            result.IDs.int_id.data.extend(keys)
        else:
            result.IDs.str_id.data.extend(keys)
        return result

    def _growing(self, collection: Collection, partition: int, channel: str) -> Segment:
        for segment in collection.segments.values():
            if segment.flushed_at is None and (segment.partition, segment.channel) == (partition, channel):
                return segment
        made = Segment(self.state.new_id(), partition, channel, storage_version=self.double.importer.storage_version)
        collection.segments[made.id] = made
        return made


class QueryCalls(Calls):
    def Query(self, request: milvus_pb2.QueryRequest, database: str) -> milvus_pb2.QueryResults:
        found = self.find(database, request.collection_name)
        if not found.loaded:
            raise Failure(COLLECTION_NOT_LOADED, f"collection not loaded[collection={found.id}]")
        wanted = [found.partition(name) for name in request.partition_names] or list(found.partitions.values())
        matches = predicate(request.expr, found.schema)
        rows = [row for row in found.visible({entry.id for entry in wanted}) if matches(row)]
        answer = milvus_pb2.QueryResults(collection_name=found.name, session_ts=self.state.timestamp())
        if list(request.output_fields) == [_COUNT]:
            data = answer.fields_data.add(type=values.DataType.Int64, field_name=_COUNT)
            data.scalars.long_data.data.append(len(rows))
            answer.output_fields.append(_COUNT)
            return answer
        primary = schemas.primary_field(found.schema)
        answer.primary_field_name = primary.name
        rows.sort(key=lambda row: row[primary.fieldID])
        rows = self._window(request, rows)
        self._columns(answer, found, list(request.output_fields), rows)
        return answer

    @staticmethod
    def _window(request: milvus_pb2.QueryRequest, rows: list[Row]) -> list[Row]:
        params = mapping(request.query_params)
        limit, offset = params.get("limit"), params.get("offset", "0")
        if limit is None or limit == "-1":
            if not request.expr.strip():
                raise invalid("empty expression should be used with limit")
            return rows
        if not limit.isdecimal() or not offset.isdecimal() or int(limit) + int(offset) > _MAX_WINDOW:
            raise invalid(f"invalid max query result window, (offset+limit) should be in range [1, {_MAX_WINDOW}]")
        return rows[int(offset) : int(offset) + int(limit)]

    def _columns(
        self, answer: milvus_pb2.QueryResults, collection: Collection, wanted: list[str], rows: list[Row]
    ) -> None:
        fields = {field.name: field for field in collection.schema.fields}
        everything = "*" in wanted
        names = list(fields) if everything else [name for name in wanted if name in fields]
        keys = [name for name in wanted if name not in fields and name != "*"]
        if keys and schemas.DYNAMIC not in fields:
            raise invalid(f"field {keys[0]} not exist")
        if keys and schemas.DYNAMIC not in names:
            names.append(schemas.DYNAMIC)
        primary = schemas.primary_field(collection.schema).name
        if primary not in names:
            names.append(primary)
        for name in names:
            column = [row.get(fields[name].fieldID) for row in rows]
            if name == schemas.DYNAMIC and keys and not everything:
                column = [_only(value, keys) for value in column]
            answer.fields_data.append(
                values.to_field_data(fields[name], column, self.features.default_values_and_nulls)
            )
        answer.output_fields.extend(names)


def _only(document: bytes, keys: list[str]) -> bytes:
    return json.dumps({key: value for key, value in json.loads(document).items() if key in keys}).encode()


def _hash(key: object) -> int:
    return key if isinstance(key, int) else sum(str(key).encode()) * 31
