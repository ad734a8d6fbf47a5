"""What the calls of all kinds share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pymilvus.grpc_gen import common_pb2, milvus_pb2

from .errors import PARAMETER_INVALID, Failure
from .imports import Importer
from .rbac import AccessControl
from .state import Collection, State
from .versions import Features


@dataclass(frozen=True)
class Settings:
    """What the command line says about behaviour."""

    flush_delay: float
    """Seconds until a flushed segment counts as flushed."""
    state_delay: float = 0
    """Seconds until GetImportState is answered; the journal has each such call twice, `waits` first."""
    shards_limit: int = 16


@dataclass
class Double:
    """All parts of one double."""

    features: Features
    state: State
    importer: Importer
    access: AccessControl
    settings: Settings
    flush_all: dict[int, float] = field(default_factory=dict)
    """Monotonic time at which a FlushAll is done, by its timestamp."""


class Calls:
    """Base of the groups of calls. Each call takes the request and the name of the database, holding the lock."""

    def __init__(self, double: Double) -> None:
        self.double = double
        self.state = double.state
        self.features = double.features

    def find(self, database: str, name: str) -> Collection:
        return self.state.collection(database, name)


def pairs(values: dict[str, str]) -> list[common_pb2.KeyValuePair]:
    return [common_pb2.KeyValuePair(key=key, value=value) for key, value in values.items()]


def mapping(entries: Iterable[common_pb2.KeyValuePair]) -> dict[str, str]:
    return {entry.key: entry.value for entry in entries}


def alter(
    properties: dict[str, str], request: milvus_pb2.AlterCollectionRequest | milvus_pb2.AlterDatabaseRequest
) -> None:
    """Sets or removes properties; a request does one of them."""
    if bool(request.properties) == bool(request.delete_keys):
        raise Failure(PARAMETER_INVALID, "exactly one of properties and delete_keys must be given")
    properties |= mapping(request.properties)
    for key in request.delete_keys:
        properties.pop(key, None)
