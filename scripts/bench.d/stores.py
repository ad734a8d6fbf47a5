"""`scripts/bench stores`: the store layers beside rclone and s5cmd, and the HTTP engine against a plain web server."""

from __future__ import annotations

import filecmp
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import clients
from contenders import Contender, Ours, Rclone, S5cmd
from layout import Store
from report import version_of
from servers import compact, nginx, seaweed
from tables import FLOOR, LIBCURL, OURS, BenchError, Result, Row, Settings, Task, measure

LARGE = 1 << 30
SMALL = 4096
SMALL_COUNT = 2000
LISTED_FOLDERS, LISTED_PER_FOLDER = 100, 1000
WIDTHS = (16, 32)
WEB_REQUESTS = 200_000
LARGE_KEY, PUT_KEY, LISTED, MANY_READ, MANY_WRITTEN = (
    "bench/large", "bench/put", "bench/listed", "bench/read", "bench/written")


class Stores:
    name = "stores"
    summary = "GET, PUT and listing beside rclone and s5cmd; the HTTP engine against nginx"

    products = ("store-bench",)

    def run(self, settings: Settings) -> list[Result]:
        binary = settings.binary("store-bench")
        material = Material(settings.scratch)
        results: list[Result] = []
        rows_of_store = [row for row in STORE_ROWS if settings.wants(row)]
        rows_of_web = [row for row in WEB_ROWS if settings.wants(row)]
        if not rows_of_store and not rows_of_web:
            raise BenchError(f"no row begins so; there are {', '.join([*STORE_ROWS, *WEB_ROWS])}")
        try:
            if rows_of_store:
                with seaweed(settings) as (store, pid):
                    contenders = [Ours(binary, store), Rclone(store), S5cmd(store)]
                    bucket = Bucket(store, material, contenders[0])
                    for name in rows_of_store:
                        row = STORE_ROWS[name](name, contenders, bucket)
                        results.append(measure(row, settings, [pid]))
                        compact(store)
            if rows_of_web:
                floor = _compiled(settings)
                with nginx(settings, material.folder) as (url, pids):
                    results += [measure(WEB_ROWS[name](name, binary, floor, url), settings, pids) for name in rows_of_web]
        finally:
            material.remove()
        return results

    def versions(self) -> dict[str, str]:
        bin = Path(sys.prefix) / "bin"
        return {
            "rclone": version_of([str(bin / "rclone"), "version"]).removeprefix("rclone v"),
            "s5cmd": version_of([str(bin / "s5cmd"), "version"]).split("-")[0].removeprefix("v"),
            "SeaweedFS": version_of([str(bin / "weed"), "version"]).split()[2],
        }


class Material:
    """What is moved, in memory, so that no disk of the client is measured. The same bytes each time."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.folder = scratch / "source"
        self.large = self.folder / "large"
        self.one_small = self.folder / "small"
        self.many = scratch / "many"
        self.target = scratch / "target"
        if shutil.disk_usage(scratch).free < 3 * LARGE:
            raise BenchError(f"{scratch} has no room for {3 * LARGE >> 30} GiB; name another tmpfs with --scratch")
        self.folder.mkdir(exist_ok=True)
        self.many.mkdir(exist_ok=True)
        source = random.Random(20_240_607)
        if not self.large.exists() or self.large.stat().st_size != LARGE:
            with self.large.open("wb") as file:
                for _ in range(LARGE >> 22):
                    file.write(source.randbytes(1 << 22))
        source = random.Random(1)
        self.one_small.write_bytes(source.randbytes(SMALL))
        for number in range(SMALL_COUNT):
            (self.many / f"object-{number:06}").write_bytes(source.randbytes(SMALL))
        self.empty_target()

    def empty_target(self) -> None:
        shutil.rmtree(self.target, ignore_errors=True)
        self.target.mkdir()

    def remove(self) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)


def patient_client(store: Store) -> Any:
    """Unlike the testbed's client, it waits for a store that has just started."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=store.endpoint,
        aws_access_key_id=store.access_key,
        aws_secret_access_key=store.secret_key,
        region_name=clients.REGION,
        config=Config(
            read_timeout=120, retries={"total_max_attempts": 10, "mode": "standard"}, s3={"addressing_style": "path"}
        ),
    )


