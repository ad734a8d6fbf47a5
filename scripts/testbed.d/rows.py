"""The rows that fill.py writes: which ones, where, and what is in them.

Everything follows from the seed and the number of rows, so that whoever knows these two
knows every value, which ids were deleted and which were written twice.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

DIMENSION = 128
DEFAULT_PARTITION = "_default"
OTHER_PARTITION = "archive"
PARTITIONS = (DEFAULT_PARTITION, OTHER_PARTITION)
MINIMUM_ROWS = 1000

_WORDS = ["vector", "shard", "segment", "binlog", "delta log", "Zürich", "東京", "naïve", 'a "quote"', "back\\slash"]
_DESCRIPTION = re.compile(r"testbed rows=(\d+) seed=(\d+)")


@dataclass(frozen=True)
class Plan:
    """What a filled collection consists of.

    Ids 0 ..< rows are inserted in two batches; every third one goes to the second partition.
    Some are then upserted with a new revision, others are deleted.
    """

    rows: int
    seed: int

    def __post_init__(self) -> None:
        if self.rows < MINIMUM_ROWS:
            raise ValueError(f"at least {MINIMUM_ROWS} rows are needed; got {self.rows}")

    @property
    def description(self) -> str:
        """Kept in the collection's schema, where `of` finds it again."""
        return f"testbed rows={self.rows} seed={self.seed}"

    @staticmethod
    def of(description: str) -> Plan | None:
        match = _DESCRIPTION.search(description or "")
        return Plan(int(match[1]), int(match[2])) if match else None

    @property
    def batches(self) -> list[range]:
        """Flushed one after the other, which makes separate segments of them."""
        middle = self.rows * 3 // 5
        return [range(middle), range(middle, self.rows)]

    @staticmethod
    def partition(row_id: int) -> str:
        return OTHER_PARTITION if row_id % 3 == 1 else DEFAULT_PARTITION

    @cached_property
    def _changed(self) -> list[int]:
        """Ids to delete, then as many to upsert: chosen over the whole range, without overlap."""
        count = max(20, self.rows // 250)
        return random.Random(f"{self.seed} changed").sample(range(self.rows), 2 * count)

    @cached_property
    def deleted(self) -> list[int]:
        return sorted(self._changed[: len(self._changed) // 2])

    @cached_property
    def upserted(self) -> list[int]:
        return sorted(self._changed[len(self._changed) // 2 :])

    @property
    def final_count(self) -> int:
        return self.rows - len(self.deleted)

    def make(self, ids: list[int] | range, revision: int) -> Iterator[dict[str, Any]]:
        """The rows of the ids as pymilvus takes them; a revision has values of its own."""
        import numpy

        generator = numpy.random.default_rng([self.seed, revision, ids[0], len(ids)])
        vectors = generator.standard_normal((len(ids), DIMENSION), dtype=numpy.float32)
        floats = generator.standard_normal((len(ids), 2))
        for index, row_id in enumerate(ids):
            yield {
                "id": row_id,
                "title": f"{_WORDS[row_id % len(_WORDS)]} {row_id} r{revision}" if row_id % 50 else "",
                "attributes": _attributes(row_id, revision, float(floats[index, 0])),
                "active": row_id % 2 == 0,
                "quantity": (row_id * 2_654_435_761) % 2**32 - 2**31,
                # Python's floats are wider than this column: rounded as the server does.
                "score": float(numpy.float32(floats[index, 0])),
                "price": float(floats[index, 1]),
                "embedding": vectors[index],
                **_dynamic(row_id, revision),
            }


def _attributes(row_id: int, revision: int, number: float) -> dict[str, Any]:
    return {
        "revision": revision,
        "number": number,
        "tags": _WORDS[: row_id % 4],
        "nested": {"even": row_id % 2 == 0, "none": None, "text": f"ä{row_id}\n"},
    }


def _dynamic(row_id: int, revision: int) -> dict[str, Any]:
    """Fields that are not in the schema; rows differ in which ones they have."""
    fields: dict[str, Any] = {"origin": f"fill r{revision}"}
    if row_id % 2:
        fields["rank"] = row_id * 7
    if row_id % 5 == 0:
        fields["extra"] = {"list": [row_id, str(row_id), 0.5], "flag": True}
    return fields
