"""`scripts/bench list`: find over a large tree, beside rclone's listing and find on a mount of rclone."""

from __future__ import annotations

import sys
from contextlib import ExitStack

from contenders import Rclone
from copies import BIN, Copies, Scene
from mounts import ROOT, Mount, Place, replace_endpoint
from servers import seaweed
from tables import KERNEL, OURS, AtMost, BenchError, Result, Row, Settings, Task, measure

COUNT = 100_000
NAME = "made_up_wide"


class Listings:
    name = "list"
    summary = "find over 100,000 objects laid out as a backup, beside rclone lsf and find on rclone mount"
    products = ("milvus-backupfs",)

    def run(self, settings: Settings) -> list[Result]:
        with ExitStack() as stack:
            store, pid = stack.enter_context(seaweed(settings))
            place = Place.of("milvus_A", store)
            scene = Scene(settings, stack, place, place)
            scene.need(place, NAME, COUNT, 8)
            wanted = COUNT + 1

            def check(cost) -> None:
                found = len(cost.output.splitlines())
                if found != wanted:
                    raise BenchError(f"{found} files were printed, there are {wanted}")

            def find(mount: Mount) -> Task:
                command = ["find", str(mount.path(place) / NAME), "-type", "f"]
                return Task(command, {}, mount.remount, check, mount.pids)

            rclone = Rclone(replace_endpoint(place))
            command = [str(BIN / "rclone"), "lsf", "-R", "--fast-list", "--files-only", f"BENCH:{place.bucket}/{ROOT}/{NAME}"]
            tasks = {
                OURS: find(scene.ours(place)),
                "rclone lsf": Task(command, rclone.environment, check=check),
                "rclone mount": find(scene.rclone_mount(place)),
                KERNEL: find(scene.kernel(scene.empty_tree(NAME, COUNT))),
            }
            row = Row("find", f"find over {COUNT:,} objects, cold", tasks, COUNT, "objects", keep_output=True,
                      at_most=(AtMost(1.5, "rclone lsf"), AtMost(0.1, "rclone mount")))
            try:
                return [measure(row, settings, [pid])]
            finally:
                scene.unmount()

    versions = Copies.versions


SUITE = Listings()
