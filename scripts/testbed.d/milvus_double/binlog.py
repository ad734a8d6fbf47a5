"""Binlogs of storage version 1: events in an envelope, each with a Parquet file of one column.

Layout (Milvus' internal/storage: binlog_writer.go, event_header.go, event_data.go, payload_writer.go): magic number,
a descriptor event, data events, all little endian. Compared with files of a real 2.3.5 by selfcheck.py --compare.
"""

from __future__ import annotations

import io
import json
import struct
from dataclasses import dataclass, field
from typing import Any

import pyarrow
import pyarrow.parquet

MAGIC = 0xFFFABC
DESCRIPTOR, INSERT, DELETE = 0, 1, 2
COLUMN = "val"
_HEADER = struct.Struct("<Qbii")
"""Timestamp, type, length of the whole event, position of the next one."""
_FIXED = struct.Struct("<qqqqQQi")
"""Collection, partition, segment and field, first and last timestamp, type of the values."""
_RANGE = struct.Struct("<QQ")
_POST_HEADERS = bytes([_FIXED.size] + [_RANGE.size] * 7)


class BadBinlog(Exception):
    """An object that is not a binlog; the text says in what."""


@dataclass(frozen=True)
class Origin:
    """Whose values a binlog holds: what its descriptor says."""

    collection: int
    partition: int
    segment: int
    field: int
    data_type: int
    first: int
    last: int
    extras: dict[str, Any] = field(default_factory=dict)


def write(origin: Origin, kind: int, values: pyarrow.Array) -> bytes:
    """A binlog with one data event."""
    payload = io.BytesIO()
    nullable = bool(origin.extras.get("nullable"))
    schema = pyarrow.schema([pyarrow.field(COLUMN, values.type, nullable=nullable)])
    pyarrow.parquet.write_table(
        pyarrow.Table.from_arrays([values], schema=schema), payload, compression="zstd", compression_level=3
    )
    extras = json.dumps(origin.extras, separators=(",", ":")).encode()
    body = (
        _FIXED.pack(
            origin.collection, origin.partition, origin.segment, origin.field, origin.first, origin.last,
            origin.data_type,
        )
        + _POST_HEADERS
        + struct.pack("<i", len(extras))
        + extras
    )
    result = struct.pack("<i", MAGIC)
    result += _event(len(result), origin.first, DESCRIPTOR, body)
    body = _RANGE.pack(origin.first, origin.last) + payload.getvalue()
    return result + _event(len(result), origin.first, kind, body)


def _event(position: int, timestamp: int, kind: int, body: bytes) -> bytes:
    length = _HEADER.size + len(body)
    return _HEADER.pack(timestamp, kind, length, position + length) + body


def read(data: bytes, kind: int) -> tuple[Origin, list[pyarrow.Table]]:
    """The descriptor and the tables of all data events, which must all be of the kind."""
    if len(data) < 4 or struct.unpack_from("<i", data)[0] != MAGIC:
        raise BadBinlog("it does not begin with the magic number")
    found, position, body = _next_event(data, 4)
    if found != DESCRIPTOR or len(body) < _FIXED.size + len(_POST_HEADERS) + 4:
        raise BadBinlog("its first event is not a descriptor")
    *ids, first, last, data_type = _FIXED.unpack_from(body)
    if body[_FIXED.size : _FIXED.size + len(_POST_HEADERS)] != _POST_HEADERS:
        raise BadBinlog("its descriptor has other event headers than version 1")
    rest = body[_FIXED.size + len(_POST_HEADERS) :]
    (length,) = struct.unpack_from("<i", rest)
    if length != len(rest) - 4:
        raise BadBinlog(f"its descriptor announces {length} bytes of extras and has {len(rest) - 4}")
    try:
        extras = json.loads(rest[4:]) if length else {}
    except ValueError as error:
        raise BadBinlog(f"the extras of its descriptor are not JSON: {error}") from error
    tables = []
    while position < len(data):
        found, position, body = _next_event(data, position)
        if found != kind:
            raise BadBinlog(f"wrong binlog type, expect:{kind}, actual:{found}")
        if len(body) <= _RANGE.size:
            raise BadBinlog("a data event has no values")
        tables.append(parquet_table(body[_RANGE.size :]))
    return Origin(*ids, data_type, first, last, extras), tables


def parquet_table(data: bytes) -> pyarrow.Table:
    try:
        return pyarrow.parquet.read_table(io.BytesIO(data))
    except (pyarrow.ArrowException, OSError) as error:
        raise BadBinlog(f"its values are not Parquet: {error}") from error


def _next_event(data: bytes, position: int) -> tuple[int, int, bytes]:
    if position + _HEADER.size > len(data):
        raise BadBinlog("it ends inside an event header")
    _, kind, length, following = _HEADER.unpack_from(data, position)
    if length < _HEADER.size or position + length > len(data) or following != position + length:
        raise BadBinlog(f"its event at byte {position} is cut short or says a wrong length")
    return kind, following, data[position + _HEADER.size : following]
