"""Compares two collections, value by value and bit by bit.

Rows are read per partition, in pages by ranges of the primary key. Each column is also
digested on both sides, so that the result shows what was compared.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import clients
from rows import Plan

PAGE_SIZE = 4_000
"""Ids per page: some MB with vectors, far below the server's limit for one answer."""
DIFFERENCES_SHOWN = 10
DYNAMIC = "dynamic fields"
ABSENT = "absent"

_encode_json = json.JSONEncoder(sort_keys=True).encode


@dataclass
class Side:
    """One of the two collections. Digests take the rows in the same order on both sides."""

    collection: Any
    digests: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.collection.primary_field.name

    def partitions(self) -> list[str]:
        return sorted(partition.name for partition in self.collection.partitions)

    def ids(self, partition: str) -> list[int]:
        if partition not in self.partitions():
            return []
        every = f"{self.key} >= 0 or {self.key} < 0"
        return sorted(row[self.key] for row in self._query(every, [self.key], partition))

    def rows(self, partition: str, first: int, last: int) -> dict[int, dict[str, Any]]:
        if partition not in self.partitions():
            return {}
        expression = f"{self.key} >= {first} and {self.key} <= {last}"
        return {row[self.key]: row for row in self._query(expression, ["*"], partition)}

    def count_of(self, expression: str) -> int:
        return len(self._query(expression, [self.key], None))

    def digest(self, column: str) -> str:
        return self.digests[column].hexdigest()[:16] if column in self.digests else "none"

    def take(self, rows: dict[int, dict[str, Any]]) -> dict[int, dict[str, bytes]]:
        """The rows' exact values; adds them to the digests, the dynamic fields of a row as one."""
        columns = {**schema_of(self.collection), DYNAMIC: ""}
        taken = {}
        for row_id in sorted(rows):
            values = {name: exact(value) for name, value in rows[row_id].items()}
            dynamic = sorted((name, value) for name, value in values.items() if name not in columns)
            for column in columns:
                value = repr(dynamic).encode() if column == DYNAMIC else values.get(column, b"")
                digest = self.digests.setdefault(column, hashlib.sha256())
                digest.update(struct.pack("<q", len(value)) + value)
            taken[row_id] = values
        return taken

    def _query(self, expression: str, fields: list[str], partition: str | None) -> list[dict[str, Any]]:
        partitions = None if partition is None else [partition]
        return self.collection.query(
            expression, output_fields=fields, partition_names=partitions, consistency_level="Strong"
        )


@dataclass(frozen=True)
class Finding:
    """One line of the result."""

    what: str
    source: object
    target: object
    equal: bool


