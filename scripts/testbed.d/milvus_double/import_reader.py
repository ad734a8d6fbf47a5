"""Reading the directories of one segment at import: every file must be where and what it should be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pymilvus.grpc_gen import schema_pb2

from . import logs, packed, schemas, values
from .binlog import BadBinlog
from .bucket import Bucket, BucketError, Listed
from .errors import import_failed
from .import_options import Options
from .state import Deletes, Row


@dataclass(frozen=True)
class Unit:
    """One segment: its directory, its insert logs, its delta logs."""

    directory: str
    inserts: list[Listed]
    deltas: list[Listed]

    @property
    def size(self) -> int:
        return sum(entry.size for entry in [*self.inserts, *self.deltas])


def read_rows(
    bucket: Bucket, unit: Unit, schema: schema_pb2.CollectionSchema, options: Options
) -> tuple[list[Row], int]:
    """The rows within the times that the deletes beside them leave, and how many there were."""
    segment = _segment_number(unit)
    by_field = _by_field(unit)
    if options.storage_version >= 2:
        columns = _packed_columns(bucket, by_field, schema)
    else:
        columns = _field_columns(bucket, by_field, schema, segment)
    lengths = {number: len(column) for number, column in columns.items()}
    if len(set(lengths.values())) != 1:
        raise import_failed(f"the fields of {unit.directory} have different numbers of rows: {lengths}")
    names = list(columns)
    rows: list[Row] = [dict(zip(names, entry, strict=True)) for entry in zip(*columns.values(), strict=True)]
    _fill(rows, schema)
    deletes = read_deletes(bucket, unit, schema, options.start, options.end)
    primary = schemas.primary_field(schema).fieldID
    kept = [
        row
        for row in rows
        if options.start <= row[schemas.TIMESTAMP] <= options.end
        and deletes.get(row[primary], 0) <= row[schemas.TIMESTAMP]
    ]
    return kept, len(rows)


def read_deletes(
    bucket: Bucket, unit: Unit, schema: schema_pb2.CollectionSchema, start: int, end: int
) -> Deletes:
    primary = schemas.primary_field(schema)
    deletes: Deletes = {}
    for entry in unit.deltas:
        if not re.search(r"/[0-9]+/[0-9]+$", entry.key):
            raise import_failed(f"{entry.key} is not a delta log: its key does not end in segment/log")
        found = _checked(entry.key, lambda data: logs.read_delta_log(data, primary), bucket)
        for key, timestamp in found.items():
            if start <= timestamp <= end:
                deletes[key] = max(timestamp, deletes.get(key, 0))
    return deletes


def _segment_number(unit: Unit) -> int:
    name = unit.directory.rstrip("/").rpartition("/")[2]
    if not name.isdecimal():
        raise import_failed(f"failed to parse segment id from {unit.directory}")
    return int(name)


def _by_field(unit: Unit) -> dict[int, list[str]]:
    """Keys by field or column group. All must have the same number of logs."""
    found: dict[int, list[str]] = {}
    for entry in unit.inserts:
        match = re.fullmatch(r"([0-9]+)/([0-9]+)", entry.key[len(unit.directory) :])
        if not match:
            raise import_failed(f"failed to parse field id from log {entry.key}")
        found.setdefault(int(match[1]), []).append(entry.key)
    counts = {number: len(keys) for number, keys in found.items()}
    if len(set(counts.values())) > 1:
        raise import_failed(f"misaligned binlog count, {counts}")
    return found


def _required(schema: schema_pb2.CollectionSchema) -> list[schema_pb2.FieldSchema]:
    """Fields that must have logs: one that is nullable or has a default may have been added later."""
    return [field for field in schema.fields if not field.nullable and not field.HasField("default_value")]


def _field_columns(
    bucket: Bucket, by_field: dict[int, list[str]], schema: schema_pb2.CollectionSchema, segment: int
) -> dict[int, list[Any]]:
    for field in _required(schema):
        if field.fieldID not in by_field:
            raise import_failed(f"no binlog for field:{field.name}")
    for number, name in ((schemas.ROW_ID, "RowID field"), (schemas.TIMESTAMP, "TimestampField")):
        if number not in by_field:
            raise import_failed(f"no binlog for {name}")
    columns: dict[int, list[Any]] = {}
    for field in [*schemas.system_fields(), *schema.fields]:
        if field.fieldID not in by_field:
            continue
        column: list[Any] = []
        for key in by_field[field.fieldID]:
            column += _checked(key, lambda data, field=field: logs.read_field_log(data, field, segment), bucket)
        columns[field.fieldID] = column
    return columns


def _packed_columns(
    bucket: Bucket, by_group: dict[int, list[str]], schema: schema_pb2.CollectionSchema
) -> dict[int, list[Any]]:
    fields = {field.fieldID: field for field in [*schemas.system_fields(), *schema.fields]}
    columns: dict[int, list[Any]] = {}
    for keys in by_group.values():
        for key in keys:
            for number, column in _checked(key, packed.read, bucket).items():
                if number not in fields:
                    continue
                try:
                    columns.setdefault(number, []).extend(values.from_arrow(fields[number], column))
                except ValueError as error:
                    raise import_failed(f"failed to read data, {key}: {error}") from error
    for field in [*schemas.system_fields(), *_required(schema)]:
        if field.fieldID not in columns:
            raise import_failed(f"no binlog for field:{field.name}")
    return columns


def _fill(rows: list[Row], schema: schema_pb2.CollectionSchema) -> None:
    """Values of fields without logs."""
    for field in schema.fields:
        if rows and field.fieldID not in rows[0]:
            value = values.default_of(field)
            for row in rows:
                row[field.fieldID] = value


def _checked(key: str, reader: Any, bucket: Bucket) -> Any:
    try:
        return reader(bucket.get(key))
    except BucketError as error:
        raise import_failed(f"failed to open binlog {key}: {error}") from error
    except BadBinlog as error:
        raise import_failed(f"failed to create reader, binlog:{key}, error:{error}") from error
