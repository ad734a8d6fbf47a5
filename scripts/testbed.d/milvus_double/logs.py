"""The logs of a segment in the bucket: writing them at flush, reading them at import.

Keys: insert_log/collection/partition/segment/field/log and delta_log/collection/partition/segment/log below the root
path (milvus-backup's reference; Milvus' internal/metastore/kv/binlog).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pyarrow
from pymilvus.grpc_gen import schema_pb2

from . import binlog, packed, schemas, values
from .binlog import BadBinlog, Origin
from .bucket import Bucket
from .state import Collection, Deletes, Row, Segment
from .values import DataType


@dataclass(frozen=True)
class LogStore:
    """Where the double keeps its logs and how it cuts them."""

    bucket: Bucket
    root: str
    rows_per_log: int
    new_id: Callable[[], int]

    def key(self, *parts: object) -> str:
        return "/".join([*([self.root] if self.root else []), *map(str, parts)])

    def write_rows(self, collection: Collection, segment: Segment) -> None:
        """Writes the insert logs of a segment and notes their ids in it."""
        fields = [*schemas.system_fields(), *collection.schema.fields]
        objects: dict[str, bytes] = {}
        for start in range(0, len(segment.rows), self.rows_per_log):
            rows = segment.rows[start : start + self.rows_per_log]
            if segment.storage_version >= 2:
                files = _packed_files(fields, rows)
            else:
                files = {field.fieldID: _field_log(collection, segment, field, rows) for field in fields}
            for number, content in files.items():
                log = self.new_id()
                objects[
                    self.key("insert_log", collection.id, segment.partition, segment.id, number, log)
                ] = content
                segment.insert_logs.setdefault(number, []).append(log)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self.bucket.put, objects, objects.values()))

    def write_deletes(self, collection: Collection, segment: Segment, deletes: Deletes) -> None:
        """Writes one delta log of a segment; always in the envelope of version 1."""
        primary = schemas.primary_field(collection.schema)
        entries = [
            json.dumps({"pk": key, "ts": timestamp, "pkType": primary.data_type}, separators=(",", ":"))
            for key, timestamp in deletes.items()
        ]
        span = min(deletes.values()), max(deletes.values())
        extras = {"original_size": str(sum(map(len, entries)))}
        # The descriptor of a delta log names no field of its own: its values are texts.
        origin = Origin(collection.id, segment.partition, segment.id, 0, DataType.String, *span, extras)
        log = self.new_id()
        self.bucket.put(
            self.key("delta_log", collection.id, segment.partition, segment.id, log),
            binlog.write(origin, binlog.DELETE, pyarrow.array(entries, type=pyarrow.string())),
        )
        segment.delta_logs.append(log)


def _span(rows: list[Row]) -> tuple[int, int]:
    timestamps = [row[schemas.TIMESTAMP] for row in rows]
    return min(timestamps), max(timestamps)


def _field_log(
    collection: Collection, segment: Segment, field: schema_pb2.FieldSchema, rows: list[Row]
) -> bytes:
    array = values.arrow_array(field, [row.get(field.fieldID) for row in rows])
    extras: dict[str, Any] = {"original_size": str(array.nbytes)}
    if field.nullable:
        extras["nullable"] = True
    origin = Origin(
        collection.id, segment.partition, segment.id, field.fieldID, field.data_type, *_span(rows), extras
    )
    return binlog.write(origin, binlog.INSERT, array)


def _packed_files(fields: list[schema_pb2.FieldSchema], rows: list[Row]) -> dict[int, bytes]:
    grouped = packed.groups(fields)
    ids = [[field.fieldID for field in members] for members in grouped.values()]
    return {
        number: packed.write(members, [[row.get(field.fieldID) for row in rows] for field in members], ids)
        for number, members in grouped.items()
    }


def read_field_log(
    data: bytes, field: schema_pb2.FieldSchema, segment: int
) -> list[Any]:
    """The values of an insert log of version 1, which must be of this field and segment."""
    origin, tables = binlog.read(data, binlog.INSERT)
    if origin.field != field.fieldID:
        raise BadBinlog(f"its descriptor says field {origin.field}, its directory {field.fieldID}")
    if origin.segment != segment:
        raise BadBinlog(f"its descriptor says segment {origin.segment}, its directory {segment}")
    if origin.data_type != field.data_type:
        raise BadBinlog(
            f"it holds values of type {origin.data_type}, and field {field.name} is of type {field.data_type}"
        )
    found: list[Any] = []
    for table in tables:
        if table.num_columns != 1:
            raise BadBinlog(f"an event has {table.num_columns} columns")
        try:
            found += values.from_arrow(field, table.column(0))
        except ValueError as error:
            raise BadBinlog(str(error)) from error
    return found


def read_delta_log(data: bytes, primary: schema_pb2.FieldSchema) -> Deletes:
    """What a delta log deletes: JSON texts of one column, as 2.3 to 2.6 write them."""
    _, tables = binlog.read(data, binlog.DELETE)
    deletes: Deletes = {}
    for table in tables:
        if table.num_columns != 1 or not pyarrow.types.is_string(table.column(0).type):
            raise BadBinlog("a delete event is not one column of texts")
        for text in table.column(0).to_pylist():
            try:
                entry = json.loads(text)
                key, timestamp, kind = entry["pk"], entry["ts"], entry["pkType"]
            except (ValueError, KeyError, TypeError) as error:
                raise BadBinlog(f"an entry is not a delete: {text!r}") from error
            if kind != primary.data_type:
                raise BadBinlog(f"its keys are of type {kind}, and the collection's of type {primary.data_type}")
            deletes[key] = max(timestamp, deletes.get(key, 0))
    return deletes
