"""What the double remembers: databases, collections, partitions, segments, rows, deletes, indexes, aliases.

Everything here is guarded by one lock, which the callers hold for a whole call. Ids and timestamps are hybrid
timestamps (milliseconds shifted by 18 bits), as in Milvus, and never repeat.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from pymilvus.grpc_gen import common_pb2, schema_pb2

from . import schemas
from .errors import collection_not_found, database_not_found, partition_not_found

ALL_PARTITIONS = -1
DEFAULT = "default"
DEFAULT_PARTITION = "_default"

Row = dict[int, Any]
"""Values by field id, with 0 (row id) and 1 (timestamp)."""
Deletes = dict[Any, int]
"""Timestamps by primary key."""


@dataclass
class Segment:
    id: int
    partition: int
    channel: str
    level: int = common_pb2.L1
    storage_version: int = 0
    rows: list[Row] = field(default_factory=list)
    deletes: Deletes = field(default_factory=dict)
    """Of an L0 segment: what it deletes."""
    flushed_at: float | None = None
    """Monotonic time at which it counts as flushed; None while it grows."""
    insert_logs: dict[int, list[int]] = field(default_factory=dict)
    """Log ids by field, or column group."""
    delta_logs: list[int] = field(default_factory=list)

    @property
    def is_flushed(self) -> bool:
        return self.flushed_at is not None and time.monotonic() >= self.flushed_at


@dataclass
class Partition:
    id: int
    name: str
    created: int


@dataclass
class Index:
    id: int
    name: str
    field: str
    params: dict[str, str]


@dataclass
class Collection:
    id: int
    database: str
    schema: schema_pb2.CollectionSchema
    shards: int
    consistency: int
    properties: dict[str, str]
    created: int
    partitions: dict[str, Partition] = field(default_factory=dict)
    segments: dict[int, Segment] = field(default_factory=dict)
    pending_deletes: dict[int, Deletes] = field(default_factory=dict)
    """Not yet flushed, by partition or ALL_PARTITIONS."""
    indexes: dict[str, Index] = field(default_factory=dict)
    aliases: set[str] = field(default_factory=set)
    loaded: bool = False
    updated: int = 0

    @property
    def name(self) -> str:
        return self.schema.name

    @property
    def channels(self) -> list[str]:
        return [f"by-dev-rootcoord-dml_{number}_{self.id}v{number}" for number in range(self.shards)]

    def partition(self, name: str) -> Partition:
        if name not in self.partitions:
            raise partition_not_found(name)
        return self.partitions[name]

    def visible(self, partitions: set[int]) -> list[Row]:
        """The rows of the partitions that no later delete has removed."""
        deletes: dict[int, Deletes] = {}
        for partition, entries in [
            *self.pending_deletes.items(),
            *((segment.partition, segment.deletes) for segment in self.segments.values()),
        ]:
            known = deletes.setdefault(partition, {})
            for key, timestamp in entries.items():
                known[key] = max(timestamp, known.get(key, 0))
        primary = schemas.primary_field(self.schema).fieldID
        everywhere = deletes.get(ALL_PARTITIONS, {})
        rows = []
        for segment in self.segments.values():
            if segment.partition not in partitions:
                continue
            here = deletes.get(segment.partition, {})
            rows += [
                row
                for row in segment.rows
                if max(here.get(row[primary], 0), everywhere.get(row[primary], 0)) <= row[schemas.TIMESTAMP]
            ]
        return rows


@dataclass
class Database:
    id: int
    name: str
    created: int
    properties: dict[str, str] = field(default_factory=dict)
    collections: dict[str, Collection] = field(default_factory=dict)

    def resolve(self, name: str) -> Collection:
        """By name or alias."""
        if name in self.collections:
            return self.collections[name]
        for collection in self.collections.values():
            if name in collection.aliases:
                return collection
        raise collection_not_found(self.name, name)


class State:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._last = 0
        self.databases: dict[str, Database] = {DEFAULT: Database(1, DEFAULT, self.timestamp())}

    def timestamp(self) -> int:
        with self.lock:
            self._last = max(self._last + 1, time.time_ns() // 1_000_000 << 18)
            return self._last

    new_id = timestamp

    def database(self, name: str) -> Database:
        if (name or DEFAULT) not in self.databases:
            raise database_not_found(name)
        return self.databases[name or DEFAULT]

    def collection(self, database: str, name: str) -> Collection:
        return self.database(database).resolve(name)

    def collection_by_id(self, number: int) -> Collection:
        for database in self.databases.values():
            for collection in database.collections.values():
                if collection.id == number:
                    return collection
        raise collection_not_found("", number)
