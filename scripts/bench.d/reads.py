"""`scripts/bench read`: a large file of the mount read from end to end and at random."""

from __future__ import annotations

import random
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

from copies import Copies, Scene
from mounts import ROOT, Mount, Place
from servers import seaweed
from tables import FLOOR, KERNEL, OURS, AtMost, BenchError, Result, Row, Settings, Task, measure

SIZE = 1 << 30
NAME, PATH = "made_up_read", "binlogs/insert_log/1/2/3/3/100/4"
JOBS, BLOCK = 8, 4096


class Reads:
    name = "read"
    summary = "1 GiB in order beside parallel ranged curl; random reads (fio) beside s3fs and rclone mount"
    products = ("milvus-backupfs",)

    def run(self, settings: Settings) -> list[Result]:
        results = []
        with ExitStack() as stack:
            store, pid = stack.enter_context(seaweed(settings))
            place = Place.of("milvus_A", store)
            scene = Scene(settings, stack, place, place)
            _need(scene, place)
            for name, row in (("sequential", _sequential), ("random", _random)):
                if not settings.wants(name):
                    continue
                try:
                    results.append(measure(row(name, scene, place), settings, [pid]))
                finally:
                    scene.unmount()
        return results

    versions = Copies.versions


def _need(scene: Scene, place: Place) -> None:
    if scene.objects(place, NAME).get(PATH) != SIZE:
        print(f"bench: storing {ROOT}/{NAME}", file=sys.stderr)
        with open("/dev/urandom", "rb") as noise:
            scene.client(place).upload_fileobj(_Limited(noise, SIZE), place.bucket, f"{ROOT}/{NAME}/{PATH}")


class _Limited:
    """The first bytes of a stream."""

    def __init__(self, stream, count: int) -> None:
        self.stream, self.left = stream, count

    def read(self, count: int = -1) -> bytes:
        data = self.stream.read(min(count if count >= 0 else self.left, self.left))
        self.left -= len(data)
        return data


def _signed(scene: Scene, place: Place) -> str:
    return scene.client(place).generate_presigned_url(
        "get_object", Params={"Bucket": place.bucket, "Key": f"{ROOT}/{NAME}/{PATH}"})


def _sequential(name: str, scene: Scene, place: Place) -> Row:
    mount = scene.ours(place)
    url = _signed(scene, place)
    quarter = SIZE // 4
    ranged = " ".join(
        f"curl -sf -r {i * quarter}-{(i + 1) * quarter - 1} -o /dev/null '{url}' & p{i}=$!;" for i in range(4))

    def read(mount: Mount, path: str) -> Task:
        command = ["dd", f"if={mount.path(place) / path}", "of=/dev/null", "bs=1M"]
        return Task(command, {}, mount.remount, helpers=mount.pids)

    content = scene.settings.scratch / "bench-content"
    content.mkdir(exist_ok=True)
    with open("/dev/zero", "rb") as zeros, (content / "file").open("wb") as file:
        shutil.copyfileobj(_Limited(zeros, SIZE), file, 1 << 20)
    tasks = {
        OURS: read(mount, f"{NAME}/{PATH}"),
        "curl, 4 ranges": Task(["sh", "-c", f"{ranged} wait $p0 && wait $p1 && wait $p2 && wait $p3"]),
        KERNEL: read(scene.kernel(content), "file"),
    }
    return Row(name, "Read 1 GiB in order", tasks, SIZE, "bytes", at_most=(AtMost(1.15, "curl"),))


def _random(name: str, scene: Scene, place: Place) -> Row:
    """All jobs read for a fixed time; what counts is how long one read takes on the average."""
    reads = 2000

    def task(mount: Mount) -> Task:
        command = [
            "fio", "--name=random", f"--filename={mount.path(place) / NAME / PATH}", "--rw=randread", f"--bs={BLOCK}",
            f"--numjobs={JOBS}", "--readonly", "--direct=0", "--invalidate=0", "--randseed=7", f"--size={SIZE}",
            f"--io_size={reads // JOBS * BLOCK}", "--ioengine=psync", "--group_reporting", "--fadvise_hint=0",
        ]
        return Task(command, {}, mount.remount, helpers=mount.pids)

    tasks = {
        OURS: task(scene.ours(place)), "s3fs": task(scene.s3fs(place)), "rclone mount": task(scene.rclone_mount(place)),
        FLOOR: Task(["curl", "-sf", "-Z", "--parallel-max", str(JOBS), "-K", str(_ranges(scene, place, reads))]),
    }
    return Row(name, f"{reads:,} random reads of 4 KiB, {JOBS} jobs", tasks, reads, "reads",
               at_most=(AtMost(1.0, "s3fs"), AtMost(1.0, "rclone mount")))


def _ranges(scene: Scene, place: Place, reads: int) -> Path:
    """What curl has to be told to read as much, as many at a time, straight from the store."""
    url = _signed(scene, place)
    offsets = random.Random(7)
    lines = []
    for _ in range(reads):
        start = offsets.randrange(SIZE // BLOCK) * BLOCK
        lines.append(f'url = "{url}"\nrange = {start}-{start + BLOCK - 1}\noutput = /dev/null\n')
    file = scene.settings.scratch / "bench-ranges"
    file.write_text("next\n".join(lines))
    return file


SUITE = Reads()
