"""`scripts/bench rows`: a collection of many rows from one Milvus server to the other, compared row by row at the end."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from clean import delete_backup, drop_collection
from layout import PROJECT, Layout
from measure import CommandFailed, run
from mounts import Ours, Place
from report import version_of
from server import TestbedError
from tables import OURS, BenchError, Result, Row, Settings, Task
from testbed import Testbed

COUNT = int(os.environ.get("MILVUS_BACKUPFS_BENCH_ROWS", "1000000"))
COLLECTION, RESTORED, BACKUP = "bench_rows", "bench_rows_bak", "bench_rows"
TOOLS = PROJECT / "scripts" / "testbed.d"


class Story:
    name = "rows"
    summary = f"create, cp -r and restore of {COUNT:,} rows on two Milvus servers; once, without peers"
    products = ("milvus-backupfs",)

    def run(self, settings: Settings) -> list[Result]:
        bed = Testbed(Layout(settings.home, settings.base_port))
        one, other = bed.instances
        with ExitStack() as stack:
            stack.callback(bed.down)
            try:
                bed.up(stores_only=False)
            except TestbedError as error:
                raise BenchError(str(error)) from error
            _tool("fill.py", "--address", one.milvus.address, "--collection", COLLECTION, "--rows", str(COUNT), "--keep")
            for instance in bed.instances:
                delete_backup(instance.store, BACKUP)
            drop_collection(other.milvus.address, RESTORED)

            binary = str(settings.binary(OURS))
            places = [Place.of("milvus_A", one.store), Place.of("milvus_B", other.store)]
            mount = Ours(settings.home / "mounts", places, Path(binary))
            config = {instance.name: str(bed.layout.backup_config(instance.name)) for instance in bed.instances}
            servers = [server.daemon.pid() for group in (bed.stores, bed.milvuses) for server in group.values()]
            results = [
                _once("create", "create", servers, Task(
                    [binary, "create", "--config", config["A"], "-n", BACKUP, "-c", COLLECTION])),
            ]
            stack.callback(mount.unmount)
            mount.mount()
            results.append(_once("transfer", "cp -r A→B", servers, Task(
                ["cp", "-r", str(mount.path(places[0]) / BACKUP), str(mount.path(places[1])) + "/"],
                helpers=mount.pids)))
            mount.unmount()
            results.append(_once("restore", "restore", servers, Task(
                [binary, "restore", "--config", config["B"], "-n", BACKUP, "-s", "_bak"])))
            _tool(
                "verify.py", "--source", one.milvus.address, "--source-collection", COLLECTION, "--target",
                other.milvus.address, "--target-collection", RESTORED, "--min-rows", str(COUNT * 9 // 10))
        return results

    def versions(self) -> dict[str, str]:
        return {
            "Milvus": "2.3.5",
            "SeaweedFS": version_of([str(Path(sys.prefix) / "bin" / "weed"), "version"]).split()[2],
        }


def _tool(name: str, *words: str) -> None:
    """Runs one of the testbed's programs; what it prints is for the user."""
    print(f"bench: {name} {' '.join(words)}", file=sys.stderr)
    if subprocess.run([sys.executable, str(TOOLS / name), *words], stdout=sys.stderr).returncode != 0:
        raise BenchError(f"{name} failed")


def _once(name: str, title: str, servers: list[int], task: Task) -> Result:
    try:
        cost = run(task.command, servers, helpers=task.helpers())
    except CommandFailed as error:
        raise BenchError(f"{name}: {error}") from error
    print(f"{name}: {cost.seconds:.1f} s, CPU {cost.cpu:.1f} s, {cost.memory >> 20} MiB", file=sys.stderr)
    return Result(Row(name, f"{title}, {COUNT:,} rows", {OURS: task}, COUNT, "rows"), {OURS: [cost]}, 0)


SUITE = Story()