class Bucket:
    """What is in the store, looked at with boto3, which none of the contenders is made of."""

    def __init__(self, store: Store, material: Material, ours: Ours) -> None:
        self.store = store
        self.material = material
        self.client = patient_client(store)
        self.ours = ours
        self._large_is_there = self._listed_is_there = self._many_is_there = False

    def keys(self, prefix: str) -> Iterable[dict[str, Any]]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.store.bucket, Prefix=prefix + "/")
        for page in pages:
            yield from page.get("Contents", [])

    def delete_below(self, prefix: str) -> None:
        batch: list[dict[str, str]] = []
        for entry in [*self.keys(prefix), None]:
            if entry:
                batch.append({"Key": entry["Key"]})
            if batch and (entry is None or len(batch) == 1000):
                self.client.delete_objects(Bucket=self.store.bucket, Delete={"Objects": batch, "Quiet": True})
                batch = []

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=self.store.bucket, Key=key)

    def equals_file(self, key: str, path: Path) -> bool:
        body = self.client.get_object(Bucket=self.store.bucket, Key=key)["Body"]
        with path.open("rb") as file:
            while True:
                chunk = body.read(1 << 22)
                if chunk != file.read(len(chunk) or 1):
                    return False
                if not chunk:
                    return True

    def signed(self, key: str) -> str:
        """An address from which anybody may read the object for an hour."""
        return self.client.generate_presigned_url("get_object", {"Bucket": self.store.bucket, "Key": key}, ExpiresIn=3600)

    def need_large(self) -> None:
        """The object that is read; written once and compared in each benchmark."""
        if self._large_is_there:
            return
        try:
            if self.equals_file(LARGE_KEY, self.material.large):
                self._large_is_there = True
                return
        except self.client.exceptions.NoSuchKey:
            pass
        self._say(f"storing {LARGE_KEY}")
        self._ours(self.ours.put(self.material.large, LARGE_KEY))
        self._large_is_there = True

    def need_many(self) -> None:
        if not self._many_is_there:
            self.delete_below(MANY_READ)
            self._ours(self.ours.put_many(self.material.many, MANY_READ, 16))
            self._many_is_there = True

    def need_listed(self) -> None:
        """The keys that are listed; made once, which takes a minute."""
        count = LISTED_FOLDERS * LISTED_PER_FOLDER
        if self._listed_is_there:
            return
        if sum(1 for _ in self.keys(LISTED)) != count:
            self._say(f"storing {count} keys below {LISTED}")
            folder = self.material.scratch / "names"
            folder.mkdir(exist_ok=True)
            for number in range(LISTED_PER_FOLDER):
                (folder / f"4455{number:014}").write_bytes(b"x")
            command = self.ours.put_many(folder, LISTED, 16)
            self._ours([*command, "--copies", str(LISTED_FOLDERS)])
        self._listed_is_there = True

    def _ours(self, command: list[str]) -> None:
        subprocess.run(command, env={**os.environ, **self.ours.environment}, check=True)

    @staticmethod
    def _say(text: str) -> None:
        print(f"bench: {text}", file=sys.stderr)


def _cat(name: str, contenders: list[Contender], bucket: Bucket) -> Row:
    bucket.need_large()
    for contender in contenders:
        _expect_stream(contender, contender.cat(LARGE_KEY), bucket.material.large)
    tasks = {c.name: Task(c.cat(LARGE_KEY), c.environment) for c in contenders}
    tasks[FLOOR] = Task(["curl", "-sSf", "-o", "/dev/null", bucket.signed(LARGE_KEY)])
    return Row(name, "GET 1 GiB, one stream", tasks, LARGE, "bytes")


def _expect_stream(contender: Contender, command: list[str], path: Path) -> None:
    """What goes to /dev/null when it is timed is compared once beforehand."""
    stream = subprocess.Popen(command, env={**os.environ, **contender.environment}, stdout=subprocess.PIPE)
    same = subprocess.run(["cmp", "-", str(path)], stdin=stream.stdout).returncode == 0
    if stream.stdout:
        stream.stdout.close()
    if stream.wait() != 0 or not same:
        raise BenchError(f"{contender.name} did not write the object's bytes: {' '.join(command)}")


def _get(name: str, contenders: list[Contender], bucket: Bucket) -> Row:
    bucket.need_large()
    path = bucket.material.target / "large"

    def check(_) -> None:
        if subprocess.run(["cmp", str(path), str(bucket.material.large)]).returncode != 0:
            raise BenchError("the file is not the object")

    def task(contender: Contender) -> Task:
        return Task(contender.get(LARGE_KEY, path), contender.environment, bucket.material.empty_target, check)

    tasks = {c.name: task(c) for c in contenders}
    words = ["curl", "-sSf", "-o", str(path), bucket.signed(LARGE_KEY)]
    tasks[FLOOR] = Task(words, {}, bucket.material.empty_target, check)
    return Row(name, "GET 1 GiB, ranges", tasks, LARGE, "bytes")


def _put(name: str, contenders: list[Contender], bucket: Bucket) -> Row:
    def prepare() -> None:
        bucket.delete(PUT_KEY)
        compact(bucket.store)

    def check(_) -> None:
        if not bucket.equals_file(PUT_KEY, bucket.material.large):
            raise BenchError("the object is not the file")

    def task(contender: Contender) -> Task:
        return Task(contender.put(bucket.material.large, PUT_KEY), contender.environment, prepare, check)

    return Row(name, "PUT 1 GiB", {c.name: task(c) for c in contenders}, LARGE, "bytes")