class Comparison:
    def __init__(self, source: Any, target: Any) -> None:
        self.source = Side(source)
        self.target = Side(target)
        self.findings: list[Finding] = []
        self.differences: list[str] = []
        self.difference_count = 0

    @property
    def equal(self) -> bool:
        return all(finding.equal for finding in self.findings) and self.difference_count == 0

    def run(self, minimum_rows: int) -> None:
        source, target = self.source, self.target
        self._compare_schemas()
        self._compare("partitions", ", ".join(source.partitions()), ", ".join(target.partitions()))
        counts = clients.row_count(source.collection), clients.row_count(target.collection)
        self._compare("rows", *counts)
        self._require(f"rows, at least {minimum_rows}", *counts, min(counts) >= minimum_rows)
        self._compare_rows(*counts)
        if plan := Plan.of(source.collection.description):
            self._check_plan(plan)

    def _compare(self, what: str, source: object, target: object) -> None:
        self._require(what, source, target, source == target)

    def _require(self, what: str, source: object, target: object, fulfilled: bool) -> None:
        self.findings.append(Finding(what, source, target, fulfilled))

    def _compare_schemas(self) -> None:
        source, target = schema_of(self.source.collection), schema_of(self.target.collection)
        self._compare("schema fields", len(source), len(target))
        for name in {**source, **target}:
            before, after = source.get(name, ABSENT), target.get(name, ABSENT)
            if before != after:
                self._compare(f"schema of {name}", before, after)

    def _compare_rows(self, source_count: int, target_count: int) -> None:
        # Two threads: while one side's answer is decoded, the other's server works.
        with ThreadPoolExecutor(max_workers=2) as pool:
            for partition in sorted({*self.source.partitions(), *self.target.partitions()}):
                pending = [pool.submit(side.ids, partition) for side in (self.source, self.target)]
                source, target = (future.result() for future in pending)
                self._compare(f"rows in {partition}", len(source), len(target))
                self._compare_ids(partition, set(source), set(target))
                source_count -= len(source)
                target_count -= len(target)
                for first, last in _pages(sorted({*source, *target})):
                    rows = [pool.submit(side.rows, partition, first, last) for side in (self.source, self.target)]
                    self._compare_page(*(future.result() for future in rows))
        # Two rows with one id are counted as two and read as one.
        self._compare("rows beyond one per id", source_count, target_count)
        for column in {**self.source.digests, **self.target.digests}:
            self._compare(f"values of {column}", self.source.digest(column), self.target.digest(column))

    def _compare_ids(self, partition: str, source: set[int], target: set[int]) -> None:
        for missing, where in ((source - target, "target"), (target - source, "source")):
            for row_id in sorted(missing):
                self._differ(f"id {row_id} of partition {partition} is not in the {where}")

    def _compare_page(self, source: dict[int, dict], target: dict[int, dict]) -> None:
        before, after = self.source.take(source), self.target.take(target)
        for row_id in before.keys() & after.keys():
            if before[row_id] == after[row_id]:
                continue
            for name in sorted(before[row_id].keys() | after[row_id].keys()):
                if before[row_id].get(name) != after[row_id].get(name):
                    values = (row[row_id].get(name, ABSENT) for row in (source, target))
                    self._differ(f"id {row_id}, {name}{_change(*values)}")

    def _check_plan(self, plan: Plan) -> None:
        """What is known of a collection that fill.py made: a wrong source is found out, too."""
        expression = f"{self.source.key} in {plan.deleted}"
        source, target = self.source.count_of(expression), self.target.count_of(expression)
        self._require(f"of {len(plan.deleted)} deleted ids found", source, target, source == target == 0)
        expression = f'{self.source.key} in {plan.upserted} and attributes["revision"] == 2'
        source, target = self.source.count_of(expression), self.target.count_of(expression)
        wanted = len(plan.upserted)
        self._require(f"of {wanted} upserted rows new", source, target, source == target == wanted)

    def _differ(self, text: str) -> None:
        self.difference_count += 1
        if self.difference_count <= DIFFERENCES_SHOWN:
            self.differences.append(text)


def exact(value: Any) -> bytes:
    """Bytes that are the same exactly when the values are: floats by their bits, JSON by type."""
    import numpy

    if isinstance(value, bytes):
        return value
    if isinstance(value, numpy.generic):
        return value.tobytes()
    if isinstance(value, float):
        return struct.pack("<d", value)
    if isinstance(value, list) and value and isinstance(value[0], numpy.generic):
        return numpy.array(value).tobytes()
    return _encode_json(value).encode()


def _pages(ids: list[int]) -> Iterator[tuple[int, int]]:
    for first in range(0, len(ids), PAGE_SIZE):
        page = ids[first : first + PAGE_SIZE]
        yield page[0], page[-1]


def schema_of(collection: Any) -> dict[str, str]:
    """The fields by name, in their order, with what defines them."""
    fields = {}
    for entry in collection.schema.fields:
        details = ", ".join(f"{name} {value}" for name, value in sorted(entry.params.items()))
        marks = " key" if entry.is_primary else ""
        fields[entry.name] = f"{entry.dtype.name}{f'({details})' if details else ''}{marks}"
    if collection.schema.enable_dynamic_field:
        fields[DYNAMIC] = "enabled"
    return fields


def _change(before: Any, after: Any) -> str:
    """How a value changed; of lists, how their first unequal elements did."""
    if isinstance(before, list) and isinstance(after, list):
        for index, elements in enumerate(zip(before, after, strict=False)):
            if exact(elements[0]) != exact(elements[1]):
                return f"[{index}]{_change(*elements)}"
    return f": {_brief(before)} became {_brief(after)}"


def _brief(value: Any) -> str:
    text = value if value is ABSENT else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
