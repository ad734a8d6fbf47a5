"""Insert logs of storage version 2: column groups, each a bare Parquet file.

Narrow fields share group 0, together with row id and timestamp; each vector and each long text has a group of its
own, called by its field id. Columns carry their field id in PARQUET:field_id, the footer the ids of all groups.
Source: milvus-storage's packed writer (keys storage_version, group_field_id_list) and Milvus' internal/storagecommon.
There was no server of 2.6 to compare with: these files are written after those sources only.
"""

from __future__ import annotations

import io
from typing import Any

import pyarrow
import pyarrow.parquet
from pymilvus.grpc_gen import schema_pb2

from . import values
from .binlog import BadBinlog, parquet_table
from .values import DataType

SHARED_GROUP = 0
_FIELD_ID = b"PARQUET:field_id"
_WIDE = {*values.VECTORS, DataType.JSON, DataType.Array}


def groups(fields: list[schema_pb2.FieldSchema]) -> dict[int, list[schema_pb2.FieldSchema]]:
    """Fields by column group."""
    grouped: dict[int, list[schema_pb2.FieldSchema]] = {}
    for field in fields:
        grouped.setdefault(field.fieldID if field.data_type in _WIDE else SHARED_GROUP, []).append(field)
    return grouped


def write(fields: list[schema_pb2.FieldSchema], columns: list[list[Any]], all_groups: list[list[int]]) -> bytes:
    """One file of one column group."""
    schema = pyarrow.schema(
        [
            pyarrow.field(
                field.name, values.arrow_type(field), nullable=field.nullable,
                metadata={_FIELD_ID: str(field.fieldID).encode()},
            )
            for field in fields
        ],
        metadata={
            "storage_version": "1.0.0",
            "group_field_id_list": ";".join(",".join(map(str, group)) for group in all_groups),
        },
    )
    arrays = [values.arrow_array(field, column) for field, column in zip(fields, columns, strict=True)]
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=schema), file, compression="zstd")
    return file.getvalue()


def read(data: bytes) -> dict[int, pyarrow.ChunkedArray]:
    """Columns by field id."""
    table = parquet_table(data)
    if b"group_field_id_list" not in (table.schema.metadata or {}):
        raise BadBinlog("its footer has no group_field_id_list, so it is no column group")
    columns = {}
    for column in table.schema:
        number = (column.metadata or {}).get(_FIELD_ID, b"")
        if not number.isdigit():
            raise BadBinlog(f"its column {column.name} has no field id")
        columns[int(number)] = table.column(column.name)
    return columns
