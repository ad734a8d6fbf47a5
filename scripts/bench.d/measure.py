"""Runs one command and says what it cost."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class CommandFailed(Exception):
    """A measured command ended with an error; the text says which and how."""


@dataclass(frozen=True)
class Cost:
    """One run of one command."""

    seconds: float
    cpu: float
    """User and system time of the command, its children and its helpers, in seconds."""
    helper_cpu: float
    """The helpers' part of it."""
    memory: int
    """Peak resident size, in bytes."""
    server_cpu: float
    """CPU seconds of the servers meanwhile."""
    foreign: float
    """Cores that were busy with neither, on average."""
    output: str


def run(
    command: Sequence[str], servers: Iterable[int] = (), environment: Mapping[str, str] | None = None,
    keep_output: bool = False, limit: float = 1800, helpers: Iterable[int] = (),
) -> Cost:
    """Runs a command to its end. Its output goes to /dev/null unless it is wanted.

    `helpers` are processes that work for the command, such as the daemon of a mount: their CPU time is the client's, and
    their peak size counts if it is larger.

    GNU time starts it: the peak size of a process counts that of the one which forked it, and this interpreter is
    larger than some of what is measured.
    """
    servers, helpers = list(servers), list(helpers)
    for pid in helpers:
        # Forgets the peak size so far (proc(5)).
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    environment = {**os.environ, **(environment or {})}
    with tempfile.NamedTemporaryFile("r", prefix="bench-") as peak, tempfile.TemporaryFile() as errors:
        busy, served = _busy(), sum(map(_process_cpu, servers))
        helped = sum(map(_process_cpu, helpers))
        began = time.perf_counter()
        process = subprocess.Popen(
            ["/usr/bin/time", "--quiet", "-f", "%M", "-o", peak.name, *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if keep_output else subprocess.DEVNULL, stderr=errors,
            env=environment,
        )
        output = process.stdout.read().decode() if process.stdout else ""
        _, status, usage = _wait(process, limit)
        seconds = time.perf_counter() - began
        if status != 0:
            errors.seek(0)
            words = errors.read().decode(errors="replace").strip()[-2000:]
            raise CommandFailed(f"exit status {os.waitstatus_to_exitcode(status)} of {' '.join(command)}\n{words}")
        helper_cpu = sum(map(_process_cpu, helpers)) - helped
        cpu = usage.ru_utime + usage.ru_stime + helper_cpu
        server_cpu = sum(map(_process_cpu, servers)) - served
        foreign = max(0.0, (_busy() - busy - cpu - server_cpu) / seconds)
        memory = max([int(peak.read()) * 1024, *map(_peak_size, helpers)])
        return Cost(seconds, cpu, helper_cpu, memory, server_cpu, foreign, output)


def _wait(process: subprocess.Popen, limit: float) -> tuple[int, int, object]:
    pidfd = os.pidfd_open(process.pid)
    try:
        if not select.select([pidfd], [], [], limit)[0]:
            # Not GNU time itself: it ends with what it started.
            for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
                os.kill(int(child), signal.SIGKILL)
    finally:
        os.close(pidfd)
    result = os.wait4(process.pid, 0)
    process.returncode = result[1]
    return result


def _busy() -> float:
    """CPU seconds that this machine has worked since boot, time stolen by its host included."""
    user, nice, system, _, _, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS


def _process_cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _peak_size(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
