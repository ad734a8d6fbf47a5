"""The command line of scripts/testbed."""

from __future__ import annotations

import argparse
import fcntl
import json
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from layout import DEFAULT_BASE_PORT, DEFAULT_DIRECTORY, PORTS_PER_TESTBED, PROJECT, Instance, Layout
from milvus_server import MilvusServer
from seaweedfs import SeaweedServer
from server import Server, TestbedError
from templates import backup_config

DESCRIPTION = """\
Two Milvus 2.3.5 servers, A and B, each with an S3 store of its own, on this machine.

  up      start what does not run, wait until all of it answers; at once when it runs
  down    stop all of it; the data stays
  status  what runs, where; exit status 0 when all of it answers, 3 otherwise
  wipe    down, then delete data, logs and configurations
  reset   wipe, then up
  configs write the project's configs/milvus_A.yaml and milvus_B.yaml anew (up does too)
"""
EPILOG = f"""\
`up` writes DIR/configs/milvus_A.yaml and milvus_B.yaml for milvus-backupfs, and DIR/testbed.json
with ports, credentials and process ids for tests. A directory keeps its base port until wiped.
Testbeds with different directories and base ports (at least {PORTS_PER_TESTBED} apart) run side by side.
"""


class Testbed:
    """The servers of one layout, and what is done to all of them."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.instances = layout.instances
        self.stores = {i.name: SeaweedServer(layout, i.store) for i in self.instances}
        self.milvuses = {i.name: MilvusServer(layout, i.milvus, i.store) for i in self.instances}

    def servers(self, instance: Instance, stores_only: bool) -> list[Server]:
        """The instance's servers in the order in which they start."""
        store = self.stores[instance.name]
        return [store] if stores_only else [store, self.milvuses[instance.name]]

    def up(self, stores_only: bool) -> None:
        def start(instance: Instance) -> None:
            for server in self.servers(instance, stores_only):
                began = time.monotonic()
                done = server.ensure()
                print(f"{server.name}: {done} ({time.monotonic() - began:.1f} s)")

        # Written first: a directory whose `up` failed half-way knows its base port, too.
        self._write_summary()
        _on_all(start, self.instances)
        self._write_summary()
        for instance in self.instances:
            self.layout.backup_config(instance.name).write_text(backup_config(instance))
        if self.layout.base_port == DEFAULT_BASE_PORT:
            write_project_configs()

    def down(self) -> None:
        # Milvus first: it writes to its store until it ends.
        for servers in (self.milvuses, self.stores):
            _on_all(_stop, list(servers.values()))

    def status(self, stores_only: bool) -> bool:
        complete = True
        for server in (server for i in self.instances for server in self.servers(i, stores_only)):
            pid = server.daemon.pid()
            if pid is None:
                state, complete = "not running", False
            elif problem := server.problem():
                state, complete = f"process {pid} runs and does not answer: {problem}", False
            else:
                state = f"answers (process {pid})"
            print(f"{server.name:<9} {server.address:<24} {state}")
        return complete

    def wipe(self) -> None:
        """Stops the servers and deletes what they and `up` wrote, nothing else that may be there."""
        self.down()
        for name in ("configs", "data", "logs", "pids", "servers"):
            shutil.rmtree(self.layout.directory / name, ignore_errors=True)
        self.layout.summary.unlink(missing_ok=True)

    def _write_summary(self) -> None:
        self.layout.configs.mkdir(parents=True, exist_ok=True)
        summary = {
            "directory": str(self.layout.directory),
            "basePort": self.layout.base_port,
            "instances": {i.name: self._describe(i) for i in self.instances},
        }
        partial = self.layout.summary.with_suffix(".partial")
        partial.write_text(json.dumps(summary, indent=2) + "\n")
        partial.rename(self.layout.summary)

    def _describe(self, instance: Instance) -> dict:
        store, milvus = instance.store, instance.milvus
        return {
            "config": str(self.layout.backup_config(instance.name)),
            "store": {
                "endpoint": store.endpoint,
                "bucket": store.bucket,
                "accessKeyID": store.access_key,
                "secretAccessKey": store.secret_key,
                "ports": store.ports,
                "pid": self.stores[instance.name].daemon.pid(),
                "logs": str(store.logs),
            },
            "milvus": {
                "address": milvus.address,
                "management": milvus.management,
                "rootPath": "files",
                "ports": milvus.ports,
                "pid": self.milvuses[instance.name].daemon.pid(),
                "logs": str(milvus.logs),
            },
        }


def write_project_configs() -> None:
    """Makes the committed configs/ what the default testbed is reached by."""
    for instance in Layout(DEFAULT_DIRECTORY, DEFAULT_BASE_PORT).instances:
        path = PROJECT / "configs" / f"milvus_{instance.name}.yaml"
        wanted = backup_config(instance)
        if not path.exists() or path.read_text() != wanted:
            path.parent.mkdir(exist_ok=True)
            path.write_text(wanted)
            print(f"{path.relative_to(PROJECT)}: written anew")


def _on_all(action: Callable, items: Sequence) -> None:
    """Runs the action on all items at once; the errors of all are reported together."""
    with ThreadPoolExecutor(max_workers=len(items)) as pool:
        errors = [future.exception() for future in [pool.submit(action, item) for item in items]]
    expected = [error for error in errors if isinstance(error, TestbedError)]
    for error in errors:
        if error is not None and error not in expected:
            raise error
    if expected:
        raise TestbedError("\n".join(map(str, expected)))


def _stop(server: Server) -> None:
    if server.stop():
        print(f"{server.name}: stopped")


def _layout(directory: Path, base_port: int | None) -> Layout:
    """The layout of the directory; what an earlier `up` wrote there decides the base port."""
    directory = directory.resolve()
    remembered = None
    if (summary := directory / "testbed.json").exists():
        remembered = json.loads(summary.read_text())["basePort"]
    if base_port is not None and remembered not in (None, base_port):
        raise TestbedError(
            f"{directory} belongs to a testbed with base port {remembered}, not {base_port}: "
            f"leave --base-port out, or wipe that testbed first"
        )
    return Layout(directory, base_port or remembered or DEFAULT_BASE_PORT)


@contextmanager
def _exclusive(directory: Path) -> Iterator[None]:
    """One command at a time on a directory. Servers do not inherit the lock."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another scripts/testbed on {directory}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/testbed",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=["up", "down", "status", "wipe", "reset", "configs"])
    parser.add_argument("--dir", type=Path, default=DEFAULT_DIRECTORY, help="default: .testbed/run in the project")
    parser.add_argument(
        "--base-port", type=int, help=f"first of {PORTS_PER_TESTBED} ports; default {DEFAULT_BASE_PORT}"
    )
    parser.add_argument("--stores-only", action="store_true", help="up, status, reset: only the two S3 stores")
    options = parser.parse_args()
    try:
        if options.action == "configs":
            write_project_configs()
            return 0
        testbed = Testbed(_layout(options.dir, options.base_port))
        if options.action == "status":
            return 0 if testbed.status(options.stores_only) else 3
        with _exclusive(testbed.layout.directory):
            if options.action == "down":
                testbed.down()
            if options.action in ("wipe", "reset"):
                testbed.wipe()
            if options.action in ("up", "reset"):
                testbed.up(options.stores_only)
        return 0
    except (TestbedError, ValueError, OSError) as error:
        print(f"testbed: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    # Interrupted, it ends at once instead of with a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())
