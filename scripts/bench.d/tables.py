"""Rows of a table: what each contender does, how its result is checked, and running them in turn."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from layout import PROJECT
from measure import CommandFailed, Cost, run

OURS = "milvus-backupfs"
FLOOR = "the store alone (curl)"
"""No peer: the least program that asks the store for the same, and throws away what others keep or check."""
KERNEL = "the kernel alone (bindfs)"
"""No peer: the same through a mount of a tmpfs that does nothing of its own."""
LIBCURL = "libcurl alone (C)"
"""No peer: the least loop around libcurl that makes the same requests, and only counts the bytes."""
FLOORS = (FLOOR, KERNEL, LIBCURL)
SWIFT_BUILD = ["swift", "build", "--package-path", str(PROJECT), "-c", "release"]
DAEMON_MEMORY = 128 << 20
"""Bytes that our daemon may take at most, whatever it does."""
FOREIGN_BOUND = 0.25
"""Cores that other processes may take during a run that counts."""


class BenchError(Exception):
    """Something the user should read; the text is the whole message."""


@dataclass
class Settings:
    """What the command line said."""

    runs: int
    patience: int | None
    rows: list[str] | None
    only: list[str] | None
    out: Path
    home: Path
    scratch: Path
    base_port: int
    builds: bool
    network: str = ""
    """What servers and clients talk over."""

    @classmethod
    def of(cls, options: argparse.Namespace) -> Settings:
        home = PROJECT / ".testbed" / "bench"
        scratch = options.scratch / "milvus-backupfs-bench"
        out = options.out or home / "results"
        for folder in (home, scratch, out):
            folder.mkdir(parents=True, exist_ok=True)
        return cls(
            options.runs, options.patience, options.rows and options.rows.split(","), options.only and options.only.split(","),
            out, home, scratch, options.base_port, not options.no_build,
        )

    def wants(self, row: str) -> bool:
        return self.rows is None or any(row.startswith(prefix) for prefix in self.rows)

    def build(self, product: str) -> None:
        """Builds a product with optimisation, before the network is left."""
        if self.builds and subprocess.run([*SWIFT_BUILD, "--product", product], stdout=sys.stderr).returncode != 0:
            raise BenchError(f"{product} does not build")

    def binary(self, product: str) -> Path:
        """Path of a product that was built."""
        shown = subprocess.run([*SWIFT_BUILD, "--show-bin-path"], capture_output=True, text=True, check=True)
        binary = Path(shown.stdout.strip()) / product
        if not binary.exists():
            raise BenchError(f"{binary} is missing: leave --no-build out")
        return binary


@dataclass(frozen=True)
class Task:
    """One contender's part of a row."""

    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = lambda: None
    """Before each run; not timed."""
    check: Callable[[Cost], None] = lambda cost: None
    """After each run; raises BenchError when the result is wrong."""
    helpers: Callable[[], Sequence[int]] = tuple
    """Processes that work for the command: daemons of mounts."""


@dataclass(frozen=True)
class Row:
    name: str
    """Stable, for --rows and for comparing results of different days."""
    title: str
    tasks: Mapping[str, Task]
    amount: float
    """What one run moves, in `unit`."""
    unit: str
    bound: float | None = None
    """Units per second to reach, of rows without peers."""
    keep_output: bool = False
    at_most: Sequence[AtMost] = ()
    """What ours may take, compared with peers."""


@dataclass(frozen=True)
class AtMost:
    """A bound: ours takes at most `factor` times what the best of the peers takes whose names begin so."""

    factor: float
    peers: str
    what: str = "time"
    """`time`, or `daemon CPU`: of our daemon, without the cp it works for, and of all that the peer is."""
    ours: str = OURS
    """Which of our contenders is meant, when there are several."""


@dataclass
class Result:
    row: Row
    costs: dict[str, list[Cost]]
    disturbed: int
    """Runs that count although others were busy."""


def measure(row: Row, settings: Settings, servers: Sequence[int]) -> Result:
    """Runs the row's contenders in turn. Rows are not parallel to anything."""
    tasks = {name: task for name, task in row.tasks.items() if settings.only is None or name in settings.only}
    costs: dict[str, list[Cost]] = {name: [] for name in tasks}
    disturbed = 0
    patience = settings.runs * len(tasks) if settings.patience is None else settings.patience
    # A first run of each warms caches on both sides and does not count.
    for number in range(-1, settings.runs):
        names = list(tasks)
        names = names[number % len(names) :] + names[: number % len(names)]
        for name in names:
            while True:
                cost = _run_once(row, name, tasks[name], servers)
                if cost.foreign <= FOREIGN_BOUND or number < 0:
                    break
                patience -= 1
                if patience < 0:
                    disturbed += 1
                    break
            if number >= 0:
                costs[name].append(cost)
                print(
                    f"{row.name}: {name}: {cost.seconds:.2f} s, CPU {cost.cpu:.2f} s, {cost.memory >> 20} MiB, "
                    f"servers {cost.server_cpu:.2f} s, others {cost.foreign:.2f} cores",
                    file=sys.stderr,
                )
    return Result(row, costs, disturbed)


def _run_once(row: Row, name: str, task: Task, servers: Sequence[int]) -> Cost:
    task.prepare()
    try:
        cost = run(task.command, servers, task.environment, row.keep_output, helpers=task.helpers())
    except CommandFailed as error:
        raise BenchError(f"{row.name}: {name}: {error}") from error
    try:
        task.check(cost)
    except BenchError as error:
        raise BenchError(f"{row.name}: {name}: {error}") from error
    return cost