def _put_many(width: int):
    def row(name: str, contenders: list[Contender], bucket: Bucket) -> Row:
        def check(_) -> None:
            found = {entry["Key"].rpartition("/")[2]: entry["Size"] for entry in bucket.keys(MANY_WRITTEN)}
            if found != {path.name: SMALL for path in bucket.material.many.iterdir()}:
                raise BenchError(f"{len(found)} objects are there, or not of the right size")
            sample = sorted(found)[:: SMALL_COUNT // 20]
            if not all(bucket.equals_file(f"{MANY_WRITTEN}/{n}", bucket.material.many / n) for n in sample):
                raise BenchError("an object is not its file")

        def task(contender: Contender) -> Task:
            command = contender.put_many(bucket.material.many, MANY_WRITTEN, width)
            return Task(command, contender.environment, lambda: bucket.delete_below(MANY_WRITTEN), check)

        title = f"{SMALL_COUNT:,} PUTs of {SMALL >> 10} KiB, {width} in flight"
        return Row(name, title, {c.name: task(c) for c in contenders}, SMALL_COUNT, "objects")

    return row


def _get_many(width: int):
    def row(name: str, contenders: list[Contender], bucket: Bucket) -> Row:
        bucket.need_many()
        material = bucket.material
        names = sorted(path.name for path in material.many.iterdir())

        def check(_) -> None:
            _, wrong, errors = filecmp.cmpfiles(material.many, material.target, names, shallow=False)
            if wrong or errors:
                raise BenchError(f"{len(wrong)} files differ, {len(errors)} are missing")

        def task(contender: Contender) -> Task:
            command = contender.get_many(MANY_READ, material.target, width)
            return Task(command, contender.environment, material.empty_target, check)

        title = f"{SMALL_COUNT:,} GETs of {SMALL >> 10} KiB, {width} in flight"
        return Row(name, title, {c.name: task(c) for c in contenders}, SMALL_COUNT, "objects")

    return row


def _list(name: str, contenders: list[Contender], bucket: Bucket) -> Row:
    bucket.need_listed()
    count = LISTED_FOLDERS * LISTED_PER_FOLDER
    wanted = sorted(entry["Key"].removeprefix(LISTED + "/") for entry in bucket.keys(LISTED))

    def check(cost) -> None:
        keys = sorted(line.split()[-1].removeprefix(LISTED + "/") for line in cost.output.splitlines())
        if keys != wanted:
            raise BenchError(f"{len(keys)} keys were printed, or others than the {len(wanted)} that are there")

    tasks = {c.name: Task(c.list(LISTED), c.environment, check=check) for c in contenders}
    return Row(name, f"List {count:,} keys", tasks, count, "keys", keep_output=True)


def _compiled(settings: Settings) -> Path:
    """The program behind LIBCURL."""
    program = settings.home / "libcurl-floor"
    source = Path(__file__).with_name("libcurl_floor.c")
    # Swift brings a compiler of C; another need not be there.
    compiler = Path(shutil.which("swift") or "swift").resolve().with_name("clang")
    command = [str(compiler), "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(program), str(source), "-lcurl"]
    if subprocess.run(command).returncode != 0:
        raise BenchError(f"{source} does not compile")
    return program


def _web_get(name: str, binary: Path, floor: Path, url: str) -> Row:
    tasks = {
        OURS: Task([str(binary), "web-get", f"{url}/large", str(LARGE)]),
        LIBCURL: Task([str(floor), f"{url}/large", str(LARGE), "1", "1"]),
    }
    return Row(name, "Plain web server: GET 1 GiB", tasks, LARGE, "bytes", bound=2e9)


def _web_small(width: int):
    def row(name: str, binary: Path, floor: Path, url: str) -> Row:
        small, size, requests = f"{url}/small", str(SMALL), str(WEB_REQUESTS)
        tasks = {
            OURS: Task([str(binary), "web-small", small, size, "--requests", requests, "--in-flight", str(width)]),
            LIBCURL: Task([str(floor), small, size, requests, str(width)]),
        }
        title = f"Plain web server: GETs of {SMALL >> 10} KiB, {width} in flight"
        return Row(name, title, tasks, WEB_REQUESTS, "requests", bound=40_000)

    return row


STORE_ROWS = {
    "cat": _cat,
    "get": _get,
    "put": _put,
    **{f"small-put-{width}": _put_many(width) for width in WIDTHS},
    **{f"small-get-{width}": _get_many(width) for width in WIDTHS},
    "list": _list,
}
WEB_ROWS = {"web-get": _web_get, **{f"web-small-{width}": _web_small(width) for width in (32, 64)}}

SUITE = Stores()
