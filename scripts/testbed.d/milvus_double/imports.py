"""Import jobs of binlogs: what is accepted, and how a job runs.

Sources: Milvus' internal/proxy/task_import.go (partitions, loaded collections), internal/datacoord/import_util.go
(listing, grouping by segment), internal/util/importutilv2/option.go (options) and binlog/reader.go, util.go,
l0_reader.go (what the files must be). Only backups are imported: JSON, Parquet, CSV and numpy files are refused.
"""

from __future__ import annotations

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pymilvus.grpc_gen import common_pb2

from . import schemas
from .bucket import BucketError
from .errors import Failure, import_failed, invalid
from .import_options import Options
from .import_reader import Unit, read_deletes, read_rows
from .logs import LogStore
from .state import ALL_PARTITIONS, Collection, Deletes, Row, Segment, State
from .versions import Features

PENDING, IMPORTING, COMPLETED, FAILED = "Pending", "Importing", "Completed", "Failed"
MAX_FILES = 1024
"""dataCoord.import.maxImportFileNumPerReq."""


@dataclass
class Job:
    id: int
    collection: Collection
    partitions: list[int]
    units: list[Unit]
    options: Options
    created: float = field(default_factory=time.time)
    completed: float | None = None
    state: str = PENDING
    progress: int = 0
    reason: str = ""
    imported_rows: int = 0
    total_rows: int = 0
    segments: list[int] = field(default_factory=list)

    @property
    def size(self) -> int:
        return sum(unit.size for unit in self.units)


