"""Servers that outlive the script which started them.

A record file names the process by id, start time and boot, so that a recycled process id is
never mistaken for the server. Signals go through a pidfd that was opened before the identity
was checked: what is signalled is what was checked.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

KILL_BOUND = 10


def clean_environment(**additions: str) -> dict[str, str]:
    """An environment without the caller's settings.

    Milvus takes any variable that is called like one of its settings (MINIO_ADDRESS, ...) and
    SeaweedFS makes AWS_ACCESS_KEY_ID an administrator: neither may see the user's.
    """
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "USER", "TZ") if name in os.environ}
    return {**kept, "LC_ALL": "C.UTF-8", **additions}


def ports_in_use(ports: Iterable[int]) -> list[int]:
    """Those of the ports on which somebody listens, on any address."""
    used = []
    for port in ports:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("", port))
            except OSError:
                used.append(port)
    return used


@dataclass(frozen=True)
class Daemon:
    name: str
    record: Path
    output: Path
    """Standard output and error of the last start only; the servers keep their own logs."""

    def pid(self) -> int | None:
        """The running server's process id, None when it does not run."""
        recorded = self._recorded()
        if recorded and _start_ticks(recorded["pid"]) == recorded["startTicks"]:
            return recorded["pid"]
        return None

    def start(self, command: Sequence[str], directory: Path, environment: Mapping[str, str]) -> int:
        for needed in (self.record.parent, self.output.parent, directory):
            needed.mkdir(parents=True, exist_ok=True)
        with self.output.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        recorded = {
            "pid": process.pid,
            "startTicks": _start_ticks(process.pid),
            "boot": _boot(),
            "command": list(command),
        }
        partial = self.record.with_suffix(".partial")
        partial.write_text(json.dumps(recorded, indent=2) + "\n")
        partial.rename(self.record)
        # The server is meant to outlive this script: nobody waits for it.
        process.returncode = 0
        return process.pid

    def stop(self, grace: float) -> bool:
        """Ends the server: SIGTERM, after `grace` seconds SIGKILL. Returns whether it ran."""
        pid = self.pid()
        if pid is not None:
            with suppress(ProcessLookupError):
                handle = os.pidfd_open(pid)
                try:
                    if self.pid() == pid:
                        _end(handle, grace)
                finally:
                    os.close(handle)
        self.record.unlink(missing_ok=True)
        return pid is not None

    def _recorded(self) -> dict | None:
        try:
            recorded = json.loads(self.record.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return recorded if recorded.get("boot") == _boot() else None


def _end(handle: int, grace: float) -> None:
    """Ends the process behind a pidfd, which becomes readable when the process is gone."""
    poller = select.poll()
    poller.register(handle, select.POLLIN)
    signal.pidfd_send_signal(handle, signal.SIGTERM)
    if poller.poll(grace * 1000):
        return
    signal.pidfd_send_signal(handle, signal.SIGKILL)
    if not poller.poll(KILL_BOUND * 1000):
        raise TimeoutError(f"a process goes on running {KILL_BOUND} s after SIGKILL")


def _start_ticks(pid: int) -> int | None:
    """When the process started, in clock ticks since boot; None when it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command name in parentheses may hold anything: count from its end.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else int(fields[19])


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
