"""`scripts/bench copy`: a backup from one store to another, and to and from a local disk."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import synthetic
from contenders import S5cmd
from floors import curl_copy, curl_copy_inside, kernel_copy
from mounts import ROOT, KernelMount, Mount, Ours, Place, RcloneMount, S3fsMount, replace_endpoint
from report import version_of
from servers import compact, seaweed, slowed
from stores import patient_client
from tables import FLOOR, KERNEL, OURS, AtMost, BenchError, Result, Row, Settings, Task, measure

COUNT, SIZE = 2000, 1 << 19
LARGE_SIZE = 8 << 30
NAME, LARGE_NAME = "made_up", "made_up_large"
LATENCY = "20ms"
BEHIND = f"{OURS} --write-behind"
BIN = Path(sys.prefix) / "bin"


class Copies:
    name = "copy"
    summary = "a backup between stores and to and from a local disk, beside rclone, s5cmd, rclone mount and s3fs"
    products = ("milvus-backupfs", "fault-proxy")

    def run(self, settings: Settings) -> list[Result]:
        wanted = [row for row in ROWS if settings.wants(row)]
        if not wanted:
            raise BenchError(f"no row begins so; there are {', '.join(ROWS)}")
        results = []
        with ExitStack() as stack:
            one, first = stack.enter_context(seaweed(settings, 0))
            other, second = stack.enter_context(seaweed(settings, 1))
            scene = Scene(settings, stack, Place.of("milvus_A", one), Place.of("milvus_B", other))
            for name in wanted:
                row = ROWS[name](name, scene)
                try:
                    results.append(measure(row, settings, [first, second]))
                finally:
                    scene.unmount()
        return results

    def versions(self) -> dict[str, str]:
        return {
            "rclone": version_of([str(BIN / "rclone"), "version"]).removeprefix("rclone v"),
            "s5cmd": version_of([str(BIN / "s5cmd"), "version"]).split("-")[0].removeprefix("v"),
            "s3fs": version_of(["s3fs", "--version"]).split()[-3].removeprefix("V"),
            "SeaweedFS": version_of([str(BIN / "weed"), "version"]).split()[2],
        }


class Scene:
    """Two stores, what is in them, and what is mounted of them."""

    def __init__(self, settings: Settings, stack: ExitStack, source: Place, target: Place) -> None:
        self.settings = settings
        self.stack = stack
        self.source = source
        self.target = target
        self.binary = settings.binary("milvus-backupfs")
        self.folder = settings.home / "mounts"
        self.local = settings.scratch / "local"
        self.mounts: list[Mount] = []

    def ours(self, *places: Place, options: list[str] = []) -> Mount:
        return self._keep(Ours(self.folder, list(places), self.binary, options))

    def rclone_mount(self, *places: Place) -> Mount:
        return self._keep(RcloneMount(self.folder, list(places)))

    def s3fs(self, *places: Place) -> Mount:
        return self._keep(S3fsMount(self.folder, list(places)))

    def kernel(self, content: Path) -> Mount:
        """A mount of a folder made here, which is removed at the end."""
        self.stack.callback(shutil.rmtree, content, ignore_errors=True)
        return self._keep(KernelMount(self.folder, [self.source], content))

    def empty_tree(self, name: str, count: int) -> Path:
        """A folder of the scratch tmpfs with the directories and files of a backup, all empty."""
        content = self.settings.scratch / "bench-content"
        for path, *_ in synthetic.log_objects(count, 8):
            file = content / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        meta = content / name / "meta" / "full_meta.json"
        meta.parent.mkdir(exist_ok=True)
        meta.touch()
        return content

    def _keep(self, mount: Mount) -> Mount:
        self.mounts.append(mount)
        return mount

    def unmount(self) -> None:
        for mount in self.mounts:
            mount.unmount()
        self.mounts = []

    def client(self, place: Place) -> Any:
        return patient_client(place.store)

    def objects(self, place: Place, name: str) -> dict[str, int]:
        prefix = f"{ROOT}/{name}/"
        pages = self.client(place).get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=prefix)
        return {
            entry["Key"].removeprefix(prefix): entry["Size"] for page in pages for entry in page.get("Contents", [])
            if not entry["Key"].endswith("/")
        }

    def need(self, place: Place, name: str = NAME, count: int = COUNT, size: int = SIZE) -> None:
        """The backup; put once and kept."""
        expected = {path: length for path, _, _, length in synthetic.log_objects(count, size)}
        found = self.objects(place, name)
        if len(found) == count + 1 and all(found.get(path) == length for path, length in expected.items()):
            return
        print(f"bench: storing {ROOT}/{name} in {place.name}", file=sys.stderr)
        synthetic.put(self.client(place), place.bucket, f"{ROOT}/", name, count, size)

    def clear(self, place: Place, name: str = NAME) -> None:
        client, prefix = self.client(place), f"{ROOT}/{name}/"
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=prefix)
        keys = [{"Key": entry["Key"]} for page in pages for entry in page.get("Contents", [])]
        for begin in range(0, len(keys), 1000):
            client.delete_objects(Bucket=place.bucket, Delete={"Objects": keys[begin : begin + 1000], "Quiet": True})
        # SeaweedFS keeps the directories of deleted objects; its filer removes them whole.
        filer = f"http://127.0.0.1:{place.store.ports['filer']}/buckets/{place.bucket}/{prefix}?recursive=true"
        subprocess.run(["curl", "-s", "-X", "DELETE", filer], stdout=subprocess.DEVNULL)
        compact(place.store)

    def crcs(self, place: Place, name: str) -> dict[str, int]:
        """CRC-32 of each object, read back whole."""
        client = self.client(place)

        def crc(path: str) -> tuple[str, int]:
            body = client.get_object(Bucket=place.bucket, Key=f"{ROOT}/{name}/{path}")["Body"]
            value = 0
            for chunk in iter(lambda: body.read(1 << 20), b""):
                value = zlib.crc32(chunk, value)
            return path, value

        with ThreadPoolExecutor(4) as pool:
            return dict(pool.map(crc, self.objects(place, name)))

    def check_copy(self, source: Place, target: Place, name: str = NAME):
        wanted = self.crcs(source, name)

        def check(_) -> None:
            if self.crcs(target, name) != wanted:
                raise BenchError(f"{name} in {target.name} is not that of {source.name}")

        return check


def _rclone(source: Place, target: Place, *options: str) -> tuple[list[str], dict[str, str]]:
    environment = {"RCLONE_CONFIG": "/dev/null"}
    for remote, place in (("FROM", source), ("TO", target)):
        for key, value in {
            "TYPE": "s3", "PROVIDER": "SeaweedFS", "ENDPOINT": place.endpoint, "REGION": "us-east-1",
            "ACCESS_KEY_ID": place.store.access_key, "SECRET_ACCESS_KEY": place.store.secret_key,
        }.items():
            environment[f"RCLONE_CONFIG_{remote}_{key}"] = value
    path = f"{ROOT}/{NAME}" if "--large" not in options else f"{ROOT}/{LARGE_NAME}"
    words = [option for option in options if option != "--large"]
    command = [str(BIN / "rclone"), "copy", f"FROM:{source.bucket}/{path}", f"TO:{target.bucket}/{path}", *words]
    return command, environment


TUNED = ("--transfers=16", "--checkers=32", "--no-check-dest", "--s3-no-head")


def _mounted(scene: Scene, mount: Mount, source: Place, target: Place, check, name: str = NAME) -> Task:
    def prepare() -> None:
        mount.unmount()
        scene.clear(target, name)
        mount.mount()

    command = ["cp", "-r", str(mount.path(source) / name), f"{mount.path(target)}/"]
    return Task(command, prepare=prepare, check=check, helpers=mount.pids)


def _between(name: str, scene: Scene) -> Row:
    a, b = scene.source, scene.target
    scene.need(a)
    check = scene.check_copy(a, b)

    def clear() -> None:
        scene.clear(b)

    tasks = {OURS: _mounted(scene, scene.ours(a, b), a, b, check)}
    for title, options in (("rclone", ()), ("rclone tuned", TUNED)):
        command, environment = _rclone(a, b, *options)
        tasks[title] = Task(command, environment, clear, check)
    tasks[FLOOR] = Task(curl_copy(scene, a, b, NAME), {}, clear, check)
    return Row(name, "cp -r A→B, 1 GiB in 2,000 objects", tasks, COUNT * SIZE, "bytes",
               at_most=(AtMost(0.95, "rclone"), AtMost(0.4, "rclone", "daemon CPU")))


def _between_mounts(name: str, scene: Scene) -> Row:
    a, b = scene.source, scene.target
    scene.need(a)
    check = scene.check_copy(a, b)
    tasks = {OURS: _mounted(scene, scene.ours(a, b), a, b, check)}
    tasks["rclone mount"] = _mounted(scene, scene.rclone_mount(a, b), a, b, lambda _: None)
    tasks["s3fs"] = _mounted(scene, scene.s3fs(a, b), a, b, check)
    return Row(name, "cp -r A→B between mounts", tasks, COUNT * SIZE, "bytes",
               at_most=(AtMost(0.2, "rclone mount"), AtMost(0.2, "s3fs")))


def _slow(name: str, scene: Scene) -> Row:
    port = scene.settings.base_port + 60
    near = [scene.source, scene.target]
    for place in near:
        scene.need(scene.source)
    a, b = (
        Place.of(place.name, place.store, scene.stack.enter_context(slowed(scene.settings, place.store, port + i, LATENCY)))
        for i, place in enumerate(near)
    )
    check = scene.check_copy(*near)

    def clear() -> None:
        scene.clear(near[1])

    tasks = {OURS: _mounted(scene, scene.ours(a, b), a, b, check)}
    for width in (4, 16, 64):
        command, environment = _rclone(a, b, f"--transfers={width}", f"--checkers={2 * width}", *TUNED[2:])
        tasks[f"rclone {width} transfers"] = Task(command, environment, clear, check)
    return Row(name, f"cp -r A→B, {LATENCY} more for each request", tasks, COUNT * SIZE, "bytes",
               at_most=(AtMost(0.95, "rclone"),))


def _inside(name: str, scene: Scene) -> Row:
    a = scene.source
    b = Place.of("milvus_B", a.store, bucket="bucket-second")
    client = scene.client(a)
    if b.bucket not in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]:
        client.create_bucket(Bucket=b.bucket)
    scene.need(a)
    check = scene.check_copy(a, b)
    s5cmd = S5cmd(replace_endpoint(a))
    command = s5cmd._command(
        "cp", f"s3://{a.bucket}/{ROOT}/{NAME}/*", f"s3://{b.bucket}/{ROOT}/{NAME}/", workers=32)
    tasks = {
        OURS: _mounted(scene, scene.ours(a, b), a, b, check),
        "s5cmd": Task(command, s5cmd.environment, lambda: scene.clear(b), check),
        FLOOR: Task(curl_copy_inside(scene, a, b, NAME), {}, lambda: scene.clear(b), check),
        KERNEL: kernel_copy(scene, NAME, COUNT),
    }
    return Row(name, "cp -r between buckets of one endpoint", tasks, COUNT * SIZE, "bytes",
               at_most=(AtMost(1.1, "s5cmd"),))


def _large(name: str, scene: Scene) -> Row:
    a, b = scene.source, scene.target
    _need_large(scene)
    check = scene.check_copy(a, b, LARGE_NAME)
    command, environment = _rclone(a, b, "--large", *TUNED, "--s3-chunk-size=16M", "--s3-upload-concurrency=4")
    tasks = {
        OURS: _mounted(scene, scene.ours(a, b), a, b, check, LARGE_NAME),
        "rclone tuned": Task(command, environment, lambda: scene.clear(b, LARGE_NAME), check),
    }
    return Row(name, "cp -r of one object of 8 GiB A→B", tasks, LARGE_SIZE, "bytes", at_most=(AtMost(1.0, "rclone"),))


def _need_large(scene: Scene) -> None:
    path = "binlogs/insert_log/1/2/3/3/100/4"
    if scene.objects(scene.source, LARGE_NAME).get(path) == LARGE_SIZE:
        return
    print(f"bench: storing {ROOT}/{LARGE_NAME}", file=sys.stderr)
    client, key = scene.client(scene.source), f"{ROOT}/{LARGE_NAME}/{path}"
    upload = client.create_multipart_upload(Bucket=scene.source.bucket, Key=key)["UploadId"]
    piece, parts = os.urandom(64 << 20), []
    for number in range(1, LARGE_SIZE // len(piece) + 1):
        body = number.to_bytes(8, "big") + piece[8:]
        answer = client.upload_part(
            Bucket=scene.source.bucket, Key=key, UploadId=upload, PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    client.complete_multipart_upload(
        Bucket=scene.source.bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})


def _to_disk(name: str, scene: Scene) -> Row:
    a = scene.source
    scene.need(a)
    wanted = scene.crcs(a, NAME)

    def empty() -> None:
        shutil.rmtree(scene.local, ignore_errors=True)
        scene.local.mkdir(parents=True)

    def check(_) -> None:
        found = {
            str(path.relative_to(scene.local / NAME)): zlib.crc32(path.read_bytes())
            for path in (scene.local / NAME).rglob("*") if path.is_file()
        }
        if found != wanted:
            raise BenchError(f"{len(found)} files, or others than the {len(wanted)} objects")

    mount = scene.ours(a)

    def prepare() -> None:
        empty()
        mount.remount()

    s5cmd = S5cmd(replace_endpoint(a))
    command = s5cmd._command("cp", f"s3://{a.bucket}/{ROOT}/{NAME}/*", f"{scene.local}/{NAME}/", workers=32)
    tasks = {
        OURS: Task(["cp", "-r", str(mount.path(a) / NAME), f"{scene.local}/"], {}, prepare, check, mount.pids),
        "s5cmd": Task(command, s5cmd.environment, empty, check),
    }
    return Row(name, "cp -r mount → local disk", tasks, COUNT * SIZE, "bytes", at_most=(AtMost(1.2, "s5cmd"),))


def _from_disk(name: str, scene: Scene) -> Row:
    a, b = scene.source, scene.target
    scene.need(a)
    tree = scene.local / NAME
    shutil.rmtree(scene.local, ignore_errors=True)
    scene.local.mkdir(parents=True)
    s5cmd = S5cmd(replace_endpoint(a))
    fetch = s5cmd._command("cp", f"s3://{a.bucket}/{ROOT}/{NAME}/*", f"{tree}/", workers=16)
    subprocess.run(fetch, env={**os.environ, **s5cmd.environment}, check=True)
    check = scene.check_copy(a, b)

    def task(mount: Mount, then: str = "") -> Task:
        def prepare() -> None:
            mount.unmount()
            scene.clear(b)
            mount.mount()

        command = ["cp", "-r", str(tree), f"{mount.path(b)}/"]
        if then:
            command = ["sh", "-c", f'"$@" && {then}', "copy", *command]
        return Task(command, {}, prepare, check, mount.pids)

    behind = scene.ours(b, options=["--write-behind"])
    up = S5cmd(replace_endpoint(b))
    command = up._command("cp", f"{tree}/", f"s3://{b.bucket}/{ROOT}/{NAME}/", workers=32)
    tasks = {
        OURS: task(scene.ours(b)),
        BEHIND: task(behind, f"sync {shlex.quote(str(behind.path(b)))}"),
        "s3fs": task(scene.s3fs(b)),
        "s5cmd": Task(command, up.environment, lambda: scene.clear(b), check),
    }
    return Row(name, "cp -r local disk → mount", tasks, COUNT * SIZE, "bytes",
               at_most=(AtMost(0.35, "s3fs"), AtMost(1.1, "s5cmd", ours=BEHIND)))


ROWS = {
    "between": _between,
    "mounts": _between_mounts,
    "slow": _slow,
    "inside": _inside,
    "large": _large,
    "to-disk": _to_disk,
    "from-disk": _from_disk,
}

SUITE = Copies()