def moment(seconds: float | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Importer:
    """Accepts jobs and runs them, a few at once."""

    def __init__(self, state: State, logs: LogStore, features: Features, storage_version: int, delay: float) -> None:
        self.state = state
        self.logs = logs
        self.features = features
        self.storage_version = storage_version
        self.delay = delay
        self.jobs: dict[int, Job] = {}
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="import")
        self._stopping = threading.Event()

    def stop(self) -> None:
        self._stopping.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def submit(
        self, database: str, name: str, partition: str, files: list[list[str]], options: list[tuple[str, str]]
    ) -> Job:
        collection = self.state.collection(database, name)
        parsed = Options.parse(options, self.features)
        partitions = self._partitions(collection, partition, parsed)
        files = [paths for paths in files if paths]
        if not files:
            raise invalid("import request is empty")
        if len(files) > MAX_FILES:
            raise import_failed(f"The max number of import files should not exceed {MAX_FILES}, but got {len(files)}")
        try:
            units = self._l0_units(files) if parsed.l0 else self._segment_units(files)
        except BucketError as error:
            raise import_failed(f"list binlogs failed, err={error}") from error
        if not units:
            raise import_failed(f"no binlog to import, input={files}")
        job = Job(self.state.new_id(), collection, partitions, units, parsed)
        self.jobs[job.id] = job
        self._pool.submit(self._run, job)
        return job

    def job(self, number: int) -> Job:
        if number not in self.jobs:
            raise import_failed(f"import job does not exist, jobID={number}")
        return self.jobs[number]

    def _partitions(self, collection: Collection, name: str, options: Options) -> list[int]:
        if options.backup:
            if not name:
                raise invalid("partition not specified")
            return [collection.partition(name).id]
        if collection.loaded:
            raise import_failed("for l0 import, collection cannot be loaded, please release it first")
        return [collection.partition(name).id if name else ALL_PARTITIONS]

    def _segment_units(self, files: list[list[str]]) -> list[Unit]:
        """One unit for each segment directory below the first path; the second holds directories of deletes."""
        units = []
        for paths in files:
            if len(paths) > 2:
                raise import_failed(
                    "too many input paths for binlog import. "
                    f"Valid paths length should be one or two, but got paths:{paths}"
                )
            check_directory(paths[0])
            deltas = self._by_directory(paths[1]) if len(paths) == 2 and paths[1] else {}
            if len(paths) == 2 and paths[1]:
                check_directory(paths[1])
            segments = self._by_directory(paths[0])
            units += [
                Unit(f"{paths[0]}{directory}/", keys, deltas.get(directory, []))
                for directory, keys in segments.items()
            ]
        return units

    def _l0_units(self, files: list[list[str]]) -> list[Unit]:
        if len(files) > 1 and not self.features.several_l0_prefixes:
            raise import_failed(f"there should be one prefix for l0 import, but got {files}")
        units = []
        for paths in files:
            if len(paths) != 1:
                raise import_failed(f"there should be one prefix, but got {paths}")
            check_directory(paths[0])
            if not (keys := self.logs.bucket.list(paths[0])):
                # The server imports nothing and calls it done.
                raise import_failed(f"no delta logs for l0 segments, prefix={paths[0]}")
            units.append(Unit(paths[0], [], keys))
        return units

    def _by_directory(self, prefix: str) -> dict[str, list]:
        found: dict[str, list] = {}
        for entry in self.logs.bucket.list(prefix):
            directory, slash, _ = entry.key[len(prefix) :].partition("/")
            if not slash:
                raise import_failed(f"{entry.key} is a file where a directory of a segment should be")
            found.setdefault(directory, []).append(entry)
        return found

    def _run(self, job: Job) -> None:
        try:
            self._stopping.wait(self.delay)
            job.state, job.progress = IMPORTING, 10
            for number, unit in enumerate(job.units):
                if self._stopping.is_set():
                    raise import_failed("the double was stopped")
                self._import(job, unit)
                job.progress = 10 + 85 * (number + 1) // len(job.units)
                self._stopping.wait(self.delay)
            job.state, job.progress = COMPLETED, 100
        except Failure as failure:
            job.state, job.progress, job.reason = FAILED, 0, failure.reason
        except Exception as error:  # noqa: BLE001  # a job must not stay in the air
            job.state, job.progress, job.reason = FAILED, 0, f"the double failed: {error!r}"
        job.completed = time.time()

    def _import(self, job: Job, unit: Unit) -> None:
        if job.options.l0:
            deletes = read_deletes(self.logs.bucket, unit, job.collection.schema, job.options.start, job.options.end)
            if deletes:
                with self.state.lock:
                    self.add_l0(job.collection, job.partitions[0], deletes)
            return
        rows, total = read_rows(self.logs.bucket, unit, job.collection.schema, job.options)
        job.total_rows += total
        with self.state.lock:
            home = self.state.databases.get(job.collection.database)
            if home is None or home.collections.get(job.collection.name) is not job.collection:
                raise import_failed(f"collection {job.collection.name} dropped")
            job.segments += [segment.id for segment in self.add_rows(job.collection, job.partitions[0], rows)]
        job.imported_rows += len(rows)

    def add_rows(self, collection: Collection, partition: int, rows: list[Row]) -> list[Segment]:
        """New flushed segments with the rows, one a channel. Also what flush makes of growing ones."""
        primary = schemas.primary_field(collection.schema).fieldID
        by_channel: dict[str, list[Row]] = {}
        for row in rows:
            by_channel.setdefault(channel_of(collection, row[primary]), []).append(row)
        made = []
        for channel, members in by_channel.items():
            segment = Segment(
                self.state.new_id(), partition, channel, storage_version=self.storage_version, rows=members,
                flushed_at=time.monotonic(),
            )
            self.logs.write_rows(collection, segment)
            collection.segments[segment.id] = segment
            made.append(segment)
        return made

    def add_l0(self, collection: Collection, partition: int, deletes: Deletes) -> Segment:
        segment = Segment(
            self.state.new_id(), partition, collection.channels[0], level=common_pb2.L0, deletes=deletes,
            flushed_at=time.monotonic(),
        )
        self.logs.write_deletes(collection, segment, deletes)
        collection.segments[segment.id] = segment
        return segment


def channel_of(collection: Collection, key: object) -> str:
    """By the key's hash, which must not depend on the process."""
    number = key if isinstance(key, int) else sum(str(key).encode()) * 31
    return collection.channels[number % collection.shards]


def check_directory(path: str) -> None:
    """A directory of the bucket, as a key prefix."""
    if re.match(r"[a-z0-9]+://", path) or path.startswith("/"):
        raise import_failed(f"{path} is no key of this bucket")
    if not path.endswith("/"):
        # The server would take the directory itself for a segment, and lose its deletes.
        raise import_failed(f"the path {path} does not end with a slash")
    if any(part in ("", ".", "..") for part in path[:-1].split("/")):
        raise import_failed(f"{path} is no clean path")
